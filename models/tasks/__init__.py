"""The task ledger: the transactional outbox and the job table in one.

A change and the work that it causes commit together as `tasks` rows; the Dramatiq message that follows is only a wakeup
with the row's id. Invariants: one worker at a time leases a task; only the holder of its lease can finish it (the lease
id is the fencing token); tasks of one key run one after another in id order; a task ends as done, dead (a person sees
it) or discarded (a person decided).
"""
