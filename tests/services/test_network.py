"""A peer that vanishes: the network of the tests loses its packets, and our sockets notice it."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import pytest

from models.kernel.storage import sockets
from tests.services.network import Network
from tests.services.postgres import PostgresServer

_lost_s = 2.0


def _connected(private_network: Network, to_port: int) -> socket.socket:
    private_network.serve(private_network.old, 5432, to_port=to_port)
    private_network.serve(private_network.new, 5432, to_port=to_port)
    return socket.create_connection((private_network.address, 5432), timeout=10)


@pytest.mark.parametrize(
    "wait",
    [lambda peer: peer.recv(1), lambda peer: (peer.sendall(b"x" * 100), peer.recv(1))],
    ids=["waiting for a word", "waiting for an acknowledgement"],
)
def test_a_peer_that_vanished_ends_the_wait_of_a_watched_socket(
    private_network: Network, postgres_server: PostgresServer, wait: Callable[[socket.socket], object]
) -> None:
    with _connected(private_network, postgres_server.port) as peer:
        sockets.watch_peer(peer, _lost_s)
        peer.settimeout(60)
        private_network.vanish()

        started = time.monotonic()
        with pytest.raises(OSError, match=r"110|timed out") as caught:
            wait(peer)

    assert not isinstance(caught.value, socket.timeout) or caught.value.errno, "the socket's own timeout"
    assert time.monotonic() - started < 20


def test_an_address_that_moved_answers_from_its_new_node(
    private_network: Network, postgres_server: PostgresServer
) -> None:
    _connected(private_network, postgres_server.port).close()
    private_network.vanish()
    with pytest.raises(TimeoutError):
        socket.create_connection((private_network.address, 5432), timeout=1)

    private_network.take_over()

    socket.create_connection((private_network.address, 5432), timeout=10).close()
