"""The stores of bytes by their URL: a folder or a bucket."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from models.blobs.local import LocalStore
from models.blobs.store import BlobStore
from models.kernel import imports, settings
from models.kernel.errors import ConfigurationError


def open_store(url: str, secret_key: str) -> BlobStore:
    """Return the store of a BLOB_URL; opens no connection. Raises ConfigurationError that says what was expected."""
    if url.startswith("file:"):
        path = url.removeprefix("file:")
        path = path.removeprefix("//") if path.startswith("///") else path
        if not path or path.startswith("//"):
            raise ConfigurationError(f"BLOB_URL: expected file:path, found {url!r}")
        return LocalStore(Path(path))
    if url.startswith("s3://"):
        with imports.late():
            from models.blobs.s3 import S3Store  # 4 MiB; a process that never touches a file never loads it
        return S3Store(url, secret_key)
    raise ConfigurationError("BLOB_URL: expected file:path or s3://bucket/prefix?endpoint=...&region=...")


@lru_cache(maxsize=4)
def _opened(url: str, secret_key: str) -> BlobStore:
    return open_store(url, secret_key)


def current() -> BlobStore:
    """This process's store."""
    config = settings.current()
    return _opened(config.blob_url, config.blob_secret_key)
