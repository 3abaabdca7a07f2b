"""The sandbox's limits, each with its reason; those of the product are in models/kernel/limits.py."""

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB

# The Bot API's own bounds (core.telegram.org/bots/api).
TEXT_UNITS_MAX: Final = 4096  # UTF-16 code units of a message, after entities are parsed
CAPTION_UNITS_MAX: Final = 1024  # the same for a caption
CALLBACK_DATA_BYTES_MAX: Final = 64
ENTITIES_MAX: Final = 100  # the real server ignores what follows the hundredth
PHOTO_BYTES_MAX: Final = 10 * MIB
ALBUM_MIN: Final = 2
ALBUM_MAX: Final = 10
DELETIONS_MAX: Final = 100  # message_ids of deleteMessages
COMMANDS_MAX: Final = 100
COMMAND_DESCRIPTION_MAX: Final = 256
BUTTONS_MAX: Final = 100  # of one keyboard
UPLOAD_BYTES_MAX: Final = 50 * MIB
DOWNLOAD_BYTES_MAX: Final = 20 * MIB  # getFile refuses more
UPDATES_PER_POLL_MAX: Final = 100
POLL_TIMEOUT_S_MAX: Final = 50

# The Bot API's rates as its FAQ gives them; bursts because it says that short bursts pass.
BOT_SENDS_PER_S: Final = 30.0
BOT_BURST: Final = 30
CHAT_SENDS_PER_S: Final = 1.0
CHAT_BURST: Final = 3
GROUP_SENDS_PER_S: Final = 20 / 60
GROUP_BURST: Final = 20
RATE_KEYS_MAX: Final = 100_000  # remembered chats; the oldest are forgotten, their windows are long over

# HTTP.
HEAD_BYTES_MAX: Final = 64 * KIB  # request line and headers; the real nginx takes less
BODY_BYTES_MAX: Final = UPLOAD_BYTES_MAX + MIB  # one upload and its other fields
DISCARD_BYTES_MAX: Final = 4 * BODY_BYTES_MAX  # read away to answer 413; above, the connection is just cut
PARTS_MAX: Final = 64  # multipart parts; an album has 10 files and a handful of fields
IDLE_S_MAX: Final = 120.0  # a silent keep-alive connection; longer than any client's own pool expiry
CONNECTIONS_MAX: Final = 1_000  # below the usual limit of 1,024 open files

# SMTP.
MAIL_BYTES_MAX: Final = 35 * MIB  # 25 MB of attachments, what big providers take, as base64
MAIL_DELAY_S_MAX: Final = 600.0  # longer than any client's timeout

# What is remembered.
OUTBOX_ENTRIES_MAX: Final = 100_000  # a long benchmark; about 150 MB of short messages
OUTBOX_BYTES_MAX: Final = 256 * MIB  # mails with attachments reach this first
OUTBOX_PAGE_MAX: Final = 1_000
MESSAGES_MAX: Final = 100_000  # messages that can still be edited
BOTS_MAX: Final = 1_000  # tokens seen; a test that invents one per case stays below
PENDING_UPDATES_MAX: Final = 10_000
TOPICS_MAX: Final = 10_000  # of all groups
FAULTS_MAX: Final = 1_000
FAULT_TIMES_MAX: Final = 1_000_000  # "always", in practice
HANG_S_MAX: Final = 600.0  # longer than any client's timeout
FILES_BYTES_MAX: Final = 512 * MIB  # uploads kept on disk in one run

# The process.
STOP_S_MAX: Final = 2.0  # from SIGTERM to the end
START_S_MAX: Final = 20.0  # the client waits this long for the ports file: a loaded machine, no .pyc files
CONTROL_TIMEOUT_S: Final = 10.0
POLL_INTERVAL_S: Final = 0.02  # how often the client looks again while it waits
# A chat's message ids are one series, the user's included. Ours start far above what a fixture sends; a person's start
# at the time of the start in seconds, so that none is used again after a restart.
MESSAGE_ID_BASE: Final = 1_000_000
