"""Bounds of merges and splits, with their reasons."""

from __future__ import annotations

messages_moved_max = 2_000  # of one act; its events and its undo name each message, some 40 bytes each
rows_at_once = 500  # of one statement; SQLite binds at most 32,766 values in one
sequence_gap = 1_000_000  # between the numbers of messages and those that they have while they move
links_max = 200  # of a ticket; an incident has a hundred duplicates, and a list of links has no pages
messages_chosen_max = 100  # of one split: a person chooses them one by one
