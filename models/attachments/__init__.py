"""Attachments: the files of messages, and the links by which people download them.

Without attachments, a file is only a line of text in a message. Its bytes are in a raw event that people cannot open,
or at a provider that deletes them after a while.

Invariants:
* The bytes of a file are in the blob store before the row that names them is committed.
* The state of a file without bytes gives the reason (`pending`, `too_large`, `failed`, `erased`).
* The sender's claims (name, type) never decide how a browser treats the file.
* Bytes are served only through a signed link that expires within minutes. They are served as a download and are never
  displayed inline on the console's own origin.
* An upload belongs to one message at most, and only its uploader can use it.
"""
