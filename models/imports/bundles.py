"""The files of an import: a folder, a zip archive, or a single file of records.

Names inside of an archive or of a record come from outside. A folder opens only files below itself.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from models.imports import limits
from models.kernel.errors import FieldProblem, Invalid


class Bundle(Protocol):
    """The files of an import by their names."""

    def names(self) -> list[str]:
        """Return the names of all files, sorted."""

    def size_of(self, name: str) -> int | None:
        """Return the size of a file in bytes, or None if there is no such file."""

    def open_file(self, name: str) -> AbstractContextManager[BinaryIO | None]:
        """Open a file; the stream is None if there is no such file."""

    def close(self) -> None:
        """Close what is open."""


class Folder:
    """The files of a folder, or a single file with the files next to it."""

    def __init__(self, root: Path, *, only: str | None = None) -> None:
        self._root, self._only = root.resolve(), only

    def names(self) -> list[str]:
        if self._only is not None:
            return [self._only]
        files = (path for path in self._root.rglob("*") if path.is_file())
        return sorted(path.relative_to(self._root).as_posix() for path in files)

    def size_of(self, name: str) -> int | None:
        path = self._path(name)
        return None if path is None else path.stat().st_size

    @contextmanager
    def open_file(self, name: str) -> Iterator[BinaryIO | None]:
        path = self._path(name)
        if path is None:
            yield None
            return
        with path.open("rb") as stream:
            yield stream

    def close(self) -> None:
        """A folder holds nothing open."""

    def _path(self, name: str) -> Path | None:
        """The path of a file below the folder, also behind symbolic links; None for any other."""
        if "\0" in name:
            return None
        path = (self._root / name).resolve()
        return path if path.is_relative_to(self._root) and path.is_file() else None


class Archive:
    """The members of a zip archive within bounds. Raises Invalid for what is no archive, or exceeds them."""

    def __init__(self, stream: BinaryIO) -> None:
        try:
            self._zip = zipfile.ZipFile(stream)
        except (zipfile.BadZipFile, OSError, ValueError) as error:
            stream.close()
            raise Invalid([FieldProblem("/attachment_id", "expected a zip archive that can be read")]) from error
        members = [one for one in self._zip.infolist() if not one.is_dir()]
        unpacked = sum(one.file_size for one in members)
        if len(members) > limits.archive_members_max or unpacked > limits.archive_bytes_max:
            stream.close()
            raise Invalid(
                [
                    FieldProblem(
                        "/attachment_id",
                        f"expected at most {limits.archive_members_max} files of {limits.archive_bytes_max} bytes"
                        f" together, found {len(members)} of {unpacked} bytes",
                    )
                ]
            )
        self._members = {one.filename: one for one in members}
        self._stream = stream

    def close(self) -> None:
        self._zip.close()
        self._stream.close()

    def names(self) -> list[str]:
        return sorted(self._members)

    def size_of(self, name: str) -> int | None:
        found = self._members.get(name)
        return None if found is None else found.file_size

    @contextmanager
    def open_file(self, name: str) -> Iterator[BinaryIO | None]:
        found = self._members.get(name)
        if found is None:
            yield None
            return
        # The stream ends at the size that the directory announces, so the bounds above hold.
        with self._zip.open(found) as stream:
            yield stream  # type: ignore[misc]  # a ZipExtFile reads like a binary stream


def of_path(path: Path) -> Bundle:
    """Return the files at a path. Raises Invalid."""
    if path.is_dir():
        return Folder(path)
    if not path.is_file():
        raise Invalid([FieldProblem("/path", f"expected a folder, a zip archive or a file, found no {path}")])
    if path.suffix.lower() == ".zip":
        return Archive(path.open("rb"))
    return Folder(path.parent, only=path.name)


def digest_of(bundle: Bundle, mapping: bytes) -> str:
    """Return a hash of the names and sizes of all files, of the beginnings of the records' files, and of the mapping.

    It recognises an interrupted import. A wrong guess costs nothing: each record is known by its id.
    """
    digest = hashlib.sha256(mapping)
    for name in bundle.names():
        digest.update(f"{name}\0{bundle.size_of(name)}\0".encode("utf-8", "surrogatepass"))
        if name.endswith((".ndjson", ".jsonl", ".json", ".csv")):
            with bundle.open_file(name) as stream:
                digest.update(b"" if stream is None else stream.read(65_536))
    return digest.hexdigest()
