"""Files that were sent to a chat, or that a test lets a user send, on disk under their SHA-256.

The outbox stays small and readable, and getFile can hand back what sendDocument took.
"""

import hashlib
import mimetypes
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from scripts.sandbox import limits


class FilesFull(Exception):
    """The sandbox keeps no more files; stop it and remove its data folder."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    file_id: str
    file_unique_id: str
    filename: str
    content_type: str
    size_bytes: int
    sha256: str

    def as_dict(self) -> dict[str, str | int]:
        return asdict(self)


class FileStore:
    def __init__(self, data_dir: Path, *, bytes_max: int = limits.FILES_BYTES_MAX) -> None:
        self._dir = data_dir / "files"
        self._dir.mkdir(parents=True, exist_ok=True)
        self._bytes_max = bytes_max
        self._bytes = sum(path.stat().st_size for path in self._dir.iterdir())

    def store(self, content: bytes, *, filename: str, content_type: str | None = None) -> StoredFile:
        """Keep the content; the same bytes are kept once. Raises FilesFull."""
        sha256 = hashlib.sha256(content).hexdigest()
        path = self._dir / sha256
        if not path.exists():
            if self._bytes + len(content) > self._bytes_max:
                raise FilesFull(FilesFull.__doc__)
            partial = path.with_suffix(".part")
            partial.write_bytes(content)
            os.replace(partial, path)
            self._bytes += len(content)
        guessed = content_type or mimetypes.guess_type(filename)[0] or "application/octet-stream"
        return StoredFile(f"sandbox-{sha256}", sha256[:16], filename, guessed, len(content), sha256)

    def read(self, sha256: str) -> bytes | None:
        """The content, or None. Only what looks like a digest is looked up: it becomes a path."""
        if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
            return None
        path = self._dir / sha256
        return path.read_bytes() if path.exists() else None

    def size(self, file_id: str) -> int | None:
        content = self.read(file_id.removeprefix("sandbox-"))
        return None if content is None else len(content)
