"""A load generator that costs little: one process, one selector, keep-alive connections, answers read without a parser.

It shares the machine with what it measures, so it builds requests from a template and reads of an answer only the
status and the length. `python -m scripts.bench.load` reads a `Load` as JSON from standard input and writes a `Result`
to standard output. In templates `{n}` is a number that no other request of the run has; requests go out closed-loop
(each client waits for its answer), or at `per_s` requests a second.
"""

from __future__ import annotations

import json
import selectors
import socket
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from scripts.bench import limits

_ROOT = Path(__file__).resolve().parents[2]


@dataclass(slots=True)
class Load:
    """One load: the request, the number of clients, and the duration (`duration_s`) or the count (`requests`)."""

    port: int
    path: str
    body: str
    clients: int
    headers: dict[str, str] = field(default_factory=dict)
    method: str = "POST"
    first_n: int = 1
    duration_s: float = 0.0
    requests: int = 0
    per_s: float = 0.0
    items: list[str] = field(default_factory=list)  # `{item}` in the path, by turns
    answered_at: bool = False  # also return when each answer came, by n

    def run(self) -> Result:
        """Run the load in a process of its own."""
        done = subprocess.run(
            [sys.executable, "-m", "scripts.bench.load"],
            input=json.dumps(asdict(self)),
            capture_output=True,
            text=True,
            cwd=_ROOT,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"the load generator failed: {done.stderr.strip()}")
        return Result(**json.loads(done.stdout))


@dataclass(slots=True)
class Result:
    """Latencies of answered requests in ms, answers by status, and how long it took."""

    wall_s: float
    cpu_s: float
    latencies_ms: list[float]
    statuses: dict[str, int]
    answered_at: dict[str, float]
    first_failure: str

    @property
    def per_s(self) -> float:
        return len(self.latencies_ms) / self.wall_s

    def check(self) -> None:
        """Raise unless every answer was a 2xx: a benchmark of failures would look fast."""
        if self.first_failure or not self.latencies_ms:
            raise RuntimeError(
                f"answers by status {self.statuses}; the first failure: {self.first_failure or 'no answer'}"
            )


class _Client:
    """One connection: at most one request under way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=limits.request_s_max)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.sent_at = 0.0
        self.n = 0

    def answer(self) -> tuple[int, bytes] | None:
        """Status and body once the answer is whole."""
        chunk = self.socket.recv(65_536)
        if not chunk:
            raise ConnectionError("the server closed the connection")
        self.received += chunk
        end = self.received.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = self.received[:end].lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(self.received) < end + 4 + length:
            return None
        status, body = int(head[9:12]), self.received[end + 4 :]
        self.received = b""
        return status, body


class _Run:
    def __init__(self, load: Load) -> None:
        self.load = load
        self.next_n = load.first_n
        names = {"Host": f"127.0.0.1:{load.port}", "Content-Type": "application/json", **load.headers}
        self.head = "".join(f"{name}: {value}\r\n" for name, value in names.items())
        self.result = Result(0.0, 0.0, [], {}, {}, "")
        self.sent = 0

    def request(self, client: _Client) -> None:
        """Send the next request."""
        n, load = self.next_n, self.load
        self.next_n += 1
        self.sent += 1
        path = load.path
        if load.items:
            path = path.replace("{item}", load.items[n % len(load.items)])
        body = load.body.replace("{n}", str(n)).encode()
        text = f"{load.method} {path} HTTP/1.1\r\n{self.head}Content-Length: {len(body)}\r\n\r\n".encode()
        client.n = n
        client.sent_at = time.perf_counter()
        client.socket.sendall(text + body)

    def read(self, client: _Client) -> bool:
        """Take in what came; whether the answer is whole."""
        answer = client.answer()
        if answer is None:
            return False
        status, body = answer
        result = self.result
        result.latencies_ms.append((time.perf_counter() - client.sent_at) * 1000)
        result.statuses[str(status)] = result.statuses.get(str(status), 0) + 1
        if self.load.answered_at:
            result.answered_at[str(client.n)] = time.time()
        if not 200 <= status < 300 and not result.first_failure:
            result.first_failure = f"{status} {body[:300].decode(errors='replace')}"
        return True

    def run(self) -> Result:
        load = self.load
        selector = selectors.DefaultSelector()
        idle = [_Client(load.port) for _ in range(load.clients)]
        for client in idle:
            selector.register(client.socket, selectors.EVENT_READ, client)
        busy = 0
        started = time.perf_counter()
        ends = started + (load.duration_s or limits.drain_s_max)
        while True:
            now = time.perf_counter()
            more = now < ends and (not load.requests or self.sent < load.requests)
            if not more and not busy:
                break
            allowed, wait_s = self._pace(now - started)
            if more and idle and allowed > 0:
                # In turn: the server closes a connection that sends nothing for `limits.request_head_s`.
                self.request(idle.pop(0))
                busy += 1
                continue
            answered = self._answered(selector, wait_s if more else limits.request_s_max)
            busy -= len(answered)
            idle += answered
        self.result.wall_s = time.perf_counter() - started
        self.result.cpu_s = time.process_time()
        return self.result

    def _pace(self, elapsed_s: float) -> tuple[int, float]:
        """Return how many requests may go out now, and the seconds until the next one may."""
        per_s = self.load.per_s
        if not per_s:
            return self.load.clients, limits.request_s_max
        return int(elapsed_s * per_s) + 1 - self.sent, max(0.0, self.sent / per_s - elapsed_s)

    def _answered(self, selector: selectors.BaseSelector, wait_s: float) -> list[_Client]:
        """Wait for answers and return the clients that have a whole one."""
        ready = selector.select(wait_s)
        if not ready and not self.load.per_s:
            raise TimeoutError(f"no answer within {limits.request_s_max:g} s")
        return [key.data for key, _ in ready if self.read(key.data)]


if __name__ == "__main__":
    print(json.dumps(asdict(_Run(Load(**json.load(sys.stdin))).run())))
