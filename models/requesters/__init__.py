"""Requesters: the people who ask, and their identities (addresses) on the channels.

Invariant: an address of a channel belongs to one requester (`identities` is unique by channel and address).
"""
