"""Attachments: files of messages, and the links by which people get them.

Without this, a file would be a line of text in a message: its bytes in a raw event that nobody can open, or at a
provider that forgets them.

Invariants: a file's bytes are in the blob store before the row that names them is committed; what has no bytes says why
(`pending`, `too_large`, `failed`, `erased`); nothing that a sender claims (name, type) decides how a browser treats the
file; bytes are served only through a signed link that dies within minutes, as a download, and never shown in place on
the console's own origin; an upload belongs to one message at most, and to who uploaded it.
"""
