"""The numbers of the desk: response and resolution times, volume, backlog, promises, ratings and work by agent.

A consumer of the event log (`following.py`) keeps one row of facts for each ticket, one for each of its promises and
states, and sums by day. A number is read from these tables and never by a scan of tickets and messages. Invariants: the
facts of a ticket depend on nothing but the ticket, its events, promises and ratings (`facts.py` is pure), so a repeat
changes nothing and a new computation of everything gives the same rows; a daily sum is the sum of its tickets' `sums`.
"""
