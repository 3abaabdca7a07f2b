"""The staff group of a channel account: agents who work from a chat, in step with the console.

`ticket_posts` tells every event of a ticket that people care about in the ticket's topic, in order, once.
`chat_commands` makes what a linked agent writes in a topic a reply, a note or a command of theirs. An agent
is known by an address that they linked (`models/staff/addresses.py`). Invariant: a message of anybody else in
the group changes nothing.
"""
