"""The life of a private server: started by `with`, closed at its end, also when the start fails."""

from __future__ import annotations

import signal
import subprocess
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

from tests.services.folder import ServiceFolder


class Service(ABC):
    """A server with a folder of its own. `with` starts and closes it."""

    @abstractmethod
    def start(self) -> None:
        """Start the server and wait until it answers. Raises ServiceUnavailable."""

    @abstractmethod
    def close(self) -> None:
        """Stop the server and remove its folder. Twice is once."""

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def end(process: subprocess.Popen[bytes], folder: ServiceFolder, *, within_s: float) -> None:
    """End a server's process by SIGTERM, and by SIGKILL after `within_s` seconds."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(within_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    folder.untrack(process.pid)
