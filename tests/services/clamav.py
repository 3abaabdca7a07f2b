"""A private clamd, ClamAV's daemon, on a free port and on a socket, with a database that knows EICAR's test file only.

    with ClamdServer() as server:
        url = server.url

Source of the test file: https://www.eicar.org/download-anti-malware-testfile/
"""

from __future__ import annotations

import os
import shutil
import subprocess

from tests.services import limits
from tests.services.folder import ServiceFolder, ServiceUnavailable
from tests.services.life import Service, end
from tests.services.ports import accepts, free_port
from tests.services.waiting import wait_until

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
STREAM_BYTES_MAX = 1024 * 1024
MISSING = (
    "clamd (ClamAV's daemon) is not on this machine: looked for clamd in PATH and /usr/sbin. "
    "Debian: apt-get install clamav-daemon."
)
_CONFIG = """
DatabaseDirectory {folder}/database
TCPSocket {port}
TCPAddr 127.0.0.1
LocalSocket {folder}/clamd.ctl
Foreground yes
StreamMaxLength {stream_bytes_max}
SelfCheck 0
"""


def find_program() -> str | None:
    """clamd's program; None when it is not installed."""
    return shutil.which("clamd") or shutil.which("clamd", path="/usr/sbin:/usr/local/sbin")


class ClamdServer(Service):
    """One clamd. Made stopped; `start()` or `with` starts it. Raises ServiceUnavailable."""

    def __init__(self) -> None:
        program = find_program()
        if program is None:
            raise ServiceUnavailable(MISSING)
        self.port = free_port()
        self._program = program
        self._folder = ServiceFolder("clamd")
        self._process: subprocess.Popen[bytes] | None = None
        folder = self._folder.path
        (folder / "database").mkdir()
        (folder / "database" / "own.ndb").write_text(f"Own.Eicar:0:*:{EICAR.hex()}\n")
        values = {"folder": folder, "port": self.port, "stream_bytes_max": STREAM_BYTES_MAX}
        (folder / "clamd.conf").write_text(_CONFIG.format(**values))

    @property
    def url(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    @property
    def socket_url(self) -> str:
        return f"unix:{self._folder.path / 'clamd.ctl'}"

    def start(self) -> None:
        """Start; returns when it takes connections."""
        with (self._folder.path / "clamd.log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, "--config-file", str(self._folder.path / "clamd.conf")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder.path,
                env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"},
                start_new_session=True,
            )
        self._folder.track(self._process.pid)
        wait_until(self._is_ready, within_s=limits.clamd_start_s, what="clamd taking connections")

    def close(self) -> None:
        """Stop it and remove its folder."""
        if self._process is not None:
            end(self._process, self._folder, within_s=limits.clamd_stop_s)
            self._process = None
        self._folder.close()

    def _is_ready(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise ServiceUnavailable(f"clamd ended while starting:\n{self._folder.tail('clamd.log')}")
        return accepts(self.port) and (self._folder.path / "clamd.ctl").exists()
