"""Keep bytes, read them, and take away what nothing refers to.

The order of these steps is what makes a race harmless: a row with a key of its own is there before its object, and the
object of a removed row is removed under that key only. Whoever stores the same bytes after the removal makes another
row with another key.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import BinaryIO

from models.blobs import stores
from models.blobs.spool import pieces, spooled
from models.blobs.store import BlobMissing, BlobStoreAway
from models.kernel import clock, limits
from models.kernel.ids import new_id
from models.kernel.storage import database

__all__ = ["Stored", "collect", "keep", "key_of", "open_key", "pieces"]


@dataclass(frozen=True, slots=True)
class Stored:
    """Bytes that are kept. `content_type` is what they are by their first bytes."""

    sha256: str
    size_bytes: int
    content_type: str


def keep(parts: Iterable[bytes], *, bytes_max: int) -> Stored:
    """Store bytes unless they are there; outside of any transaction. They stay for a day even if nothing refers to
    them.

    Holds a piece at a time in memory. Raises TooLarge, BlobStoreAway, Unavailable; then nothing refers to what may be
    half done.
    """
    assert not database.in_transaction(), "no transaction is held across the network"
    blobs = stores.current()
    with spooled(parts, bytes_max=bytes_max, folder=blobs.spool_folder()) as file:
        with database.transaction():
            row = database.run(
                "INSERT INTO blobs (sha256, object_key, size_bytes, content_type, created_at, touched_at)"
                " VALUES (:sha256, :key, :size, :type, :now, :now)"
                " ON CONFLICT (sha256) DO UPDATE SET touched_at = excluded.touched_at RETURNING object_key, stored_at",
                sha256=file.sha256,
                key=_new_key(file.sha256),
                size=file.size_bytes,
                type=file.content_type,
                now=clock.now(),
            )[0]
        key = row["object_key"]
        if row["stored_at"] is None or not blobs.exists(key):
            blobs.put(key, file.path)
            _confirm(file.sha256, key)
        return Stored(file.sha256, file.size_bytes, file.content_type)


def _new_key(sha256: str) -> str:
    """Two levels of folders, the hash, and what makes it another object than a removed one of the same bytes."""
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}-{new_id().hex[-12:]}"


def _confirm(sha256: str, key: str) -> None:
    with database.transaction():
        noted = database.execute(
            "UPDATE blobs SET stored_at = :now WHERE sha256 = :sha256 AND object_key = :key",
            now=clock.now(),
            sha256=sha256,
            key=key,
        )
    if noted.rowcount == 0:
        raise BlobStoreAway("the file's row was collected while it was uploaded; try again")


def key_of(sha256: str) -> str:
    """Return the key of a blob's object. Raises BlobMissing."""
    row = database.one("SELECT object_key FROM blobs WHERE sha256 = :sha256", sha256=sha256)
    if row is None:
        raise BlobMissing()
    return str(row["object_key"])


def open_key(key: str) -> BinaryIO:
    """Return a blob's bytes as a stream. Network: not in a transaction. Raises BlobMissing, BlobStoreAway."""
    return stores.current().open(key)


def collect(*, batch_max: int) -> int:
    """Remove blobs that nothing refers to and that nobody stored for a day; returns how many, at most `batch_max`.

    A row leaves in one transaction with the note that its object must go; the note is crossed out when the object is
    gone, so that a crash in between costs nothing but time.
    """
    before = clock.now() - timedelta(seconds=limits.unused_blobs_kept_s)
    with database.transaction():
        found = database.run(
            "SELECT sha256 FROM blobs AS b WHERE touched_at < :before AND NOT EXISTS"
            " (SELECT 1 FROM attachments AS a WHERE a.sha256 = b.sha256) ORDER BY touched_at LIMIT :batch"
            " FOR_UPDATE SKIP_LOCKED",
            before=before,
            batch=batch_max,
        )
        names, values = database.in_list("sha", [row["sha256"] for row in found])
        # Looked at again under the lock: an attachment may have come between the look and the lock.
        removed = database.run(
            f"DELETE FROM blobs WHERE sha256 IN {names} AND NOT EXISTS"
            " (SELECT 1 FROM attachments AS a WHERE a.sha256 = blobs.sha256) RETURNING object_key",
            values,
        )
        for row in removed:
            database.execute(
                "INSERT INTO blob_removals (object_key, condemned_at) VALUES (:key, :now) ON CONFLICT DO NOTHING",
                key=row["object_key"],
                now=clock.now(),
            )
    _remove_condemned(batch_max)
    stores.current().tidy(older_than_s=limits.unused_blobs_kept_s)
    return len(removed)


def _remove_condemned(batch_max: int) -> None:
    with database.connection():
        rows = database.run("SELECT object_key FROM blob_removals ORDER BY condemned_at LIMIT :batch", batch=batch_max)
    for row in rows:
        stores.current().delete(row["object_key"])
        with database.transaction():
            database.execute("DELETE FROM blob_removals WHERE object_key = :key", key=row["object_key"])
