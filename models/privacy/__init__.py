"""Privacy: a requester's data, exported or erased on request.

Invariant: after an erasure no row and no blob holds what the person wrote or who they are; the numbers of
tickets stay.
"""
