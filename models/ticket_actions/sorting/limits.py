"""Bounds of the actions that sort tickets out, with their reasons."""

snooze_days_max = 366  # a year and a day; a ticket that sleeps longer is forgotten
