"""Presence: which users look at a ticket or write in it now.

Consoles repeat it while a ticket is open, and it ends by itself soon after the last repeat. It is no part of a ticket's
history: it has a table of its own, which PostgreSQL does not write to its log (UNLOGGED), and no events. Invariants: a
user has one presence in a ticket, and in a few tickets at most; presence in a hidden ticket is shown to nobody who may
not see the ticket.
"""
