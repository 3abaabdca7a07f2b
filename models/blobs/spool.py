"""Bytes on their way: written to a temporary file and hashed piece by piece, because only the last piece tells their
name.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from models.blobs import sniff
from models.blobs.store import BlobStoreAway
from models.kernel import limits
from models.kernel.errors import TooLarge

PREFIX = "incoming-"


@dataclass(frozen=True, slots=True)
class Spooled:
    """A whole file; where it is going to stay, it is on the disk for sure (fsync). `content_type` is what its bytes
    say.
    """

    path: Path
    sha256: str
    size_bytes: int
    content_type: str


def pieces(stream: BinaryIO) -> Iterator[bytes]:
    """Yield a stream in pieces of bounded size."""
    while piece := stream.read(limits.blob_piece_bytes):
        yield piece


@contextmanager
def spooled(parts: Iterable[bytes], *, bytes_max: int, folder: Path | None) -> Iterator[Spooled]:
    """Write the parts to a file that is gone after the block, unless it was moved.

    Raises TooLarge after `bytes_max` bytes, without reading on; BlobStoreAway when the disk is full.
    """
    digest, size_bytes, head = hashlib.sha256(), 0, b""
    path: Path | None = None
    try:
        try:
            descriptor, name = tempfile.mkstemp(prefix=PREFIX, dir=folder)
            path = Path(name)
        except OSError as error:
            raise BlobStoreAway(f"no place for a file on its way: {error.strerror}") from error
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            for part in parts:
                size_bytes += len(part)
                if size_bytes > bytes_max:
                    raise TooLarge(f"the file has more than {bytes_max} bytes")
                digest.update(part)
                if len(head) < sniff.head_bytes:
                    head += part[: sniff.head_bytes - len(head)]
                _write(file, part)
            if folder is not None:  # it is going to stay there; what is uploaded need not outlive a power cut here
                os.fsync(file.fileno())
        yield Spooled(path, digest.hexdigest(), size_bytes, sniff.content_type(head))
    finally:
        if path is not None:
            path.unlink(missing_ok=True)


def _write(file: BinaryIO, part: bytes) -> None:
    """Write all of it. What goes wrong here is the disk, never the sender."""
    view = memoryview(part)
    try:
        while view:
            view = view[file.write(view) :]
    except OSError as error:
        raise BlobStoreAway(f"the file could not be written: {error.strerror}") from error
