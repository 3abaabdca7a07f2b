"""Parsing within limits of time and memory: a child process, which can be killed, parses large events.

A thread cannot be killed, and a regular expression or a C function can hold it for any time. Our parsers are linear, so
the size of a small event bounds its time, and it is parsed in the caller's thread. A larger event goes to one child for
each process (`python -m queues.parsing`), which starts at the first large event and ends after an idle time. The child
imports all parsers before it reports that it is ready. A frame on its pipes is a number, a length and a pickle; our own
code writes both ends.
"""

from __future__ import annotations

import atexit
import os
import pickle
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
from models.kernel import imports, limits, logs, settings
from models.kernel.errors import TransientFailure
from models.ports.inbound import Parsed, Unparseable
from queues import channels

log = logs.get("parsing")
_ROOT = Path(__file__).resolve().parents[1]
# The request's number, which the answer repeats, and the length of the pickle.
_HEAD = struct.Struct(">QQ")
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
            request = pickle.dumps((channel, raw, envelope, account))
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
        kind, value = pickle.loads(answer)  # noqa: S301 -- our own child wrote it
        if kind == "raised":
            raise value
        parsed: Parsed = value
        return parsed

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
            [sys.executable, "-m", "queues.parsing"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=_ROOT
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
        channel, raw, envelope, account = pickle.loads(incoming.read(length))  # noqa: S301 -- our parent wrote it
        # A parent that was killed cannot end this process: the kernel does, some seconds later.
        signal.alarm(int(limits.parse_s) + 5)
        try:
            answer: tuple[str, object] = ("parsed", channels.get(channel).parser.parse(raw, envelope, account))
        except MemoryError:
            # The parent sees this process end, and keeps the event as failed.
            return
        except Exception as error:  # noqa: BLE001 -- raised again in the parent
            answer = ("raised", error)
        content = pickle.dumps(answer)
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


def main() -> None:
    """Run the child (`python -m queues.parsing`); only frames may reach its standard output."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (limits.parse_memory_bytes_max, limits.parse_memory_bytes_max))
    outgoing = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    logs.configure("parser", settings.current().log_level)
    _preload()
    outgoing.write(_HEAD.pack(_READY, 0))
    outgoing.flush()
    # There is one request at a time, so no bytes of the next one are in the buffer while `select` watches the pipe.
    serve(sys.stdin.buffer, outgoing)


if __name__ == "__main__":
    main()
