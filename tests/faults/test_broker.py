"""RabbitMQ stopped, blocked, emptied: requests do not notice, and everything is delivered after."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from scripts.sandbox.client import SandboxProcess
from tests.faults.flow import Flow, nothing_was_lost
from tests.faults.stack import RealDesk
from tests.services.postgres import PostgresServer
from tests.services.pytest_evidence import Tell
from tests.services.rabbitmq import QueueType, RabbitServer

request_s_max = 1.0  # no request may notice the broker; a quiet machine answers in 10 ms


@pytest.mark.parametrize("outage_s", [0.0, pytest.param(20.0, marks=pytest.mark.extended)])
def test_a_broker_that_is_stopped_is_not_noticed_by_requests(
    real_desk: RealDesk, rabbit_server: RabbitServer, tell: Tell, outage_s: float
) -> None:
    """Everybody writes and is answered while the broker is away; 20 s more let a minute's work gather."""
    flow = Flow(real_desk, people=16, chats=8)

    with flow.running(every_s=4.0):  # what gathers for a chat goes out at one a second then
        rabbit_server.stop_app()
        stopped_at = time.monotonic()
        time.sleep(outage_s)  # the outage itself, not a wait for something
        flow.goes_on()
        rabbit_server.start_app()
        away_s = time.monotonic() - stopped_at

    drained_s = nothing_was_lost(real_desk, flow)
    assert max(flow.took_s) < request_s_max
    tell(f"RabbitMQ away for {away_s:.0f} s: {flow.told()}; drained {drained_s:.1f} s after")


def test_a_broker_that_takes_nothing_is_not_noticed_by_requests(
    real_desk: RealDesk, rabbit_server: RabbitServer, tell: Tell
) -> None:
    """Failure matrix: RabbitMQ blocked (memory alarm): connections stand, publishes hang."""
    flow = Flow(real_desk)

    with flow.running():
        rabbit_server.set_alarm(True)
        blocked = time.monotonic()
        try:
            flow.goes_on(rounds=5)
        finally:
            rabbit_server.set_alarm(False)
    blocked_s = time.monotonic() - blocked

    drained_s = nothing_was_lost(real_desk, flow)
    assert max(flow.took_s) < request_s_max
    tell(f"RabbitMQ blocked for {blocked_s:.0f} s: {flow.told()}; drained {drained_s:.1f} s after")


def _purge(server: RabbitServer, url: str) -> None:
    for queue in ("default", "sends"):
        server.purge(queue, url=url)


def _delete(server: RabbitServer, url: str) -> None:
    vhost = url.rsplit("/", 1)[1]
    for queue in ("default", "sends"):
        server.management.delete(f"queues/{vhost}/{queue}")


@pytest.mark.parametrize("lose", [_purge, _delete], ids=["purged", "deleted"])
def test_rows_whose_wakeups_were_lost_are_woken_again(
    real_desk: RealDesk, rabbit_server: RabbitServer, lose: Callable[[RabbitServer, str], None]
) -> None:
    """Failure matrix: RabbitMQ loses its disk, queue purged or deleted: wakeups gone, rows stay, the queue is declared
    again.
    """
    flow = Flow(real_desk)
    url = real_desk.environment["BROKER_URL"]

    with flow.running(every_s=0.2):
        for worker in real_desk.workers:  # so that wakeups wait in the queues
            worker.kill()
        flow.goes_on()
        lose(rabbit_server, url)
        flow.goes_on()
        real_desk.start()

    nothing_was_lost(real_desk, flow)


@pytest.mark.parametrize("queue_type", ["classic", "quorum"])
def test_both_types_of_queue_carry_wakeups(
    sandbox: SandboxProcess,
    durable_postgres: PostgresServer,
    rabbit_server: RabbitServer,
    queue_type: QueueType,
) -> None:
    """Queues are declared without a type, so that the vhost's default decides (issue 2)."""
    vhost = rabbit_server.create_vhost(default_queue_type=queue_type)
    with RealDesk(
        sandbox, database_url=durable_postgres.create_database(), broker_url=vhost, workers=1, schedulers=0
    ) as desk:
        flow = Flow(desk)

        with flow.running(every_s=0.1):
            flow.goes_on(rounds=2)

        nothing_was_lost(desk, flow)
        assert rabbit_server.management.queue(vhost, "default")["type"] == queue_type
    rabbit_server.delete_vhost(vhost)
