"""Tables of blobs."""

from __future__ import annotations

import peewee

from models.kernel.storage.table import InstantField, Table


class Blob(Table):
    """Bytes that are kept. `stored_at` is null until they are in the store."""

    sha256 = peewee.TextField(primary_key=True)
    object_key = peewee.TextField()
    size_bytes = peewee.BigIntegerField()
    content_type = peewee.TextField()
    created_at = InstantField()
    touched_at = InstantField()
    stored_at = InstantField(null=True)
    # The malware scanner's verdict: null (not scanned), pending, clean, infected, too_large or failed.
    scan_state = peewee.TextField(null=True)
    scan_detail = peewee.TextField(null=True)
    scanned_at = InstantField(null=True)

    class Meta:
        table_name = "blobs"


class BlobRemoval(Table):
    """An object without a row, until it is gone from the store."""

    object_key = peewee.TextField(primary_key=True)
    condemned_at = InstantField()

    class Meta:
        table_name = "blob_removals"
