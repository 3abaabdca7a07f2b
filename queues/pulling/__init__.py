"""Pulling: the accounts whose provider does not call us (IMAP, long polling).

`accounts` lists the pulled accounts, `loop` reads them (one process for each account, by a lease), and `events` stores
their events.
"""
