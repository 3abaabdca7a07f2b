"""Conversations: the ordered messages of a ticket across channels, and by which ids a reply finds them.

Invariants: a raw event makes at most one message (`messages.inbox_id` is unique); messages of a ticket are numbered
without gaps; a message of a stranger never joins another requester's ticket (see `threading`).
"""
