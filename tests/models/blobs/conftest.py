"""The stores as fixtures: one server a session, an empty bucket or folder a test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from models.blobs.store import BlobStore
from models.blobs.stores import open_store
from tests.models.blobs.stores import SECRET_KEY, S3Server, s3_server


@pytest.fixture(scope="session")
def running_s3() -> Iterator[S3Server]:
    with s3_server() as server:
        yield server


@pytest.fixture
def s3(running_s3: S3Server) -> S3Server:
    """The server with one empty bucket."""
    running_s3.reset()
    running_s3.make_bucket()
    return running_s3


@pytest.fixture(params=["file", "s3"])
def blob_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where bytes lie: a folder, then a bucket."""
    if request.param == "file":
        return f"file:{tmp_path / 'blobs'}"
    server: S3Server = request.getfixturevalue("s3")
    return server.url()


@pytest.fixture
def store(blob_url: str) -> BlobStore:
    return open_store(blob_url, SECRET_KEY if blob_url.startswith("s3:") else "")
