"""The feed of changes: which tickets changed after a position, for consoles and integrations that poll.

The feed reads the event log by its settled numbers (models/events/following), so a poller never misses a change that
commits late. It shows a ticket only to those who may see it now, and no content of an event: who wants the content
reads the ticket. Invariant: a position is a number of the log and nothing else, so a poll without changes is one read.
"""
