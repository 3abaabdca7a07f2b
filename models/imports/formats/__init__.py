"""The formats of imports. Each turns files into items in the order: organisations, users, requesters, tickets, links.

A format is pure apart from reading its files. A new one is a module with `read` and an entry in `FORMATS`.
"""
