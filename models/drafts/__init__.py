"""Drafts of replies and notes, one for each ticket and person.

A draft is kept on the server, so that an agent finds it on another machine. Invariants: only its author reads it; two
windows do not overwrite each other, because each write names the version that it read; a draft leaves with the message
that was made from it, in the same transaction.
"""
