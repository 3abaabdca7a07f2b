"""Blobs in a folder: for the embedded desk, and for one machine."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import BinaryIO

from models.blobs.spool import PREFIX
from models.blobs.store import BlobMissing, BlobStoreAway
from models.kernel.errors import ConfigurationError, NestorError

_INCOMING = "incoming"  # on the same file system as the objects, so that a rename is atomic


class LocalStore:
    """A folder with one file an object, in folders of folders: no directory grows beyond what file systems like."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def spool_folder(self) -> Path:
        folder = self.root / _INCOMING
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise _translated(error) from error
        return folder

    def put(self, key: str, file: Path) -> None:
        """Move the file to its place. The caller has synced its bytes; the rename is synced here."""
        target = self.root / key
        try:
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.replace(file, target)
            for folder in (target.parent, target.parent.parent, target.parent.parent.parent):
                _sync_folder(folder)
        except OSError as error:
            raise _translated(error) from error

    def open(self, key: str) -> BinaryIO:
        try:
            return open(self.root / key, "rb")
        except FileNotFoundError as error:
            if not self.root.is_dir():  # a volume that is not mounted says nothing of its files
                raise ConfigurationError(f"BLOB_URL: there is no folder {self.root}") from error
            raise BlobMissing() from error
        except OSError as error:
            raise _translated(error) from error

    def exists(self, key: str) -> bool:
        return (self.root / key).is_file()

    def delete(self, key: str) -> None:
        try:
            (self.root / key).unlink(missing_ok=True)
        except OSError as error:
            raise _translated(error) from error

    def tidy(self, *, older_than_s: float) -> int:
        """Files of processes that were killed while they wrote."""
        folder = self.spool_folder()
        with tempfile.NamedTemporaryFile(dir=folder) as probe:  # the file system's own clock made the files' times
            before = os.stat(probe.name).st_mtime - older_than_s
        removed = 0
        for path in folder.glob(f"{PREFIX}*"):
            try:
                if path.stat().st_mtime < before:
                    path.unlink()
                    removed += 1
            except FileNotFoundError:
                continue  # its writer was alive, and is done
        return removed

    def check(self) -> str:
        """Raises ConfigurationError when the folder cannot be written."""
        folder = self.spool_folder()
        if not os.access(folder, os.W_OK | os.X_OK):
            raise ConfigurationError(f"BLOB_URL: the folder {self.root} cannot be written")
        return "a local folder, writable"


def _sync_folder(folder: Path) -> None:
    """Write the folder to the disk; only then a rename in it survives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _translated(error: OSError) -> NestorError:
    if isinstance(error, PermissionError | NotADirectoryError):
        return ConfigurationError(f"BLOB_URL: the folder cannot be used: {error.strerror}")
    return BlobStoreAway(f"the blob folder: {error.strerror}")
