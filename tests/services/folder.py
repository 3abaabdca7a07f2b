"""The temporary folder of one service, and the guard that ends the service when its owner is gone.

pytest ended by Ctrl-C runs its finalizers, but one ended by `kill -9`, a closed terminal or CI's time limit
does not, and a database and a broker would stay behind. The guard is a shell that waits on a pipe from us.
However we end, the pipe closes; the guard then kills the processes listed in the folder and removes it.
"""

import atexit
import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.services import limits

# `cat` ends when the pipe closes. PIDS is rewritten at each start and stop: no stale id is ever killed.
_GUARD = """
trap '' INT TERM HUP
cat >/dev/null
[ -f "$1/PIDS" ] && while read -r pid; do kill -KILL "$pid" 2>/dev/null; done <"$1/PIDS"
for _ in 1 2 3 4 5 6 7 8 9 10; do
    rm -rf "$1" 2>/dev/null && exit 0
    sleep 0.2 # dying processes still write
done
"""


class ServiceFolder:
    """A private folder; `close()` removes it, as does the end of this process, however it ends."""

    def __init__(self, name: str, *, owner: str | None = None) -> None:
        """`owner`: the user who gets the folder when we are root and the server refuses to be."""
        self.path = Path(tempfile.mkdtemp(prefix=f"nestor-{name}-"))
        if owner is not None:
            shutil.chown(self.path, owner)
        self._pids: set[int] = set()
        self._made_by_pid = os.getpid()
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", _GUARD, "nestor-guard", str(self.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C in a terminal must not reach it before it has done its work
        )
        atexit.register(self.close)

    def track(self, process_id: int) -> None:
        """Have the guard end this process too."""
        self._pids.add(process_id)
        self._write_pids()

    def untrack(self, process_id: int) -> None:
        """The process has ended; its id may belong to somebody else from now on."""
        self._pids.discard(process_id)
        self._write_pids()

    def tail(self, name: str) -> str:
        """The last lines of a log in this folder, for an error message."""
        log = self.path / name
        if not log.exists():
            return f"({name} was not written)"
        return "\n".join(log.read_text(errors="replace").splitlines()[-limits.log_tail_lines :])

    def close(self) -> None:
        """Have the guard kill what still runs and remove the folder; returns when it has. Twice is once."""
        # A forked child inherits our atexit handlers: it must not end its parent's servers.
        if os.getpid() != self._made_by_pid or self._guard.stdin is None or self._guard.stdin.closed:
            return
        atexit.unregister(self.close)
        with contextlib.suppress(BrokenPipeError):  # somebody killed the guard: rmtree below does its work
            self._guard.stdin.close()
        self._guard.wait()
        shutil.rmtree(self.path, ignore_errors=True)

    def _write_pids(self) -> None:
        listed = self.path / "PIDS"
        fresh = listed.with_suffix(".new")
        fresh.write_text("".join(f"{pid}\n" for pid in sorted(self._pids)))
        fresh.replace(listed)


class ServiceUnavailable(Exception):
    """The server is not installed on this machine or does not start; the message says what to do."""
