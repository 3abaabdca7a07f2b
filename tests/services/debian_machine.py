"""A new Debian machine: a root file system from Debian's packages, booted by systemd in a container.

    with DebianMachine() as machine:
        machine.install(script)     # before the boot, with this machine's network: apt-get, pip, git
        machine.boot()              # systemd starts the packages' services, on a network of its own
        machine.run(script)         # a root shell on the running machine

The container has its own processes, users, ports and files, so nothing of it meets this machine. It is gone at the end,
however the tests end.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.services import limits
from tests.services.folder import ServiceFolder, ServiceUnavailable
from tests.services.waiting import wait_until

MISSING = "A Debian machine needs root, Debian's packages debootstrap and systemd-container, and Debian's archive."
_RELEASE = "bookworm"
_BASE = "systemd,systemd-sysv,dbus,ca-certificates"
_AUTHORITIES = "usr/local/share/ca-certificates"
_PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
_ENVIRONMENT = ["HOME=/root", "LC_ALL=C.UTF-8", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]


def find_programs() -> bool:
    """Return true if this process may make a machine: root with debootstrap and systemd-nspawn."""
    return os.geteuid() == 0 and None not in (shutil.which("debootstrap"), shutil.which("systemd-nspawn"))


class DebianMachine:
    """Made by `with`. Raises ServiceUnavailable when the packages cannot be fetched or the machine does not boot."""

    def __init__(self, *, shared: dict[Path, str] | None = None) -> None:
        """`shared`: folders of this machine that the new one reads, with their paths there."""
        if not find_programs():
            raise ServiceUnavailable(MISSING)
        self._folder = ServiceFolder("debian")
        self._root = self._folder.path / "root"
        self._binds = [f"--bind-ro={here}:{there}" for here, there in (shared or {}).items()]
        self._container: subprocess.Popen[bytes] | None = None
        self._init_pid = 0

    def install(self, script: str) -> str:
        """Run a root shell in the file system before the boot. Return its output."""
        proxies = [f"{name}={os.environ[name]}" for name in _PROXIES if name in os.environ]
        shell = ["/usr/bin/env", "-i", *_ENVIRONMENT, *proxies, "DEBIAN_FRONTEND=noninteractive", "/bin/bash"]
        return _output([*self._nspawn(), "--as-pid2", *shell], script)

    def boot(self) -> None:
        """Start the machine and wait for its services. Its network is its loopback device."""
        with (self._folder.path / "boot.log").open("wb") as log:
            self._container = subprocess.Popen(
                [*self._nspawn(), "--private-network", "--console=pipe", "--boot"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._folder.track(self._container.pid)
        try:
            wait_until(self._has_booted, within_s=limits.debian_boot_s, what="The boot of the Debian machine")
        except TimeoutError as error:
            raise ServiceUnavailable(f"{error} Its console ends with:\n{self._folder.tail('boot.log')}") from error

    def run(self, script: str) -> str:
        """Run a root shell on the running machine. Return its output.

        Raises AssertionError with the output when a command fails.
        """
        return _output([*self._enter(), "/bin/bash"], script)

    def close(self) -> None:
        if self._init_pid:
            # The container's first process takes all others along. It outlives its parent, systemd-nspawn.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._init_pid, signal.SIGKILL)
            self._folder.untrack(self._init_pid)
        if self._container is not None:
            self._container.kill()
            self._container.wait()
            self._folder.untrack(self._container.pid)
        self._folder.close()

    def __enter__(self) -> Self:
        try:
            self._bootstrap()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _bootstrap(self) -> None:
        made = subprocess.run(
            ["debootstrap", "--variant=minbase", f"--include={_BASE}", _RELEASE, str(self._root)],
            capture_output=True,
            text=True,
            timeout=limits.debian_install_s,
            check=False,
        )
        if made.returncode != 0:
            raise ServiceUnavailable(f"{MISSING} debootstrap ended with:\n{made.stdout[-2000:]}{made.stderr[-2000:]}")
        # A company's network may need its own name servers and certificate authorities.
        shutil.copy("/etc/resolv.conf", self._root / "etc/resolv.conf")
        for authority in Path("/", _AUTHORITIES).glob("*.crt"):
            shutil.copy(authority, self._root / _AUTHORITIES / authority.name)
        self.install("update-ca-certificates")

    def _nspawn(self) -> list[str]:
        return ["systemd-nspawn", "--quiet", f"--directory={self._root}", "--register=no", "--keep-unit", *self._binds]

    def _enter(self) -> list[str]:
        kinds = ["--mount", "--uts", "--ipc", "--net", "--pid", "--root"]
        return ["nsenter", f"--target={self._init_pid}", *kinds, "/usr/bin/env", "-i", "--chdir=/root", *_ENVIRONMENT]

    def _has_booted(self) -> bool:
        container = self._container
        assert container is not None
        if container.poll() is not None:
            raise ServiceUnavailable(f"The Debian machine stopped:\n{self._folder.tail('boot.log')}")
        children = Path(f"/proc/{container.pid}/task/{container.pid}/children").read_text().split()
        if len(children) != 1:
            return False
        if not self._init_pid:
            self._init_pid = int(children[0])
            self._folder.track(self._init_pid)
        answer = subprocess.run(
            [*self._enter(), "systemctl", "is-system-running"], capture_output=True, text=True, check=False
        )
        return answer.stdout.strip() in {"running", "degraded"}


def _output(shell: list[str], script: str) -> str:
    done = subprocess.run(
        [*shell, "-e", "-o", "pipefail", "-c", script],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=limits.debian_install_s,
        check=False,
    )
    output = done.stdout.decode(errors="replace")
    assert done.returncode == 0, f"exit code {done.returncode}:\n{output[-6000:]}"
    return output
