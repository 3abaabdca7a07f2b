"""The limits of the generic webhook channel, each with its reason.

`queues/described/limits.py` has those of paths, texts and events.
"""

from __future__ import annotations

# A JSON event with some files in base64. Larger files come by URL.
body_bytes_max = 8 * 1024 * 1024
# The nesting of a reply's body.
depth_max = 20
# The values in a reply's body.
nodes_max = 1_000
# An author's address. A longer one is shortened to its beginning and a hash.
address_chars_max = 200
# The attachments of one message, as for e-mail.
attachments_max = 50
# The time for one reply, within send_delivery's time limit of 110 s.
request_timeout_s_max = 60.0
# The response to a reply. The channel reads the message id from it.
response_bytes_max = 65_536
