"""The things that a person holds at the desk, their hand-over, and their end when the person leaves.

A person who leaves must keep no way in and no copy of what happens: sessions, API keys, chat addresses, links and
outgoing webhooks. This area is above those that own them.
"""
