"""The connections that wait for their peer, by the event that they wait for, each group in the order of arrival."""

from __future__ import annotations

import time
from collections.abc import Iterator

from functions.http.server.connection import Connection, State
from models.kernel import limits

# When connections are scarce, the first of these groups that has a member loses its oldest one.
_LEAST_FIRST = (State.LINGERING, State.HANDSHAKE, State.HEAD, State.BODY, State.IDLE)


class Waiting:
    """Groups of waiting connections, with the bytes that they hold."""

    def __init__(self) -> None:
        self._groups: dict[State, dict[Connection, None]] = {state: {} for state in State}
        self._held_bytes = 0  # of requests that are incomplete

    def add(self, connection: Connection, state: State, ends_at: float) -> None:
        """Put a connection, in its new state, at the end of that group."""
        self.remove(connection)
        connection.state, connection.ends_at = state, ends_at
        self._groups[state][connection] = None
        self._held_bytes += len(connection.received)

    def has(self, connection: Connection) -> bool:
        """Return True if the connection waits for its peer."""
        return connection in self._groups[connection.state]

    def remove(self, connection: Connection) -> None:
        """Take a connection out, if it is there."""
        if connection in self._groups[connection.state]:
            del self._groups[connection.state][connection]
            self._held_bytes -= len(connection.received)

    def receive(self, connection: Connection, data: bytes) -> None:
        """Append received bytes to a waiting connection."""
        connection.received += data
        self._held_bytes += len(data)

    def late(self, now: float) -> Iterator[Connection]:
        """The connections whose time is over, in states in which all wait equally long; the caller takes each one out,
        or adds it again.
        """
        for group in self._groups.values():
            while group and (first := next(iter(group))).ends_at <= now:
                yield first

    def surplus(self) -> Iterator[Connection]:
        """The connections to close because all together hold too much memory; the caller takes each one out."""
        for state in (State.BODY, State.HEAD):
            while self._held_bytes > limits.held_requests_bytes_max and self._groups[state]:
                yield next(iter(self._groups[state]))
        writing = self._groups[State.WRITING]
        unsent_bytes = sum(connection.outbox.waiting_bytes() for connection in writing)
        for connection in list(writing):
            if unsent_bytes <= limits.held_responses_bytes_max:
                return
            if _reads_nothing(connection):
                unsent_bytes -= connection.outbox.waiting_bytes()
                yield connection

    def least(self) -> Connection | None:
        """The connection that does the least: half closed, half open, idle, or with a reader that reads nothing."""
        for state in _LEAST_FIRST:
            for connection in self._groups[state]:
                return connection
        began_before = time.monotonic() + limits.reader_window_s - limits.reader_patience_s
        for connection in self._groups[State.WRITING]:
            if connection.ends_at < began_before and _reads_nothing(connection):
                return connection
        return None

    def hurry(self, state: State, ends_at: float) -> None:
        """Let a group end by `ends_at` at the latest."""
        for connection in self._groups[state]:
            connection.ends_at = min(connection.ends_at, ends_at)


def _reads_nothing(connection: Connection) -> bool:
    """Return True if the reader has taken nothing since its window began."""
    return connection.outbox.acknowledged_bytes() <= connection.marked_bytes
