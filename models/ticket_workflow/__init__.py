"""Runs a ticket's workflow: the engine decides over plain data, and its acts become rows.

`steps` hands the ticket to the pure engine (`models/workflow`); `apply_acts` turns its acts into changes,
messages, timers and tasks; `approvals`, `links`, `sla_clocks` and `notices` hold the state that a workflow
needs; `migration` moves tickets to another version and `replay` runs recorded events through a draft. Invariant:
every act is recorded in the ticket's history with its rule and its reason.
"""
