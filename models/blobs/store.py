"""The port to where bytes lie.

Keys are made by us (`commands`), from hashes: never from a name that came from outside.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, Protocol

from models.kernel.errors import NotFound, TransientFailure


class BlobMissing(NotFound):
    """The content is not in the blob store."""

    code = "blob_missing"


class BlobStoreAway(TransientFailure):
    """The blob store does not answer; nothing was stored. Try again."""

    code, http_status = "blob_store_away", 503

    def __init__(self, message: str | None = None, *, retry_after_s: float | None = 5.0) -> None:
        super().__init__(message, retry_after_s=retry_after_s)


class BlobStore(Protocol):
    """A store of objects. Every method may be network; none is called in a transaction.

    All raise BlobStoreAway when the store does not answer, ConfigurationError when it refuses us.
    """

    def spool_folder(self) -> Path | None:
        """Return the folder in which bytes wait until their hash is known; None: the machine's own folder for temporary
        files.
        """

    def put(self, key: str, file: Path) -> None:
        """Make the file's bytes the object `key`, whole or not at all. May move the file. The same again changes
        nothing.
        """

    def open(self, key: str) -> BinaryIO:
        """Return the object as a stream that holds little of it at a time. Raises BlobMissing."""

    def exists(self, key: str) -> bool:
        """Return True if the object is there."""

    def delete(self, key: str) -> None:
        """Remove the object; one that is gone already is fine."""

    def tidy(self, *, older_than_s: float) -> int:
        """Remove what broken-off puts left behind, and return how much."""

    def check(self) -> str:
        """Describe for people the store that answers."""
