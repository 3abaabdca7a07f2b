"""Keys of the WSGI environ that this server adds to gunicorn's."""

from __future__ import annotations

# A function that returns the number of body bytes that can be read without waiting.
BUFFERED = "nestor.buffered_bytes"
