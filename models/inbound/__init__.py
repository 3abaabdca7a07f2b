"""Recording of inbound events: an event becomes a message, a receipt, a reaction or a command, or nothing with a
reason.

`recording` has a recorder for each type of the port, which runs in one transaction with the end of the task.
`checks` end the event of a message that reaches no ticket. `quarantine` stops forged, unproved, spam and too frequent
messages, and `held_back` gives managers a notice about a customer's one. `chat_commands` runs the commands that
requesters type. Invariant: an event has one effect, however often it arrives or is replayed.
"""
