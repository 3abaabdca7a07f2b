"""Promises about time: working time by a calendar, and the clocks that count it.

Local time exists in `working_time` only. `clocks` is pure; `store` keeps clocks as rows. Invariants: a clock's elapsed time is the
working time during which it ran, however often it was paused; a warning and a breach are told once.
"""
