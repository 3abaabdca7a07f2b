"""The data folder: its lock and its files."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from pathlib import Path

from models.kernel.errors import ConfigurationError


class DataFolder:
    """A folder that one desk at a time uses; the lock is what lets a new desk take back the leases of a dead one."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self._lock: int | None = None

    @property
    def database_url(self) -> str:
        return f"sqlite:///{self.path / 'nestor.db'}"

    @property
    def blob_url(self) -> str:
        return f"file:{self.path / 'blobs'}"

    @property
    def lock_fd(self) -> int:
        """The descriptor that holds the lock; processes that inherit it hold it too."""
        assert self._lock is not None
        return self._lock

    def take(self) -> None:
        """Make the folder and lock it. Raises ConfigurationError when it cannot be written or another desk has it."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            fd = os.open(self.path / "desk.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            reason = error.strerror or str(error)
            raise ConfigurationError(
                f"the data folder {self.path} cannot be written ({reason}); choose another with --data-dir"
            ) from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = os.pread(fd, 20, 0).decode(errors="replace").strip() or "unknown"
            os.close(fd)
            raise ConfigurationError(
                f"another desk (process {owner}) uses the data folder {self.path}; stop it or choose another with"
                " --data-dir"
            ) from error
        os.ftruncate(fd, 0)
        os.pwrite(fd, str(os.getpid()).encode(), 0)
        os.set_inheritable(fd, True)
        self._lock = fd

    def reset(self) -> None:
        """Remove what the desk keeps here; the lock is held."""
        for path in self.path.iterdir():
            if path.name == "desk.lock":
                continue
            if path.name in ("sandbox", "blobs"):
                shutil.rmtree(path)
            elif path.name.startswith("nestor.db") or path.name in ("secret_key", "desk.log", "sandbox.log"):
                path.unlink()

    def has_data(self) -> bool:
        """Return True if a desk has worked here."""
        return (self.path / "nestor.db").exists()

    @property
    def secret_key_path(self) -> Path:
        return self.path / "secret_key"

    def secret_key(self) -> str:
        """The key that signs access tokens, made at the first start."""
        path = self.secret_key_path
        if not path.exists():
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(fd, "w") as file:
                file.write(secrets.token_urlsafe(48))
        return path.read_text().strip()
