"""Parsing within limits of time and memory: a child process, which can be killed, parses large events.

A thread cannot be killed, and a regular expression or a C function can hold it for any time. Our parsers are linear, so
the size of a small event bounds its time, and it is parsed in the caller's thread. A larger event goes to one child for
each process (`python -m queues.parser.parsing`), which starts at the first large event and ends after an idle time. The
child imports all parsers before it reports that it is ready. A frame on its pipes is a number, a length and a message
of `parser_frames.py`.

The child has no environment, so no secret, and takes its rights from itself before the first event: no network, no
other program, no file but the modules (`confinement.py`).
"""

from __future__ import annotations

import atexit
import os
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from models.channels.accounts import ChannelAccount
from models.kernel import imports, limits, settings
from models.kernel.errors import TransientFailure
from models.kernel.telemetry import logs
from models.ports.inbound import Parsed, Unparseable
from queues import channels
from queues.parser import confinement, parser_frames
from queues.parser.parser_frames import Request

log = logs.get("parsing")
_ROOT = Path(__file__).resolve().parents[2]
# The request's number, which the answer repeats, and the length of the message.
_HEAD = struct.Struct(">QQ")
# The child's environment: no secrets, and no address of a server.
_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "PYTHONPATH", "PYTHONHOME", "LOG_LEVEL", "COVERAGE_PROCESS_START")
_PARSERS_USE = ("nh3", "queues.channels.html_text")  # modules that parsers import inside functions
# The number of the child's first frame, after its imports. Requests are numbered from 1.
_READY = 0


class TookTooLong(Unparseable):
    """Parsing took longer than an event may take. The event is kept, and can be replayed after the parser is fixed."""


class Ended(Exception):
    """The child ended before it answered."""


def parse(channel: str, raw: bytes, envelope: dict[str, str], account: ChannelAccount) -> Parsed:
    """Parse an event. A large event has the bounds `limits.parse_s` and `limits.parse_memory_bytes_max`.

    Raises the parser's exceptions, TookTooLong, and TransientFailure when the child is busy with other events for too
    long.
    """
    if len(raw) <= limits.parse_here_bytes_max:
        return channels.complete(channel).parser.parse(raw, envelope, account)
    return _child.ask(channel, raw, envelope, account)


@dataclass
class _Child:
    """The process's child; a forked process starts its own."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    process: subprocess.Popen[bytes] | None = None
    pid: int = 0
    number: int = 0

    def ask(self, channel: str, raw: bytes, envelope: dict[str, str], account: ChannelAccount) -> Parsed:
        if self.pid != os.getpid():
            # After a fork, a thread of the parent process may hold the lock.
            self.lock, self.process, self.pid = threading.Lock(), None, os.getpid()
            atexit.register(self.close)
        if not self.lock.acquire(timeout=limits.parse_wait_s):
            raise TransientFailure("other large events are being read; this one is tried again")
        try:
            derived = _derived(channel, raw, account)
            request = parser_frames.request_bytes(Request(channel, raw, envelope, account, derived))
            try:
                answer = self._exchange(request)
            except Ended:
                # The child may have ended after its idle time. A second end is caused by the event.
                answer = self._exchange(request)
        except Ended as error:
            raise Unparseable(
                "the process that read it ended, most likely for want of memory; it is kept, and can be replayed"
            ) from error
        finally:
            self.lock.release()
        return parser_frames.result_of(answer)

    def _exchange(self, request: bytes) -> bytes:
        if self.process is not None and self.process.poll() is not None:
            self._report_end()
            self._end()
        if self.process is None:
            self._start()
        assert self.process is not None
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.number += 1
        deadline = time.monotonic() + limits.parse_s
        writer = threading.Thread(target=_send, args=(self.process.stdin, self.number, request), daemon=True)
        # A pipe holds 64 KiB: a child that hangs must not block the worker's thread.
        writer.start()
        try:
            number, length = _HEAD.unpack(_received(self.process.stdout, _HEAD.size, deadline))
            if number != self.number:
                raise Ended()
            return _received(self.process.stdout, length, deadline)
        except Ended:
            self._report_end()
            self._end()
            raise
        except BaseException:
            # A time limit can interrupt this thread as well: the next event must not get this event's answer.
            self._end()
            raise
        finally:
            writer.join(1.0)

    def _report_end(self) -> None:
        """Log what ended the child, unless it ended after its idle time."""
        assert self.process is not None
        try:
            code = self.process.wait(limits.parser_end_s)
        except subprocess.TimeoutExpired:
            # Its pipe is closed and it still runs: `_end` kills it.
            code = 0
        if code != 0:
            logs.tell_end("parser", self.process.pid, code)

    def _start(self) -> None:
        """Start the child and wait for its imports. Raises TransientFailure, because a child that does not start
        is not a fault of the event.
        """
        self.process = subprocess.Popen(
            [sys.executable, "-m", "queues.parser.parsing"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=_ROOT,
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
        )
        assert self.process.stdout is not None
        try:
            head = _received(self.process.stdout, _HEAD.size, time.monotonic() + limits.parser_start_s)
            if _HEAD.unpack(head) != (_READY, 0):
                raise Ended()
        except (Ended, TookTooLong) as error:
            self._report_end()
            self._end()
            raise TransientFailure("the process that reads large events does not start") from error
        except BaseException:
            self._end()
            raise

    def _end(self) -> None:
        if self.process is None:
            return
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                _close(stream)
        self.process = None

    def close(self) -> None:
        """End the child, if this process has one."""
        if self.pid == os.getpid():
            self._end()


def _close(stream: Any) -> None:
    try:
        stream.close()
    except OSError:
        # The buffered bytes have no reader.
        log.debug("parser_pipe_closed")


def _send(stream: Any, number: int, request: bytes) -> None:
    try:
        stream.write(_HEAD.pack(number, len(request)))
        stream.write(request)
        stream.flush()
    except (OSError, ValueError):
        # The child ended; the reading side reports it.
        log.debug("parser_pipe_broken")


def _received(stream: Any, length: int, deadline: float) -> bytes:
    """Read `length` bytes from the child. Raises Ended, TookTooLong."""
    found = bytearray()
    descriptor = stream.fileno()
    while len(found) < length:
        left_s = deadline - time.monotonic()
        if left_s <= 0 or not select.select([descriptor], [], [], left_s)[0]:
            raise TookTooLong()
        chunk = os.read(descriptor, min(length - len(found), 1 << 20))
        if not chunk:
            raise Ended()
        found += chunk
    return bytes(found)


def _derived(channel: str, raw: bytes, account: ChannelAccount) -> dict[str, str]:
    """The values that the channel's parser needs and that come from SECRET_KEY."""
    derive = getattr(channels.complete(channel).parser, "derived", None)
    return {} if derive is None else dict(derive(raw, account))


def _use_derived(parser: Any, derived: dict[str, str]) -> None:
    if hasattr(parser, "use_derived"):
        parser.use_derived(derived)


_child = _Child()


def close() -> None:
    """End this process's child; for a worker's shutdown."""
    _child.close()


# -- the child -------------------------------------------------------------------------------------------------


def serve(incoming: BinaryIO, outgoing: BinaryIO) -> None:
    """Answer requests until the pipe ends or no request comes for `limits.parser_rests_after_s`."""
    while select.select([incoming.fileno()], [], [], limits.parser_rests_after_s)[0]:
        head = incoming.read(_HEAD.size)
        if len(head) < _HEAD.size:
            return
        number, length = _HEAD.unpack(head)
        request = parser_frames.request_of(incoming.read(length))
        # A parent that was killed cannot end this process: the kernel does, some seconds later.
        signal.alarm(int(limits.parse_s) + 5)
        try:
            parser = channels.get(request.channel).parser
            _use_derived(parser, request.derived)
            content = parser_frames.parsed_bytes(parser.parse(request.raw, request.envelope, request.account))
        except MemoryError:
            # The parent sees this process end, and keeps the event as failed.
            return
        except Exception as error:  # noqa: BLE001 -- raised again in the parent
            content = parser_frames.raised_bytes(error)
        signal.alarm(0)
        outgoing.write(_HEAD.pack(number, len(content)))
        outgoing.write(content)
        outgoing.flush()


def _preload() -> None:
    """Import all modules that a parser can use: a later failed import would look like a fault of the event."""
    imports.load_all("queues.channels", called="parse")
    for channel in sorted(channels.names()):
        channels.get(channel).parser  # noqa: B018 -- the access imports it
    imports.load(*_PARSERS_USE)


def _readable() -> list[Path]:
    """The folders of modules and their data, which parsers may still import, and of time zones."""
    found = [Path(entry) for entry in sys.path if entry and Path(entry).resolve() != _ROOT and Path(entry).is_dir()]
    return [*found, _ROOT / "models", _ROOT / "queues", Path(sys.base_prefix) / "lib", Path("/usr/share/zoneinfo")]


def main() -> None:
    """Run the child (`python -m queues.parser.parsing`); only frames may reach its standard output."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (limits.parse_memory_bytes_max, limits.parse_memory_bytes_max))
    outgoing = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    logs.configure("parser", settings.current().log_level)
    _preload()
    held, missing = confinement.confine(_readable())
    if missing:
        log.warning("parser_not_confined", held=held, missing=missing)
    outgoing.write(_HEAD.pack(_READY, 0))
    outgoing.flush()
    # There is one request at a time, so no bytes of the next one are in the buffer while `select` watches the pipe.
    serve(sys.stdin.buffer, outgoing)


if __name__ == "__main__":
    main()
