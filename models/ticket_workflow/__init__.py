"""A ticket's workflow at work: the engine decides over plain data, and what it decides becomes rows.

`steps` hands the ticket to the pure engine (`models/workflow`); `apply_acts` turns its acts into changes,
messages, timers and tasks; `approvals`, `links`, `sla_clocks` and `notices` keep what a workflow needs to
remember; `migration` moves tickets to another version and `replay` tries a draft on what happened. Invariant:
every act is recorded in the ticket's history with its rule and its reason.
"""
