"""The modules that every part of the desk shares: clock, ids, errors, limits, settings, database, logs.

Imports nothing else of ours, so that importing it can never start a cycle or cost a cold start.
"""
