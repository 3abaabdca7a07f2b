"""The inbox: provider events, stored raw and unique, so that a repeat has no effect and no event is lost.

A webhook stores and answers; parsing, threading and the life cycle follow in the `ingest_event` actor and can be
replayed from the raw bytes. Status: stored, processed, ignored (with reason), failed (with reason; kept until a person
decides).
"""
