"""Agents who work from a chat: a staff group in which each ticket has a topic, in step with the console (DESIGN, "or from Telegram").

Out: every event of a ticket that people care about is told in its topic, in order, once (`telling`). In: what a linked agent writes in a
topic is a reply, a note or a command of theirs (`hearing`). An agent is known by an address that they linked themselves (`addresses`);
what others say in the group changes nothing.
"""
