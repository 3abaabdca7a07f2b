"""Accounts that have to be asked for their events (IMAP, long polling): which ones, who reads them, and how each event is kept.

`accounts` says which accounts are pulled, `loop` reads them (one process an account, by a lease), `events`
stores what was read.
"""
