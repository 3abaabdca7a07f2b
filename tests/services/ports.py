"""Free ports that a server can come back to.

Binding port 0 hands out ephemeral ports: while a server is stopped for a test, any client's outgoing
connection may be given its port, and the restart fails. These come from below that range.
"""

import random
import socket
from pathlib import Path

from tests.services import limits

_LOWEST = 15_000
_EPHEMERAL_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_EPHEMERAL_LOWEST_DEFAULT = 32_768
# Not seeded by pytest's random order or hypothesis: two runs at once must not walk the same ports.
_random = random.SystemRandom()


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on and that no outgoing connection will be given."""
    for _ in range(limits.port_tries_max):
        port = _random.randrange(_LOWEST, _ephemeral_lowest())
        if _can_bind(port):
            return port
    raise RuntimeError(f"No free port on 127.0.0.1 in {limits.port_tries_max} tries above {_LOWEST}.")


def accepts(port: int) -> bool:
    """Return True if somebody listens on 127.0.0.1:`port`."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _ephemeral_lowest() -> int:
    if not _EPHEMERAL_RANGE.exists():  # not Linux
        return _EPHEMERAL_LOWEST_DEFAULT
    lowest = int(_EPHEMERAL_RANGE.read_text().split()[0])
    return lowest if lowest > _LOWEST + limits.port_tries_max else _EPHEMERAL_LOWEST_DEFAULT


def _can_bind(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
