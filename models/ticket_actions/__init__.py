"""The actions of people and programs on tickets: open, reply, note, change, assign, take a transition, vote,
link.

`commands` has the actions of agents and API callers, `arrivals` those of inbound messages. Each joins the caller's
transaction, holds the ticket through `TicketChange`, and lets the workflow react before it ends.
(`ticket_workflow/ratings.py` stores ratings.)
"""
