"""The port to where bytes lie, and the process's store by its URL.

Keys are made by us (`commands`), from hashes: never from a name that came from outside.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, Protocol

from models.kernel import settings
from models.kernel.errors import ConfigurationError, NotFound, TransientFailure


class BlobMissing(NotFound):
    """The bytes are not in the blob store."""

    code = "blob_missing"


class BlobStoreAway(TransientFailure):
    """The blob store does not answer; nothing was stored. Try again."""

    code, http_status = "blob_store_away", 503

    def __init__(self, message: str | None = None, *, retry_after_s: float | None = 5.0) -> None:
        super().__init__(message, retry_after_s=retry_after_s)


class BlobStore(Protocol):
    """Where objects lie. Every method may be network; none is called in a transaction.

    All raise BlobStoreAway when the store does not answer, ConfigurationError when it refuses us.
    """

    def spool_folder(self) -> Path | None:
        """Where bytes wait until their hash is known; None: the machine's own folder for temporary files."""

    def put(self, key: str, file: Path) -> None:
        """Make the file's bytes the object `key`, whole or not at all. May move the file. The same again changes nothing."""

    def open(self, key: str) -> BinaryIO:
        """The object as a stream that holds little of it at a time. Raises BlobMissing."""

    def exists(self, key: str) -> bool:
        """Whether the object is there."""

    def delete(self, key: str) -> None:
        """Remove the object; one that is gone already is fine."""

    def tidy(self, *, older_than_s: float) -> int:
        """Remove what broken-off puts left behind, and return how much."""

    def check(self) -> str:
        """For people: what answers there."""


def open_store(url: str, secret_key: str) -> BlobStore:
    """The store of a BLOB_URL; opens no connection. Raises ConfigurationError that says what was expected."""
    if url.startswith("file:"):
        from models.blobs.local import LocalStore

        path = url.removeprefix("file:")
        path = path.removeprefix("//") if path.startswith("///") else path
        if not path or path.startswith("//"):
            raise ConfigurationError(f"BLOB_URL: expected file:path, found {url!r}")
        return LocalStore(Path(path))
    if url.startswith("s3://"):
        from models.blobs.s3 import S3Store  # a function that never touches a file never loads it

        return S3Store(url, secret_key)
    raise ConfigurationError("BLOB_URL: expected file:path or s3://bucket/prefix?endpoint=...&region=...")


@lru_cache(maxsize=4)
def _opened(url: str, secret_key: str) -> BlobStore:
    return open_store(url, secret_key)


def current() -> BlobStore:
    """This process's store."""
    config = settings.current()
    return _opened(config.blob_url, config.blob_secret_key)
