"""Limits of read marks, each with its reason."""

from __future__ import annotations

# The mark is about the work of these weeks. An older message waits in `unanswered` and in its promises.
unread_s = 30 * 24 * 3600.0
read_marks_kept_s = 60 * 24 * 3600.0  # every message that may be unread is younger than such a mark
