"""Bounds of bulk changes, with their reasons. Times in seconds (`_s`)."""

from __future__ import annotations

tickets_max = 10_000  # a minute of one worker; a larger change is a migration or an import
acts_max = 10  # of one bulk change; more is a life cycle
running_max = 5  # of one user at once; more would starve the tasks of the desk
batch_max = 20  # tickets of one transaction: their rows are held for some 100 ms
preview_max = 50  # tickets that a preview tries; each costs some 5 ms, and a person reads no more
sends_wait_s = 8.0  # before a send of a bulk change leaves: time to see a mistake and to cancel
kept_s = 30 * 24 * 3600.0  # the list of refused tickets is of use for days; it holds names of customers' fields
