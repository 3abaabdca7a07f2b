"""Every bound of the desk, with its reason. Sizes in bytes (`_bytes_max`), counts (`_max`), times in seconds (`_s`)."""

from __future__ import annotations

MIB = 1024 * 1024

# -- HTTP ------------------------------------------------------------------------------------------------------
json_body_bytes_max = 1 * MIB  # the largest JSON request is a message of 100,000 characters; ten times that is enough
webhook_body_bytes_max = 30 * MIB  # Gmail and Outlook send up to 25 MB, base64 adds a third of an attachment
telegram_body_bytes_max = 1 * MIB  # an update carries text and file ids, never files; the largest seen is some 20 kB
threads_for_answers = 2  # of HTTP_THREADS; they never wait for a body, so that others are answered meanwhile
body_stall_s = 15.0  # without a byte; a mobile connection that changes cells is back within a few
body_s = 60.0  # for a whole body: 30 MiB at 4 Mbit/s, and what Knative grants a request (timeoutSeconds)
stranger_body_s = 10.0  # a sign-in has 100 bytes
body_place_wait_s = 0.25  # for a place to read at; longer would let the waiting hold the probes' threads
drain_known = (
    webhook_body_bytes_max + MIB,
    2.0,
    10.0,
)  # bytes, s without one, s in all: a client still sends, and must see why the request is refused
drain_stranger = (
    12 * MIB,
    0.5,
    2.0,
)  # a mistaken client of 10 MB sees its 401 or 413; a hostile one costs two seconds
large_body_bytes_min = 1 * MIB  # storing a body takes up to twelve times its size in memory; below this that is nothing
large_bodies_max = (
    2  # at once in a process: 2 x 320 MiB (27 MiB each, by psycopg2) of the 1Gi that knative/base/email.yaml grants
)
large_body_wait_s = 10.0  # storing 27 MiB takes one or two; providers come again after a 503
# Requests a second and at once, of one caller to one process, by class of cost (functions/http/quotas.py). The rates
# are about what one process can do, so only a loop or an attack reaches them: an agent makes some 2 requests a second.
request_limits = {
    "read": (200.0, 4_000),
    "write": (100.0, 2_000),  # an import writes some 50 a second
    "heavy": (2.0, 60),  # exports, drafts of 500 kB, replays: up to a second of a core each
    "public": (50.0, 1_000),  # of a network: an office of 300 signs in at nine, and shows twenty pictures to each
}
quota_callers_max = (
    20_000  # callers that a process remembers: some 5 MB; the one that has not asked longest is forgotten
)
header_value_chars_max = 512  # Idempotency-Key, X-Request-Id: what comes back in answers and logs stays readable
json_depth_max = 32  # of nested lists and objects; json and peewee recurse over what we keep
signal_payload_bytes_max = 8_192  # a signal carries facts, not documents; it is kept in the ticket's history
page_size_default = 50  # one screen of an agent's list
page_size_max = 200  # a page of tickets stays under 1 MB of JSON
search_chars_max = 200  # longer search texts are mistakes, and LIKE is linear in both
idempotency_key_kept_s = 24 * 3600  # a client that repeats its write within a day gets the stored answer

# -- connections (functions/http/server) -----------------------------------------------------------------------
http_connections_max = 1_000  # of a process; each waits for some kB. Then the one that does the least makes room
other_files_max = 128  # files beside the connections: database, broker, log, downloads
request_head_s = 10.0  # from accept, or from the first byte on a kept connection, to the end of the head
request_head_bytes_max = 64 * 1024  # heads have 1 to 8 kB; nginx takes 32 kB
body_ahead_bytes_max = 64 * 1024  # a body up to this is received before a thread takes the request
body_ahead_s = 2.0  # it comes in the packet of the head or in the next one; after this the application asks for it
held_requests_bytes_max = 32 * MIB  # of all incomplete requests together; a thousand honest ones have 8
held_responses_bytes_max = 64 * MIB  # of all responses that wait for their readers; then those who read nothing end
reader_window_s = 30.0  # a telephone that changes networks is back within some seconds
reader_bytes_per_s_min = 1_024.0  # on the average of a window; a connection of 1998 had five times that
reader_patience_s = 5.0  # a reader that has read nothing for so long makes room when connections are scarce
linger_s = 2.0  # from the end of the last response to the close: the client reads it meanwhile
linger_bytes_max = 64 * 1024  # of a body that nobody wants and that is still on its way
stop_keepalive_s = 2.0  # at SIGTERM, for a request that is on its way on a kept connection

# -- what people write -----------------------------------------------------------------------------------------
ticket_title_chars_max = 200  # the number; one line in every list
comment_chars_max = 5_000  # a comment is a paragraph; more is a note
message_body_chars_max = 100_000  # a long mail has 20,000; a pasted log is an attachment
name_chars_max = 200  # room for any real name on one line of a list
email_address_chars_max = 320  # RFC 5321 4.5.3.1: 64 + @ + 255
tags_max = 50  # more is not a label any more, and each is a word in every list
followers_max = 100  # of a ticket; more people are a team
linked_depth_max = 5  # tickets made by tickets made by tickets: deeper is a loop of two life cycles
fields_max = 200  # a form with more questions is a mistake in its definition
# Fields that no model declares. Lists, events and webhooks carry them, so a ticket with more would slow down each.
open_fields_bytes_max = 32_768  # as JSON; half of the longest declared text, and a page of 200 tickets stays readable
open_field_depth_max = 8  # levels of lists and objects; forms of web services have two or three
field_name_chars_max = 100  # a question of a form; a longer one is a text

# -- identity --------------------------------------------------------------------------------------------------
password_chars_min, password_chars_max = (
    10,
    256,
)  # NIST SP 800-63B asks for 8 or more; a bound keeps argon2's cost bounded
# zxcvbn's score 3: 29 days of one core for a guesser with a stolen hash (25 ms each), decades for one at the API.
password_guesses_min = 1e8
password_judged_chars_max = 32  # zxcvbn's time grows faster than the text; 32 hostile characters take 0.45 s
password_checks_burst, password_check_every_s = 10, 30.0  # wrong current passwords of one person with a session
password_link_s = 30 * 60.0  # long enough to open a mailbox; a mailbox that is read by others later gives nothing
password_resets_burst, password_reset_every_s = 3, 300.0  # to one address; a stranger must not fill a mailbox
password_resets_per_client_burst, password_reset_per_client_every_s = 20, 60.0  # a whole office behind one address
desk_notice_s = 3 * 24 * 3600.0  # a notice about an account is not sent later than this
api_key_days = 90  # a forgotten key dies within a quarter; its maker may say another end
use_noted_every_s = 60.0  # of keys and sessions: one write a minute is no load, and nobody needs it finer
activation_stuck_s = 300.0  # two tasks take a second; a worker that restarts takes a minute
activation_repairs_max = 500  # per run; the next one continues
presence_s = 300.0  # a person who reads a long ticket makes no request for some minutes
colleagues_max = 1000  # more people than a desk has; the list has no pages
custom_roles_max = 100  # a desk has some ten; the list of roles has no pages
challenge_s = 10 * 60.0  # long enough to find the telephone, or to enrol an authenticator app
challenge_tries = 5  # wrong codes per right password
# Wrong codes of one user after right passwords: 290 a day at most, of which one in 3,400 days is right by chance.
second_factor_failures_burst, second_factor_failure_every_s = 5, 300.0
recovery_codes = 10  # a sheet of paper; each replaces the second factor once
credential_id_chars_max = 1_400  # of a passkey; Web Authentication permits 1,023 bytes
challenges_burst, challenge_every_s = 60, 5.0  # per network: an office signs in at nine o'clock
id_token_chars_max = 32_768  # with some hundred groups
oidc_subject_chars_max = 255  # OpenID Connect Core 1.0, section 2
oidc_clock_difference_s_max = 60.0  # between the provider's machines and ours
oidc_document_bytes_max = 262_144  # metadata, keys, tokens: some kB each
oidc_connect_s, oidc_total_s = 3.0, 8.0  # a request's thread waits; a sign-in makes up to three calls
oidc_keys_s, oidc_metadata_s = 600.0, 3600.0  # a withdrawn key counts no longer than this
oidc_calls_at_once, oidc_wait_s = 2, 1.0  # a provider that hangs occupies no more threads of a process
oidc_rest_s = 5.0  # after a failed call
oidc_keys_again_s = 30.0  # unknown key ids cannot make the desk ask more often
second_factors_max = 20  # of one user: a telephone, some keys
access_token_s = 15 * 60  # a stolen access token dies soon
key_set_cache_s = 300  # a verifier asks again for a key ID that it does not know; a removed key is forgotten soon
refresh_token_s = 30 * 24 * 3600  # an agent signs in about once a month
network_sign_in_failures_burst = 100  # an office behind one address on a Monday; a guesser gets a hundred tries
network_sign_in_failure_every_s = 3.0  # 28,800 guesses a day over all addresses of the desk, and each has its own limit
account_sign_in_failure_every_s = 30.0  # failures of one account from anywhere; slows unknown devices only
slow_sign_in_s = 2.0  # a person hardly notices it; a guesser in many networks gets a fraction of the tries
slow_sign_ins_max = 2  # threads of a process that wait; the others serve requests
device_known_s = 180 * 24 * 3600  # a device that was not used for half a year is a new one
reauthentication_s = 15 * 60  # a proof of the password lasts this long for keys, roles, exports and erasure
sign_in_failures_burst = 10  # per address and network, then one more each `sign_in_failure_every_s`
sign_in_failure_every_s = 30.0  # 3,000 guesses a day at most, and a person who mistypes waits half a minute
refresh_repeat_s = 10.0  # two tabs or a lost answer may send one refresh token twice; later, it is a thief
reseal_batch_max = 200  # secrets that one transaction of a key rotation encrypts; it locks their rows for milliseconds
client_chars_max = 64  # a caller's network address in an event; IPv6 with a zone has some 50
audit_user_agent_chars_max = 200  # browsers send some 120; the rest is of no use in an inquiry
audit_refusal_repeat_s = 60.0  # one entry per caller, operation and minute: a loop cannot fill the table
audit_refusals_remembered = 1_000  # callers and operations; some 100 bytes each
audit_kept_days_min = 90  # an inquiry often begins weeks after the act
audit_csv_rows_max = 10_000  # some 3 MB in one answer; a longer period continues by the cursor

# -- task engine -----------------------------------------------------------------------------------------------
successors_max = 8  # tasks that a thread runs behind one wakeup before it takes the next wakeup
successors_s = 1  # the last of them begins within this
actor_time_limit_s = 120  # the largest of all actors' limits; the worker's shutdown and the pod's grace are longer
task_payload_bytes_max = 8_192  # ids only; a larger payload is a design mistake
task_lease_s = (
    20.0  # how long after a kill -9 its tasks are picked up again; running tasks renew it every third of this
)
expired_lease_grace_s = (
    6.0  # after an outage: longer than a holder's connect that fails (5 s) and its next probe together
)
database_probe_s = (
    0.1,
    0.2,
)  # between two probes of a process whose database is away; a refused connect costs nothing
settle_wait_s_max = (
    20 * 60.0  # a failover takes minutes; RabbitMQ closes a consumer that acknowledges nothing for 30
)
settle_pause_s_min, settle_pause_s_max = (
    0.05,
    2.0,
)  # a deadlock is over in milliseconds, a server without free connections is not
task_wakeup_grace_s = 5.0  # a wakeup that no worker took by then is repeated; the wait doubles up to 32 times this
sweep_batch_max = 500  # tasks for which one sweep wakes workers; the next one takes the rest
sweep_every_s = 1.0  # in long-lived processes; the functions' own sweep and PingSource are the far net
local_delay_s_max = 60.0  # a wait up to this long is also kept by the process itself, so that a retry is punctual
operator_wait_s_min, operator_wait_s_max = (
    5.0,
    300.0,
    # a task that lacks its configuration: a mended one runs within five minutes, and 1,000 waiting ones cost 5 runs a
    # second
)
unknown_kind_delay_s = 15.0  # a task of a newer release waits for a newer worker (rolling update)
wakeup_queue_max = 10_000  # wakeups that wait for the broker in one process; more are dropped, the sweep repeats them
wakeup_flush_s = 1.0  # on SIGTERM the publisher gets this long; the rest is the sweep's
broker_retry_s_min = 0.5  # circuit breaker of the wakeup publisher: first wait
broker_retry_s_max = 5.0  # and the longest, within which a broker that is back is noticed
error_chars_max = 2_000  # of an exception kept in a row: enough for its message, bounded for the table
finished_tasks_kept_s = 7 * 24 * 3600  # long enough to answer "what happened on Friday"
collect_batch_max = 5_000  # finished rows deleted at a time, so that no vacuum or lock is long

# -- inbox and sends -------------------------------------------------------------------------------------------
inbox_reason_chars_max = 500  # a sentence or two for people
waiting_indexed_max = 1_000  # waiting events whose people an export or erasure reads first: about one second
send_slot_wait_s = 0.25  # for one of the process's slots; a quick provider frees one in that time
send_slot_delay_s = 1.0  # then the task comes back later, so that a slow provider holds none of the other threads
sends_calm_s = 3.0  # a desk that starts leaves alone what the last process was sending, times the task's attempts
sends_calm_attempts_max = 10  # half a minute at most
repeat_every_s = 1.0  # between two sends of an account that perhaps repeat one: a kill hits one of them, not all
send_connect_timeout_s, send_read_timeout_s = 10.0, 30.0  # together within send_delivery's time limit of 90 s
provider_wait_s_max = (
    3600.0  # a provider's retry_after beyond an hour is a mistake or an attack; Telegram's go up to minutes
)
charged_slots_max = 100  # a text of 100,000 characters goes out in up to 49 parts, its files come on top
line_s_max = 3600.0  # a longer line of waiting sends starts anew; they look again within the hour anyway
bucket_clock_tolerance_s = 1.0  # between two processes' readings of one clock; more was a clock that is wrong
telegram_text_utf16_max = 4096  # Bot API, sendMessage
telegram_bot_per_s = 25.0  # Bot API FAQ says about 30; grammY and PTB both stay below
telegram_chat_per_s = 1.0  # Bot API FAQ
telegram_chat_burst = 3  # short bursts pass; the Bot API tolerates them, and an answer in two parts need not wait
telegram_group_per_minute = 20.0  # Bot API FAQ
staff_new_tickets_per_minute = 10.0  # posts of new tickets; the other half is for running conversations
# Telegram's files (Bot API: "Sending files", getFile).
telegram_download_bytes_max = 20 * MIB  # getFile refuses more
telegram_download_s_max = 100.0  # 20 MiB at 1.7 Mbit/s; under the actor's time limit
telegram_upload_bytes_max = 50 * MIB  # by multipart; a file that Telegram has already may be larger
telegram_upload_read_timeout_s = (
    75.0  # Telegram answers when it has stored a film elsewhere; under the time of one send
)
telegram_photo_bytes_max = 10 * MIB  # a larger picture goes as a document
telegram_caption_utf16_max = 1024  # Bot API, sendPhoto
telegram_album_max = 10  # Bot API, sendMediaGroup
telegram_entities_max = 100  # what follows is shown without its format
telegram_button_bytes_max = 64  # callback_data
telegram_button_label_chars_max = 64  # the part of a single button's text that a phone shows
telegram_ids_per_deletion_max = 100  # deleteMessages
spam_threshold = 5.0  # SpamAssassin's own threshold, and the spam confidence level that Exchange Online calls spam
held_back_notice_every_s, held_back_notices_burst = 3600.0, 5  # one an hour for a requester, five for an account
new_tickets_per_sender_hour = 20  # a person opens few; more is a loop whose headers lie; an account may set its own
code_works_s = 15 * 60.0  # a code that proves an address: long enough to open a mailbox
code_tries = 5  # of a million codes: a guesser has one chance in 200,000
codes_burst, code_every_s = 3, 300.0  # to one address; a stranger must not fill a mailbox with our codes
codes_of_sender_burst, codes_of_sender_every_s = (
    10,
    360.0,
)  # by one user or API key, then ten an hour: people are proved one at a time, while they are on the telephone
link_numbers_max = 5  # tries of a link's number: of a million numbers a guesser has one chance in 200,000
addresses_told_max = 20  # addresses of a person that get a message about a new one
link_works_s = 10 * 60.0  # a deep link that joins a chat to a person: long enough to find the telephone
oversized_kept_bytes = 1 * MIB  # of a body that is too large: headers and the beginning of a text, to see whose it was
parse_here_bytes_max = 256 * 1024  # parsed in the worker's thread: some 50 ms; a packed winmail.dat 0.5 s
parse_s = 15.0  # for a larger event, by the child; 25 MB of base64 take one or two
parser_start_s = 10.0  # for the child's imports (0.3 s on a quiet machine), before parse_s begins
parse_wait_s = 8.0  # for the child's attention; with parse_s within ingest_event's time limit
parse_memory_bytes_max = 1536 * MIB  # of the child's address space; 25 MB of attachments take some 200
parser_end_s = 1.0  # for the end of a child whose pipe has ended
parser_rests_after_s = 120.0  # an idle child process ends, which frees its memory
participants_max = 50  # of one ticket by one mail: a mailing to more is no conversation
question_choices_max = 50  # of one question; a longer list is answered by its words
dialogue_waits_s = 3_600.0  # for an answer; later the person writes about something else
buttons_max = 8  # under one message; a life cycle that offers more moves to a requester needs a page for them
button_works_s = 30 * 24 * 3600.0  # an old message's button must not move a ticket that has changed its meaning
# Telegram's updates (queues/channels/telegram): what is read of one. The Bot API's own numbers are below each of these.
telegram_entities_read_max = 400  # the Bot API sends 100 at most; each costs a look
telegram_entity_depth_max = 12  # more marks over one letter than there are kinds of them
telegram_url_chars_max = 2_048  # of a link in a text; browsers cut longer ones
telegram_file_id_chars_max = 300  # some 80 are usual
telegram_files_per_message_max = 30  # paid media has 10, a poll one for each option
telegram_photo_sizes_max = 30  # 4 are usual
telegram_poll_options_max = 20  # the Bot API allows 12
telegram_tasks_max = 50  # of a checklist; the Bot API allows 30
telegram_quote_chars_max = 1_500  # the Bot API quotes 1,024
telegram_web_app_chars_max = 4_096  # Bot API, WebAppData: 4,096 bytes
telegram_deleted_ids_max = 1_000  # of one update about deleted messages
acknowledgements_burst = 5  # automatic mails to one address of one account, then one each `acknowledgement_every_s`
acknowledgement_every_s = 15 * 60.0  # ends a mail loop even when all headers are forged
automatic_messages_burst, automatic_message_every_s = (
    20,
    24 * 3600.0 / 5,
)  # to one address, then five a day: a loop that takes a quarter of an hour for a round would otherwise never end
automatic_messages_per_ticket_day = 10  # a talk of two machines ends here; a person's ticket causes far fewer

# -- mail out --------------------------------------------------------------------------------------------------
mail_copies_max = 50  # readers of a copy; more are a mailing list's business, and relays refuse some 100

# -- accounts that have to be asked (IMAP, long polling) ---------------------------------------------------------
puller_lease_s = 30.0  # how long after a kill -9 another process reads the account
puller_lease_s_max = 120.0  # a `pull_account` task holds an account for as long as it may run
token_turn_s = 60.0  # one process renews an account's OAuth tokens; a killed one keeps the others waiting for so long
puller_look_every_s = 5.0  # renews the lease six times before it runs out; notices new and changed accounts
puller_idle_s = 540.0  # one wait for the provider's word; RFC 2177 asks for less than 29 minutes, NATs forget after ten
puller_pause_s, puller_pause_s_max = (
    1.0,
    120.0,
)  # after a failure, doubling; a corrected password works within two minutes
puller_failures_max = 5  # in a row, after half a minute; then another process may try for `puller_pause_s_max`
puller_stop_s = 5.0  # at shutdown; a read that stores a mail of 30 MB takes two

# -- attachments -----------------------------------------------------------------------------------------------
upload_bytes_max = 50 * MIB  # what the Bot API takes of us (sendDocument); mail servers stop at half of it
upload_s = (
    75.0  # for a whole upload: 50 MiB at 6 Mbit/s; Knative grants the gateway 90, and the bucket wants some of it
)
downloads_max = 32  # files that a process sends at once; each holds a piece of up to 1 MiB, and no thread
attachments_per_message_max = 20  # of one answer; more is an archive
attachment_name_chars_max = 200  # file systems take 255 bytes, and a name is one line
fetched_bytes_max = 100 * MIB  # whatever a channel's files are bounded by, a worker's disk is bounded by this
file_link_s = 5 * 60  # a link in a history or a log is of no use to who finds it
unused_blobs_kept_s = 24 * 3600  # what was uploaded and not sent, stored and not recorded: a day to try again
collect_blobs_batch_max = 100  # each is a call of the store: 20 s if it takes 0.2 s for one
collect_blobs_s = (
    60.0  # begins no batch after this, well within the time of collect_garbage; the next hour takes the rest
)
scan_s = 100.0  # of one file by the malware scanner, within the time limit of scan_file; large archives take a minute
scanner_ping_s = 5.0  # to connect, and to answer a ping; a scanner that takes longer is away
scan_wait_s = 10.0  # between two looks of a delivery at the verdicts of its files
scan_wait_told_s = 900.0  # a file that waits longer is a finding of `scripts.diag`
blob_piece_bytes = 64 * 1024  # one piece of a stream in memory
blob_read_bytes = 1 * MIB  # one range request; smaller ones cost round trips, larger ones memory
blob_part_bytes = 8 * MIB  # one part of a multipart upload; S3 takes 5 MiB and more
blob_parts_at_once = 2  # so an upload holds 16 MiB, whatever the file's size
blob_connect_timeout_s, blob_timeout_s = 5.0, 30.0  # one part in 30 s is 2 Mbit/s
blob_idle_s = (
    10.0  # an idle connection of the bucket is used again within this; an older one may lead to a host that vanished
)
blob_check_timeout_s = 3.0  # /healthz/deep asks without need
blob_away_wait_s = (
    30.0  # an event with files waits so long for a blob store that is away, and does not use up an attempt
)
blob_retries_max, blob_retry_s = (
    2,
    20.0,
)  # a short failure passes within seconds; the task's backoff handles longer ones

# -- texts of the channel port (models/ports) --------------------------------------------------------------------
port_id_chars_max = 600  # PostgreSQL refuses an index entry of more than 2,704 bytes; a character has at most 4
envelope_chars_max = 1_000  # a mail may name several of our addresses as its SMTP recipients
event_key_chars_max = 200  # unique per channel account, and read by people
file_id_chars_max = 8_192  # a provider's name of a file may be a signed URL; it is in no index
content_type_chars_max = 255  # RFC 6838, section 4.2: 127 characters on each side of the slash
diagnostic_chars_max = 300  # of what a provider says of a failure: one or two sentences
status_chars_max = 40  # RFC 3463: three numbers
locale_chars_max = 35  # RFC 5646, section 4.4.1
button_token_chars_max = 64  # the Bot API's callback_data has 64 bytes
emoji_chars_max = 80  # a family of four has 11 code points; a custom one is named by its id
command_argument_chars_max = 1_500  # more than a chat's command needs; a longer text is a message
message_full_chars_max = 2 * MIB  # a book has 1 MB; the raw event keeps the rest
message_html_chars_max = 12 * MIB  # 2 MiB of HTML are read; escaping makes up to five characters of one

# -- processes -------------------------------------------------------------------------------------------------
database_start_wait_s = (
    60.0  # a worker that starts while PostgreSQL restarts or fails over waits this long before it gives up
)
readiness_first_s = 1.0  # a first look takes some 30 ms; one that takes longer waits for a database that is away
readiness_soon_s, readiness_again_s = 2.0, 60.0  # between two looks: something is wrong, or nothing
database_start_look_s = 1.0  # between two looks of a process that starts; a failover takes seconds
database_wait_s = 5.0  # for a connection of the pool; longer than any transaction, shorter than a caller's patience
# A peer that acknowledges nothing for so long has vanished. Two or three lost packets are repeated within it, and with
# a connect it stays below the 15 s that a caller of the API waits.
server_lost_s = 6.0  # PostgreSQL, RabbitMQ: another node has taken over by then
provider_lost_s = 20.0  # across the internet, where a route may be away for some seconds; below send_read_timeout_s
database_connect_s = 4  # to each host of DATABASE_URL: a lost SYN is repeated after 1 s and 3 s
statement_timeout_s = 10  # no statement of ours needs a second; a stuck one must not hold a thread
idle_transaction_timeout_s = 30  # an idle transaction blocks vacuum of `tasks`
migration_lock_wait_s = 120  # another process's migration is waited for this long
clock_read_every_s = 30.0  # two machines' oscillators drift apart by a millisecond meanwhile; one round trip is nothing
clock_round_trip_s = 0.02  # a slower reading of the database's clock is repeated, because its round trip is its error
clock_readings_max = 3  # at a time; a network that is slow three times is slow
clock_difference_s_max = 2.0  # NTP keeps machines within some ms; two seconds mean that it does not run
definition_cache_s = 5.0  # published definitions and channel accounts are looked up again after this

# -- definitions -----------------------------------------------------------------------------------------------
