"""Blobs in an S3 bucket (or anything that speaks its protocol), through obstore.

`s3://bucket/prefix?endpoint=https://...&region=...&access_key_id=...&path_style=true`, the secret key in
BLOB_SECRET_KEY. Without an access key the machine's own identity is used (a role of the pod). A bucket should have a
rule that ends unfinished multipart uploads after a day: what a killed process left is not seen in a listing.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import SplitResult, parse_qsl, urlsplit

import obstore
from obstore.exceptions import BaseError, NotFoundError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store as Bucket

from models.blobs.store import BlobMissing, BlobStoreAway
from models.kernel import limits
from models.kernel.errors import ConfigurationError

_PARAMETERS = frozenset({"endpoint", "region", "access_key_id", "path_style"})


def _parameters(parts: SplitResult, secret_key: str) -> dict[str, str]:
    """Return the parameters of a BLOB_URL. Raises ConfigurationError."""
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = sorted(set(given) - _PARAMETERS)
    if unknown or not parts.hostname or parts.username or parts.port:
        raise ConfigurationError(
            "BLOB_URL: expected s3://bucket/prefix with the parameters endpoint, region, access_key_id, path_style;"
            f" found {', '.join(unknown) or 'no bucket, or more than a bucket before the path'}"
        )
    if ("access_key_id" in given) != bool(secret_key):
        raise ConfigurationError("BLOB_URL: access_key_id and BLOB_SECRET_KEY are given together, or neither")
    if given.get("path_style", "true") not in ("true", "false"):
        raise ConfigurationError("BLOB_URL: path_style: expected true or false")
    return given


class S3Store:
    """A bucket, or a folder of one. Opens no connection before it is used."""

    def __init__(self, url: str, secret_key: str) -> None:
        parts = urlsplit(url)
        given = _parameters(parts, secret_key)
        endpoint = given.get("endpoint")
        path_style = given.get("path_style", "true" if endpoint else "false")
        self._prefix = parts.path.strip("/")
        self._name = parts.netloc
        options: dict[str, Any] = {"region": given.get("region", "us-east-1")}
        if endpoint:
            options["endpoint"] = endpoint
        if secret_key:
            options |= {"access_key_id": given["access_key_id"], "secret_access_key": secret_key}
        options["virtual_hosted_style_request"] = path_style == "false"
        self._options, self._plain_http = options, bool(endpoint and endpoint.startswith("http://"))
        self._bucket = self._client(limits.blob_timeout_s, limits.blob_retries_max)

    def _client(self, timeout_s: float, retries_max: int) -> Bucket:
        return Bucket(
            self._name,
            **self._options,
            client_options={
                "allow_http": self._plain_http,
                "connect_timeout": timedelta(seconds=min(timeout_s, limits.blob_connect_timeout_s)),
                "timeout": timedelta(seconds=timeout_s),
                "pool_idle_timeout": timedelta(seconds=limits.blob_idle_s),
            },
            retry_config={
                "max_retries": retries_max,
                "retry_timeout": timedelta(seconds=limits.blob_retry_s),
            },
        )

    def spool_folder(self) -> None:
        return None

    def put(self, key: str, file: Path) -> None:
        """Upload, in parts when it is large; the object appears with the last of them."""
        with _translating(missing=ConfigurationError("BLOB_URL: the bucket is not there")):
            obstore.put(
                self._bucket,
                self._path(key),
                file,
                chunk_size=limits.blob_part_bytes,
                max_concurrency=limits.blob_parts_at_once,
            )

    def open(self, key: str) -> BinaryIO:
        with _translating(missing=BlobMissing()):
            size_bytes = obstore.head(self._bucket, self._path(key))["size"]
        raw = _Object(self._bucket, self._path(key), size_bytes)
        return io.BufferedReader(raw, buffer_size=limits.blob_read_bytes)

    def exists(self, key: str) -> bool:
        try:
            with _translating(missing=BlobMissing()):
                obstore.head(self._bucket, self._path(key))
        except BlobMissing:
            return False
        return True

    def delete(self, key: str) -> None:
        try:
            with _translating(missing=BlobMissing()):
                obstore.delete(self._bucket, self._path(key))
        except BlobMissing:
            return

    def tidy(self, *, older_than_s: float) -> int:
        """Do nothing: unfinished uploads are the bucket's own to end (module docstring)."""
        return 0

    def check(self) -> str:
        """Ask for an object that never exists, with a short timeout, because people wait for the answer."""
        with contextlib.suppress(BlobMissing), _translating(missing=BlobMissing()):
            obstore.head(self._client(limits.blob_check_timeout_s, 0), self._path("is-it-there"))
        return "S3 answers"

    def _path(self, key: str) -> str:
        return f"{self._prefix}/{key}" if self._prefix else key


class _Object(io.RawIOBase):
    """An object read range by range: a reader that is slow holds no request open, one that stops costs nothing more."""

    def __init__(self, bucket: Bucket, path: str, size_bytes: int) -> None:
        super().__init__()
        self._bucket, self._path, self._size_bytes, self._at = bucket, path, size_bytes, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size_bytes}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: Any, /) -> int:
        length = min(len(buffer), self._size_bytes - self._at)
        if length <= 0:
            return 0
        with _translating(missing=BlobMissing()):
            found = obstore.get_range(self._bucket, self._path, start=self._at, length=length)
        memoryview(buffer)[: len(found)] = memoryview(found)
        self._at += len(found)
        return len(found)


@contextmanager
def _translating(*, missing: BlobMissing | ConfigurationError) -> Iterator[None]:
    """obstore's errors as ours. Its texts name addresses and keys, so they stay in the cause."""
    try:
        yield
    except (NotFoundError, FileNotFoundError) as error:
        raise missing from error
    except (PermissionDeniedError, UnauthenticatedError) as error:
        raise ConfigurationError("BLOB_URL: the bucket refuses our credentials") from error
    except (BaseError, OSError) as error:
        raise BlobStoreAway() from error
