"""Bounds of what providers send and are sent, each with its reason."""

from __future__ import annotations

from models.kernel.limits import MIB, actor_time_limit_s

# -- requests ----------------------------------------------------------------------------------------------------
clock_skew_s = 300.0  # our clock and a provider's may differ by this much
signatures_max = 10  # of one request: during a rotation of keys there are two
desk_signature_s = 300.0  # the Worker signs and calls at once, and signs again when it calls again
svix_s = 300.0  # what Svix's own libraries allow; each retry is signed anew
mailgun_s = 900.0  # its signature does not cover the body, so it may not be used for long
sendgrid_s = 3 * 24 * 3600.0  # it comes again for three days, and does not say that it signs again; the body is covered
sns_s = (
    8 * 3600.0
)  # the instant is the publication's, and SNS holds messages back and comes again for hours; all is covered
form_fields_max = 500  # 50 attachments and some 30 fields
signature_field_bytes_max = (
    1024  # of Mailgun's timestamp, token and signature: 64 characters are the longest, %XX makes three of one
)
form_header_bytes_max = 16 * 1024  # of one field of a form: a name and a type
unquote_slice_bytes = 256 * 1024  # of an urlencoded field at a time: a field of 30 MB costs its own size once
id_chars_max = 120  # of a provider's id inside an event key, which has 200 characters in all
events_max = 5_000  # of one request: SendGrid's batches end at 768 kB, some 2,500 events
receipts_max = 100  # of one event: recipients of one mail
detail_chars_max = 300  # of what a provider says of a failure: one or two sentences
headers_chars_max = 1 * MIB  # of a mail put together again

# -- calls -------------------------------------------------------------------------------------------------------
answer_bytes_max = 1 * MIB  # of an API's answer: ids and errors
mail_bytes_max = 40 * MIB  # of a mail fetched: SES takes up to 40 MB
call_total_s = actor_time_limit_s - 20.0  # all bytes of an answer, with room to record the outcome
download_s = 60.0  # a mail of 40 MB from a store beside the API; the actor has 120 s
certificate_bytes_max = 64 * 1024  # an X.509 certificate has 2 kB
certificates_max = 20  # kept in a process; Amazon signs with one per region and year
download_attachments_max = 50  # of one mail, as for mail that comes whole

# Of JSON that nobody has proved yet: Mailgun's events have some 10 kB, SNS takes at most 256 KiB. Thirty megabytes of `{},` would take
# 840 MB of memory to read.
unproved_json_bytes_max = 1024 * 1024
