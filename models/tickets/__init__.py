"""Tickets: requests tracked from opening to closing.

Every change of a ticket goes through `ticket_change.TicketChange`, which holds the ticket's row and writes the change,
its events and its tasks in one transaction. Invariants: a ticket has one state of its workflow version, at most one
assignee; its version grows by one with each change that people can see; its events are numbered without gaps.
"""
