"""SLA clocks: working time by a calendar, and the clocks that count it.

Only `working_time` uses local time. `clocks` is pure; `ticket_workflow/sla_clocks.py` writes clocks as rows.
Invariants: a clock's elapsed time is the working time during which it ran, and pauses do not change it; a warning and a
breach are each reported once.
"""
