"""The one log of what happened.

Each change appends to `events` in the transaction that makes it; a ticket's history, the audit log, metrics and
outgoing webhooks read from here. Invariants: rows are never changed; the sequence of an aggregate has no gaps and no
repeats, because writers hold the aggregate's row.
"""
