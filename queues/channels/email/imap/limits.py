"""Bounds of reading a mailbox, each with its reason."""

from __future__ import annotations

from models.kernel.limits import MIB, webhook_body_bytes_max

# A server may take long over the first SELECT of a large folder.
connect_s, read_s = 10.0, 60.0
# The same as for mails of webhooks.
mail_bytes_max = webhook_body_bytes_max
# Stored of a larger mail: its headers, and in most cases its text.
cut_bytes = 1 * MIB
# Mails whose sizes are fetched at once.
batch_max = 50
# After this time IDLE is renewed, or a server without IDLE is asked. A lost notification costs at most this delay.
round_s = 60.0
# How soon a wait notices that it has to end.
idle_slice_s = 1.0
# Tries of a mail that the server refuses to send; then it is stored as failed and the next mail is read.
tries_max = 3
# Tries of a mail at which the connection ends or the answer is unreadable: more, because a bad line does the same.
lost_tries_max = 6
# Of the server's text.
detail_chars_max = 200
