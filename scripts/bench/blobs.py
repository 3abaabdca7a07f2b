"""`python -m scripts.bench.blobs`: how fast files go into the blob stores and out, and what that costs in memory.

The bucket is moto's server in a process of its own: its speed is the test's, not S3's; the memory is ours.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator

import psutil

from models.blobs import spool, stores
from models.blobs.store import BlobStore
from models.kernel import limits
from tests.models.blobs.stores import SECRET_KEY, s3_server

_SIZES = ((10_000, 200), (limits.MIB, 50), (25 * limits.MIB, 4), (200 * limits.MIB, 1))  # bytes, how many


def _resident() -> int:
    return int(psutil.Process().memory_info().rss)


class Measured:
    """Files of one size, put and read; `most` is the largest resident size seen meanwhile."""

    def __init__(self, blobs: BlobStore, size: int) -> None:
        self._blobs, self._size = blobs, size
        self._piece = os.urandom(limits.blob_piece_bytes)
        self.before = self.most = _resident()

    def put(self, number: int) -> None:
        with spool.spooled(self._parts(number), bytes_max=self._size, folder=self._blobs.spool_folder()) as file:
            self._blobs.put(self._key(number), file.path)
        self.most = max(self.most, _resident())

    def read(self, number: int) -> None:
        with self._blobs.open(self._key(number)) as stream:
            for _ in spool.pieces(stream):
                self.most = max(self.most, _resident())

    def _parts(self, number: int) -> Iterator[bytes]:
        yield number.to_bytes(8, "big")
        left = self._size - 8
        while left > 0:
            yield self._piece[:left]
            left -= len(self._piece)
            self.most = max(self.most, _resident())

    def _key(self, number: int) -> str:
        return f"be/ef/{self._size}-{number}"


def _measure(name: str, blobs: BlobStore) -> None:
    for size, count in _SIZES:
        if name == "s3" and size > 25 * limits.MIB:
            continue  # moto copies the whole object for each range that is read
        one = Measured(blobs, size)
        started = time.perf_counter()
        for number in range(count):
            one.put(number)
        put_s = (time.perf_counter() - started) / count
        started = time.perf_counter()
        for number in range(count):
            one.read(number)
        read_s = (time.perf_counter() - started) / count
        print(
            f"{name:5} {size / limits.MIB:7.2f} MiB: put {put_s * 1000:7.1f} ms, read {read_s * 1000:7.1f} ms,"
            f" memory +{(one.most - one.before) / limits.MIB:.0f} MiB"
        )


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="nestor-bench-") as folder:
        _measure("file", stores.open_store(f"file:{folder}/blobs", ""))
    with s3_server() as server:
        server.make_bucket()
        _measure("s3", stores.open_store(server.url(), SECRET_KEY))


if __name__ == "__main__":
    main()
