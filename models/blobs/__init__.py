"""Blobs: bytes by their SHA-256, in a local folder or in an S3 bucket (BLOB_URL).

Without this, attachments would lie in the database, once for each message that carries them, and be held whole in
memory.

Invariants: bytes are named by their own hash, so equal bytes lie once and no name from outside becomes a path; an
object appears whole or not at all; an object is referred to by a row of `blobs`, and a row that was removed never comes
back with its object's old key, so that a collection that is late cannot take what somebody has just stored again. What
a blob is, its first bytes say; what a sender claims is kept elsewhere.
"""
