"""The actions of people and programs on tickets: open, reply, note, change, assign, move, vote, rate, link, search.

`commands` has the actions of agents and API callers, `arrivals` those of messages that come in. Each joins
the caller's transaction, holds the ticket through `TicketChange`, and lets the workflow react before it ends.
"""
