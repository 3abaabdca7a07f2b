"""The modules that every part of the desk shares: clock, ids, errors, limits, settings, database, logs.

The kernel imports no other package of the desk. Its import can neither close a cycle nor slow a cold start.
"""
