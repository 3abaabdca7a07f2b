"""Privacy: the export and the erasure of a requester's data.

Invariant: after an erasure, no row and no blob contains the person's texts or identity. The ticket numbers stay.
"""
