"""Privacy: the export and the erasure of a requester's data.

Invariant: after an erasure, no column that the register marks as erased has the person's texts, name or addresses, and
nothing of other people has changed. The ticket numbers stay.
"""
