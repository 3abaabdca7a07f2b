"""Bounds of the actions that sort tickets out, with their reasons."""

snooze_days_max = 366  # a year and a day; a ticket that sleeps longer is forgotten
minutes_max = 10_080  # of one time entry: a week; more is a mistake
time_entries_max = 1_000  # of one ticket; the list has no pages
