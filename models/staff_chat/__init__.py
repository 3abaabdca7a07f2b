"""The staff group of a channel account: agents who work from a chat, in step with the console.

`ticket_posts` posts the events of a ticket that concern people in the ticket's topic, in order and once.
`chat_commands` turns the messages of a linked agent in a topic into replies, notes and commands. An agent is known by
an address that they linked (`models/staff/addresses.py`). Invariant: a message of anybody else in the group changes
nothing.
"""
