"""The portal: requesters sign in by a link in a mail, read their own requests, answer, open new ones and rate.

Invariants: opening a link signs nobody in, a press does, once. A visitor sees the tickets of the requester who owns the
proved address, and in them only what was sent to the requester or written by them. Every address gets the same answer
and the same work until a worker sends the mail, so nobody learns which addresses the desk knows.
"""
