"""Bounds of reading a mailbox, each with its reason."""

from __future__ import annotations

from models.kernel.limits import MIB, webhook_body_bytes_max

connect_s, read_s = 10.0, 60.0  # a server may take long over the first SELECT of a large folder
mail_bytes_max = webhook_body_bytes_max  # as of the mails that are brought to us
cut_bytes = 1 * MIB  # kept of a larger one: its headers, and in most cases its text
batch_max = 50  # mails whose sizes are asked for at once
round_s = 60.0  # IDLE is renewed, and a server without it asked, after this: a word of the server that was lost costs a minute
idle_slice_s = 1.0  # how soon a wait notices that it shall end
tries_max = 3  # of a mail that the server will not give; then it is shown as failed and the next one read
lost_tries_max = (
    6  # of one at which the connection ends or the answer cannot be read: more, for a bad line does that as well
)
detail_chars_max = 200  # of what the server says
