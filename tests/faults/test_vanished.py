"""A node vanishes without closing its connections: packets are lost in both directions, and another node takes over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
import pytest

from scripts.sandbox.client import SandboxProcess
from tests.faults import limits
from tests.faults.flow import Flow, nothing_was_lost
from tests.faults.stack import RealDesk
from tests.faults.truth import Truth
from tests.services.network import Network
from tests.services.postgres import PostgresServer
from tests.services.pytest_evidence import Tell
from tests.services.rabbitmq import RabbitServer
from tests.services.waiting import wait_until

POSTGRES, AMQP = 5432, 5672  # of nodes with all ports free


@contextmanager
def _desk(sandbox: SandboxProcess, *, database_url: str, direct_url: str, broker_url: str) -> Iterator[RealDesk]:
    desk = RealDesk(sandbox, database_url=database_url, broker_url=broker_url, workers=1)
    desk.truth = Truth(direct_url)
    with desk:
        yield desk


def _moved(url: str, port: int, where: str, to_port: int) -> str:
    """The URL of a server on 127.0.0.1 as `where` of the network names it."""
    assert f"127.0.0.1:{port}" in url
    return url.replace(f"127.0.0.1:{port}", ",".join(f"{host}:{to_port}" for host in where.split(",")))


def _connections(desk: RealDesk, address: str, port: int) -> int:
    """TCP connections of the desk's processes to a server that are open on our side."""
    processes = [process for program in desk.programs.values() for process in program.tree()]
    return sum(
        1
        for process in processes
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_ESTABLISHED and connection.raddr[:2] == (address, port)
    )


@pytest.mark.parametrize("two_hosts", [False, True], ids=["the address moves", "the URL names both"])
def test_a_database_node_that_vanishes_holds_no_request_for_long_and_the_new_primary_serves(
    private_network: Network,
    sandbox: SandboxProcess,
    durable_postgres: PostgresServer,
    rabbit_server: RabbitServer,
    tell: Tell,
    two_hosts: bool,
) -> None:
    network, server = private_network, durable_postgres
    direct, vhost = server.create_database(), rabbit_server.create_vhost()
    network.serve(network.old, POSTGRES, to_port=server.port)
    where = f"{network.old.address},{network.new.address}" if two_hosts else network.address
    url = _moved(direct, server.port, where, POSTGRES) + "?target_session_attrs=read-write"

    with _desk(sandbox, database_url=url, direct_url=direct, broker_url=vhost) as desk:
        flow = Flow(desk, chats=1)
        starts = {name: program.starts for name, program in desk.programs.items()}
        with flow.running(every_s=0.2):
            flow.goes_on()
            desk.seen.clear()
            network.vanish()
            server.kill()  # the node's own end; the new one recovers what was committed
            server.start()
            network.serve(network.new, POSTGRES, to_port=server.port)
            probe = desk.api().once("GET", "/readyz")
            if not two_hosts:
                wait_until(
                    lambda: desk.seen[503] >= len(flow.requesters) or desk.seen[0] > 0,
                    within_s=limits.request_s * 2,
                    what="requests being refused while the address is nobody's",
                )
                network.take_over()
            flow.goes_on(rounds=3)

        drained_s = nothing_was_lost(desk, flow)
        assert probe.status == 200, "a probe waits for no database"
        # A client gives a request up after limits.request_s (15 s), and counts it as 0.
        assert set(desk.seen) <= {200, 201, 503}, f"clients saw {dict(desk.seen)}"
        assert starts == {name: program.starts for name, program in desk.programs.items()}
        assert all(program.running() for program in desk.programs.values()), "a process ended"
        tell(f"\na database node vanished: statuses {dict(desk.seen)}, {flow.told()}; drained {drained_s:.1f} s after")
    rabbit_server.delete_vhost(vhost)


def test_a_broker_node_that_vanishes_is_left_in_seconds_and_wakeups_go_to_the_new_one(
    private_network: Network,
    sandbox: SandboxProcess,
    durable_postgres: PostgresServer,
    rabbit_server: RabbitServer,
    tell: Tell,
) -> None:
    network = private_network
    direct, vhost = durable_postgres.create_database(), rabbit_server.create_vhost()
    network.serve(network.old, AMQP, to_port=rabbit_server.port)
    network.serve(network.new, AMQP, to_port=rabbit_server.port)
    url = _moved(vhost, rabbit_server.port, network.address, AMQP)

    with _desk(sandbox, database_url=direct, direct_url=direct, broker_url=url) as desk:
        flow = Flow(desk, chats=1)

        def waits(what: str, condition: Callable[[], bool]) -> None:
            wait_until(condition, within_s=limits.vanished_s, what=what)

        def consumers() -> int:
            return int(rabbit_server.management.queue(vhost, "default").get("consumers", 0))

        with flow.running(every_s=0.2):
            flow.goes_on()
            desk.seen.clear()
            assert _connections(desk, network.address, AMQP) > 0
            network.vanish()
            waits(
                "the end of the connections to the node",
                lambda: _connections(desk, network.address, AMQP) == 0,
            )
            network.take_over()
            waits("a consumer at the new node", lambda: consumers() > 0)
            flow.goes_on()

        drained_s = nothing_was_lost(desk, flow)
        assert set(desk.seen) <= {200, 201}, f"requests need no broker: clients saw {dict(desk.seen)}"
        tell(f"\na broker node vanished: {flow.told()}; drained {drained_s:.1f} s after")
    rabbit_server.delete_vhost(vhost)
