"""What every blob store must keep to: a folder and a bucket by the same tests."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from models.blobs.spool import PREFIX, Spooled, spooled
from models.blobs.store import BlobMissing, BlobStore, BlobStoreAway
from models.blobs.stores import open_store
from models.kernel import limits
from models.kernel.errors import ConfigurationError, TooLarge, is_final
from tests.models.blobs.stores import SECRET_KEY, S3Server

KEY = "ab/cd/abcdef-1"


def put(store: BlobStore, content: bytes, key: str = KEY) -> Spooled:
    with spooled([content], bytes_max=limits.MIB * 100, folder=store.spool_folder()) as file:
        store.put(key, file.path)
        return file


def read(store: BlobStore, key: str = KEY) -> bytes:
    with store.open(key) as stream:
        return stream.read()


def test_what_was_put_is_read_again(store: BlobStore) -> None:
    put(store, b"a file")

    assert read(store) == b"a file"
    assert store.exists(KEY)


def test_an_empty_object_is_an_object(store: BlobStore) -> None:
    put(store, b"")

    assert read(store) == b""


def test_an_object_of_several_parts_comes_back_whole(store: BlobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "blob_part_bytes", 5 * limits.MIB)
    content = os.urandom(12 * limits.MIB + 17)

    put(store, content)

    assert read(store) == content


def test_a_stream_gives_what_is_asked_for_and_can_begin_in_the_middle(store: BlobStore) -> None:
    put(store, b"0123456789" * 100_000)

    with store.open(KEY) as stream:
        first = stream.read(4)
        stream.seek(999_995)
        last = stream.read()

    assert (first, last) == (b"0123", b"56789")


def test_the_same_again_changes_nothing(store: BlobStore) -> None:
    put(store, b"a file")
    put(store, b"a file")

    assert read(store) == b"a file"


def test_what_is_not_there_is_missing(store: BlobStore) -> None:
    put(store, b"a file", key="ab/cd/another-1")

    assert not store.exists(KEY)
    with pytest.raises(BlobMissing):
        read(store)


def test_what_was_deleted_is_gone_and_may_be_deleted_again(store: BlobStore) -> None:
    put(store, b"a file")

    store.delete(KEY)
    store.delete(KEY)

    assert not store.exists(KEY)


def test_a_reader_is_not_disturbed_by_a_deletion_but_never_reads_something_else(store: BlobStore) -> None:
    put(store, b"x" * 3 * limits.MIB)

    with store.open(KEY) as stream:
        begun = stream.read(10)
        store.delete(KEY)
        try:
            rest = stream.read()
        except BlobMissing:
            rest = b""  # a bucket has no open files: it says so, and does not end early

    assert begun == b"x" * 10
    assert len(rest) in (0, 3 * limits.MIB - 10)


def test_a_store_that_answers_says_so(store: BlobStore) -> None:
    assert store.check()


def test_what_was_written_by_halves_is_no_object_and_is_tidied(store: BlobStore, tmp_path: Path) -> None:
    """A process that is killed while it writes: nothing of it is seen, and the rest goes after a day."""
    folder = store.spool_folder() or tmp_path
    half = folder / f"{PREFIX}half"
    half.write_bytes(b"half a fi")
    os.utime(half, (1, 1))
    put(store, b"a file")

    tidied = store.tidy(older_than_s=3600)

    assert not store.exists("half")
    assert tidied == (1 if store.spool_folder() else 0)
    assert read(store) == b"a file"


def test_a_source_that_breaks_off_leaves_nothing(store: BlobStore, tmp_path: Path) -> None:
    def breaks() -> object:
        yield b"half a fi"
        raise ConnectionError

    folder = store.spool_folder() or tmp_path
    with pytest.raises(ConnectionError), spooled(breaks(), bytes_max=100, folder=folder):  # type: ignore[arg-type]
        pytest.fail("half a file is none")

    assert list(folder.glob(f"{PREFIX}*")) == []


def test_a_source_that_is_too_long_is_not_read_on(tmp_path: Path) -> None:
    taken: list[int] = []

    def endless() -> object:
        while True:
            taken.append(1)
            yield b"x" * 10

    with pytest.raises(TooLarge), spooled(endless(), bytes_max=25, folder=tmp_path):  # type: ignore[arg-type]
        pytest.fail("too long")

    assert len(taken) == 3
    assert list(tmp_path.iterdir()) == []


# -- a bucket's own troubles -----------------------------------------------------------------------------------


def test_a_prefix_keeps_two_desks_of_one_bucket_apart(s3: S3Server) -> None:
    one = open_store(s3.url(prefix="one"), SECRET_KEY)
    two = open_store(s3.url(prefix="two/deep"), SECRET_KEY)

    put(one, b"one")

    assert not two.exists(KEY)
    assert s3.keys() == [f"one/{KEY}"]


def test_a_bucket_that_is_away_is_transient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "blob_retries_max", 0)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        away = open_store(f"s3://files?endpoint=http://127.0.0.1:{closed.getsockname()[1]}&access_key_id=a", SECRET_KEY)

        with pytest.raises(BlobStoreAway):
            away.exists(KEY)
        with pytest.raises(BlobStoreAway) as told:
            put(away, b"x")

    assert not is_final(told.value)
    assert "127.0.0.1" not in told.value.message


def test_a_bucket_that_accepts_and_says_nothing_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "blob_timeout_s", 0.3)
    monkeypatch.setattr(limits, "blob_retries_max", 0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        away = open_store(f"s3://files?endpoint=http://127.0.0.1:{silent.getsockname()[1]}&access_key_id=a", SECRET_KEY)

        with pytest.raises(BlobStoreAway):
            away.exists(KEY)


def test_a_bucket_that_does_not_exist_is_the_operators_mistake(s3: S3Server) -> None:
    missing = open_store(s3.url(bucket="nobodys"), SECRET_KEY)

    with pytest.raises(ConfigurationError, match="bucket"):
        put(missing, b"x")


@pytest.mark.parametrize(
    ("url", "secret", "expected"),
    [
        ("ftp://files", "", "expected file:path or s3://"),
        ("file:", "", "expected file:path"),
        ("s3://", "", "no bucket"),
        ("s3://files?endpont=http://x", "", "endpont"),
        ("s3://files?access_key_id=a", "", "together"),
        ("s3://files", "secret", "together"),
        ("s3://files?path_style=maybe", "", "path_style"),
    ],
)
def test_a_wrong_address_is_refused_with_what_was_expected(url: str, secret: str, expected: str) -> None:
    with pytest.raises(ConfigurationError, match=expected) as told:
        open_store(url, secret)

    assert "secret" not in told.value.message.replace("BLOB_SECRET_KEY", "")


def test_a_folder_that_cannot_be_made_is_the_operators_mistake(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")

    with pytest.raises(ConfigurationError, match="folder"):
        open_store(f"file:{tmp_path / 'file' / 'blobs'}", "").check()


def test_files_are_this_users_alone(tmp_path: Path) -> None:
    store = open_store(f"file:{tmp_path / 'blobs'}", "")

    put(store, b"a file")

    assert (tmp_path / "blobs" / KEY).stat().st_mode & 0o077 == 0
