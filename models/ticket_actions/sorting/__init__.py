"""Actions that sort tickets out: snooze, tags, the bin, the time spent.

Invariants: each action is an event of the ticket; a repetition changes nothing; none of them loses a message.
"""
