"""TCP options that let a connection notice that its peer vanished.

A host that loses its power or its network sends no FIN and no RST. Linux then repeats unacknowledged data for about 15
minutes (tcp(7), tcp_retries2) and waits for an answer without end, so a request would hang although another server has
taken over. TCP_USER_TIMEOUT (RFC 5482) bounds the wait for an acknowledgement; keepalive probes (RFC 9293, 3.8.4) bound
the wait for an answer. A peer that is alive acknowledges both by its kernel, however busy its program is.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator

_PROBES = 3  # without TCP_USER_TIMEOUT (systems other than Linux) so many unanswered probes end the connection


def keepalive(lost_s: float) -> tuple[int, int, int]:
    """Seconds of silence before the first probe, seconds between probes, and their number, for a peer lost after
    `lost_s`.
    """
    return max(1, round(lost_s / 2)), max(1, round(lost_s / 4)), _PROBES


def tcp_options(lost_s: float) -> dict[str, int]:
    """Return the options by their names in Python's `socket`, as far as this system has them."""
    idle_s, probe_every_s, probes = keepalive(lost_s)
    wanted = {
        "TCP_USER_TIMEOUT": round(lost_s * 1000),
        "TCP_KEEPIDLE": idle_s,
        "TCP_KEEPINTVL": probe_every_s,
        "TCP_KEEPCNT": probes,
    }
    return {name: value for name, value in wanted.items() if hasattr(socket, name)}


def options(lost_s: float) -> list[tuple[int, int, int]]:
    """Return the options as `setsockopt` takes them."""
    return list(_options(lost_s))


def _options(lost_s: float) -> Iterator[tuple[int, int, int]]:
    yield socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1
    for name, value in tcp_options(lost_s).items():
        yield socket.IPPROTO_TCP, getattr(socket, name), value


def watch_peer(connected: socket.socket, lost_s: float) -> None:
    """End this TCP connection `lost_s` seconds after its peer vanished; reads and writes then raise OSError."""
    for level, name, value in options(lost_s):
        connected.setsockopt(level, name, value)
