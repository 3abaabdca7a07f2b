"""The hand-shake between users and the ledger as a whole: run it at once, and repair it when it is stuck.

`identity` and `ledger` exchange tasks and know nothing of each other. Commands and the sweep, which cannot wait for a
worker, run both sides here.
"""
