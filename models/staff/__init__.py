"""Staff: the addresses of agents who work from a chat.

An agent is known by an address that they linked with a token, which they got while signed in. `staff_chat` posts events
to them and reads their messages.
"""
