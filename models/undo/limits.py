"""Bounds of undos, with their reasons. Times in seconds (`_s`)."""

from __future__ import annotations

undo_s = 3600.0  # long enough to see a mistake, short enough that few other things changed since
undo_kept_s = 24 * 3600.0  # after its time, so that a late undo gets the reason and not a 404
undos_shown_max = 200  # of a ticket; each act needs a request of a person
