"""Notices to users: the list of each user, and their further ways by mail and chat.

A notice is a row and a `plan_notice` task of one transaction. `recipients` decides which users an event of a ticket
concerns. `planning` applies the user's settings: it writes a row of `notice_deliveries` for each way and says when it
is due. `composing` makes the text in the moment of sending, and only of tickets that the user sees then. Invariants:
one notice for a user and an event, one delivery for a notice and a way, nothing for an inactive user.
"""
