"""Bounds of what providers send and are sent, each with its reason."""

from __future__ import annotations

from models.kernel.limits import MIB, actor_time_limit_s

# -- requests ----------------------------------------------------------------------------------------------------
# Our clock and a provider's may differ by this much.
clock_skew_s = 300.0
# Of one request: during a rotation of keys there are two.
signatures_max = 10
# The Worker signs and calls at once, and signs again when it calls again.
desk_signature_s = 300.0
# What Svix's own libraries allow; each retry is signed anew.
svix_s = 300.0
# Its signature does not cover the body, so it may not be used for long.
mailgun_s = 900.0
# It comes again for three days, and does not say that it signs again; the body is covered.
sendgrid_s = 3 * 24 * 3600.0
sns_s = (
    8 * 3600.0
)  # the instant is the publication's, and SNS holds messages back and comes again for hours; all is covered
# 50 attachments and some 30 fields.
form_fields_max = 500
signature_field_bytes_max = (
    1024  # of Mailgun's timestamp, token and signature: 64 characters are the longest, %XX makes three of one
)
# Of one field of a form: a name and a type.
form_header_bytes_max = 16 * 1024
# Of an urlencoded field at a time: a field of 30 MB costs its own size once.
unquote_slice_bytes = 256 * 1024
# Of a provider's id inside an event key, which has 200 characters in all.
id_chars_max = 120
# Of one request: SendGrid's batches end at 768 kB, some 2,500 events.
events_max = 5_000
# Of one event: recipients of one mail.
receipts_max = 100
# Of what a provider says of a failure: one or two sentences.
detail_chars_max = 300
# Of a mail put together again.
headers_chars_max = 1 * MIB

# -- calls -------------------------------------------------------------------------------------------------------
# Of an API's answer: ids and errors.
answer_bytes_max = 1 * MIB
# Of a mail fetched: SES takes up to 40 MB.
mail_bytes_max = 40 * MIB
# All bytes of an answer, with room to record the outcome.
call_total_s = actor_time_limit_s - 20.0
# A mail of 40 MB from a store beside the API; the actor has 120 s.
download_s = 60.0
# An X.509 certificate has 2 kB.
certificate_bytes_max = 64 * 1024
# Kept in a process; Amazon signs with one per region and year.
certificates_max = 20
# Of one mail, as for mail that comes whole.
download_attachments_max = 50

# Of JSON from an unauthenticated sender: Mailgun sends some 10 kB, SNS at most 256 KiB. 30 MB of `{},` would take
# 840 MB of memory to read.
unproved_json_bytes_max = 1024 * 1024
