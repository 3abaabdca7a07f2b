"""Staff: the addresses of agents who work from a chat.

An agent is known by an address that they linked themselves, by a token that they got while signed in. `staff_chat` tells them
what happens and hears what they write.
"""
