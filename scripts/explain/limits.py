"""Limits of a ticket's story, each with its reason."""

from __future__ import annotations

rows_max = 2_000  # of one source; the busiest tickets that we know of have some hundreds of messages
line_chars_max = 160  # of a text inside a line: enough to recognise a message, and the line stays one line or two
changes_shown_max = 8  # changed fields named in one line; --json has all
