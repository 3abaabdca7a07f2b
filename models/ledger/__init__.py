"""The accounts of the ledger. Each user who works at the desk has one.

An account is opened once for its owner, however often and in whatever order the requests arrive (`accounts.open_for`).
"""
