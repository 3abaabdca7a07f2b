"""Read marks: which tickets have a customer's message that a user has not read.

A mark holds the time of the last message that the user read; what came later from the requester is unread. So a new
message writes nothing for the users of the desk, however many there are. Invariants: only messages of people on the
customer's side make a ticket unread, and only recent ones; a user may mark a ticket unread, until the next reading;
marks of one user never change those of another. Marks are no part of the history: they have no events.
"""
