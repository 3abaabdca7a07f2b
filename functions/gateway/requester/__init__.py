"""Requesters: addresses, merges, export and erasure."""
