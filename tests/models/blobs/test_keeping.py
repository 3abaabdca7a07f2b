"""Rows and objects together: the same bytes lie once, nothing refers to what is not there, what nobody wants goes."""

from __future__ import annotations

import hashlib
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from models.attachments import commands as attachments
from models.blobs import commands, store, stores
from models.blobs.commands import Stored
from models.blobs.store import BlobMissing, BlobStoreAway
from models.kernel import limits, settings
from models.kernel.errors import TooLarge
from models.kernel.storage import database
from tests.desk import Desk
from tests.models.blobs.stores import SECRET_KEY

DAY_AND_MORE_S = limits.unused_blobs_kept_s + 60


@pytest.fixture
def kept_at(desk: Desk, blob_url: str, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A desk whose files lie in a folder, then in a bucket."""
    monkeypatch.setenv("BLOB_URL", blob_url)
    monkeypatch.setenv("BLOB_SECRET_KEY", SECRET_KEY if blob_url.startswith("s3:") else "")
    settings.current.cache_clear()
    return desk


def keep(content: bytes) -> Stored:
    return commands.keep([content], bytes_max=limits.MIB * 300)


def key_of(kept: Stored) -> str:
    with database.connection():
        return commands.key_of(kept.sha256)


def read(kept: Stored) -> bytes:
    with commands.open_key(key_of(kept)) as stream:
        return stream.read()


def collect(desk: Desk) -> int:
    return commands.collect(batch_max=100)


def test_what_is_kept_is_read_again_by_its_hash(kept_at: Desk) -> None:
    kept = keep(b"a file")

    assert kept == Stored(hashlib.sha256(b"a file").hexdigest(), 6, "text/plain")
    assert read(kept) == b"a file"


def test_the_same_bytes_are_put_once(kept_at: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    first = keep(b"a file")
    put: list[str] = []
    real = stores.current()
    monkeypatch.setattr(type(real), "put", lambda self, key, file: put.append(key))

    second = keep(b"a file")

    assert second == first
    assert put == []


def test_two_at_once_keep_the_same_bytes(kept_at: Desk) -> None:
    content = os.urandom(200_000)

    kept = kept_at.in_threads(*[lambda: keep(content)] * 6)

    assert len(set(kept)) == 1
    assert read(kept[0]) == content
    assert len(kept_at.rows("SELECT sha256 FROM blobs")) == 1


def test_an_object_that_somebody_deleted_behind_our_back_is_put_again(kept_at: Desk) -> None:
    kept = keep(b"a file")
    stores.current().delete(key_of(kept))

    keep(b"a file")

    assert read(kept) == b"a file"


def test_a_store_that_is_away_leaves_a_row_that_the_next_try_completes(
    kept_at: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(self: object, key: str, file: Path) -> None:
        raise BlobStoreAway()

    with monkeypatch.context() as patched:
        patched.setattr(type(stores.current()), "put", away)
        with pytest.raises(BlobStoreAway):
            keep(b"a file")
    kept = keep(b"a file")

    assert read(kept) == b"a file"


def test_what_nobody_refers_to_goes_after_a_day_and_what_somebody_does_stays(kept_at: Desk) -> None:
    unused, used = keep(b"unused"), keep(b"used")
    attachments.upload([b"used"], filename="used.txt", content_type="text/plain", by="user:1")
    gone_key = key_of(unused)

    early = collect(kept_at)
    kept_at.advance(seconds=DAY_AND_MORE_S)
    late = collect(kept_at)

    assert (early, late) == (0, 1)
    assert not stores.current().exists(gone_key)
    assert read(used) == b"used"
    assert kept_at.rows("SELECT object_key FROM blob_removals") == []


def test_keeping_again_gives_another_day(kept_at: Desk) -> None:
    kept = keep(b"a file")
    kept_at.advance(seconds=DAY_AND_MORE_S)
    keep(b"a file")

    assert collect(kept_at) == 0
    assert read(kept) == b"a file"


def test_a_collection_that_is_late_does_not_take_what_was_kept_meanwhile(
    kept_at: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the removal of the row and the removal of the object, somebody stores the same bytes."""
    kept = keep(b"a file")
    kept_at.advance(seconds=DAY_AND_MORE_S)
    real = stores.current()
    delete = type(real).delete

    def late(self: store.BlobStore, key: str) -> None:
        keep(b"a file")
        delete(self, key)

    monkeypatch.setattr(type(real), "delete", late)
    collected = collect(kept_at)

    assert collected == 1
    assert read(kept) == b"a file"


def test_keeping_and_collecting_at_once_never_lose_bytes(kept_at: Desk) -> None:
    content = b"a file that comes and goes"
    keep(content)

    for _ in range(4):
        kept_at.advance(seconds=DAY_AND_MORE_S)
        results = kept_at.in_threads(
            lambda: keep(content), lambda: collect(kept_at), lambda: keep(content), lambda: collect(kept_at)
        )
        assert read(results[0]) == content


def test_a_collection_that_was_killed_before_the_object_went_is_finished_by_the_next(
    kept_at: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = keep(b"a file")
    key = key_of(kept)
    kept_at.advance(seconds=DAY_AND_MORE_S)
    with monkeypatch.context() as patched:
        patched.setattr(commands, "_remove_condemned", _killed)
        with pytest.raises(KeyboardInterrupt):
            collect(kept_at)
    assert stores.current().exists(key)

    collect(kept_at)

    assert not stores.current().exists(key)
    with pytest.raises(BlobMissing):
        read(kept)


def _killed(batch_max: int) -> None:
    raise KeyboardInterrupt


def test_a_blob_is_never_touched_in_a_transaction(desk: Desk) -> None:
    with pytest.raises(AssertionError, match="network"), database.transaction():
        keep(b"a file")


def test_too_large_is_refused_and_nothing_is_kept(kept_at: Desk) -> None:
    with pytest.raises(TooLarge):
        commands.keep([b"x" * 50, b"x" * 51], bytes_max=100)

    assert kept_at.rows("SELECT sha256 FROM blobs") == []


def _pieces(total: int) -> Iterator[bytes]:
    piece = os.urandom(limits.blob_piece_bytes)
    for _ in range(total // len(piece)):
        yield piece


@pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)
def test_two_hundred_megabytes_cost_little_memory(kept_at: Desk) -> None:
    """On the way in and on the way out; what the process holds at its most, not what Python counts."""
    process, size = psutil.Process(), 200 * limits.MIB
    keep(os.urandom(limits.MIB))  # what is loaded once
    before, most = process.memory_info().rss, 0

    def watched(parts: Iterator[bytes]) -> Iterator[bytes]:
        nonlocal most
        for part in parts:
            most = max(most, process.memory_info().rss)
            yield part

    kept = commands.keep(watched(_pieces(size)), bytes_max=size)
    most = max(most, process.memory_info().rss)
    with commands.open_key(key_of(kept)) as stream:
        stream.seek(size - 20 * limits.MIB)  # moto's server copies the whole object for each range
        read_bytes = sum(len(piece) for piece in watched(commands.pieces(stream)))

    assert (kept.size_bytes, read_bytes) == (size, 20 * limits.MIB)
    assert most - before < 40 * limits.MIB, f"{(most - before) / limits.MIB:.0f} MiB more"


_KILLED = """
import os, sys
from models.blobs import spool
from models.blobs.local import LocalStore
from pathlib import Path

def parts():
    for number in range(100):
        print(number, flush=True)
        yield os.urandom(100_000)
        if number == 20:
            sys.stdin.read(1)

store = LocalStore(Path(sys.argv[1]))
with spool.spooled(parts(), bytes_max=10**9, folder=store.spool_folder()) as file:
    store.put("ab/cd/whole-1", file.path)
"""


def test_a_process_that_is_killed_while_it_writes_leaves_no_half_object(tmp_path: Path) -> None:
    root = tmp_path / "blobs"
    writer = subprocess.Popen(
        [sys.executable, "-c", _KILLED, str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    assert writer.stdin is not None
    for line in writer.stdout:
        if line.strip() == "20":
            break
    _until(lambda: sum(path.stat().st_size for path in root.rglob("*") if path.is_file()) >= 2_100_000)
    writer.send_signal(signal.SIGKILL)
    writer.wait(10)
    writer.stdout.close()
    writer.stdin.close()

    objects = [path for path in root.rglob("*") if path.is_file() and path.parent.name != "incoming"]
    assert objects == []
    assert stores.open_store(f"file:{root}", "").tidy(older_than_s=-60) == 1


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_stream_is_taken_in_pieces() -> None:
    sizes = [len(piece) for piece in commands.pieces(io.BytesIO(b"x" * 150_000))]

    assert sizes == [limits.blob_piece_bytes, limits.blob_piece_bytes, 150_000 - 2 * limits.blob_piece_bytes]
