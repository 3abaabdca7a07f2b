"""Merge two tickets into one, and split a ticket into two: messages that move between tickets.

One matter often arrives as two tickets, and one ticket often holds two matters. Without this area, agents answer twice,
or answer a question where nobody looks for it.

Invariants: every message is in exactly one ticket and keeps its id, deliveries, files and provider ids; the messages of
a ticket are numbered from 1 without gaps in their time order; events stay in the log of the ticket in which they
happened, and both logs record the move. An act is one transaction. It locks tickets in the order of their ids, and a
merged ticket before its target.
"""
