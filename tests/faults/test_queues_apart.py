"""A worker for each queue, as README runs them: a provider that accepts and says nothing holds up sends only."""

from __future__ import annotations

from scripts.sandbox.client import SandboxProcess
from tests.faults import limits
from tests.faults.people import Requester
from tests.faults.stack import WORKER, RealDesk
from tests.services.postgres import PostgresServer
from tests.services.rabbitmq import RabbitServer
from tests.services.waiting import wait_until

_queues = WORKER.index("--queues") + 1
hung_sends = 16  # twice the threads of the worker of sends


def worker_of(queue: str) -> list[str]:
    """The worker's command with one queue in place of both."""
    return [*WORKER[:_queues], queue, *WORKER[_queues + 2 :]]


def test_a_provider_that_says_nothing_holds_up_sends_only(
    shared_sandbox: SandboxProcess, durable_postgres: PostgresServer, rabbit_server: RabbitServer
) -> None:
    vhost = rabbit_server.create_vhost()
    desk = RealDesk(
        shared_sandbox,
        database_url=durable_postgres.create_database(),
        broker_url=vhost,
        workers=0,
        schedulers=0,
    )
    desk.add("worker-default", worker_of("default"))
    desk.add("worker-sends", worker_of("sends"))
    with desk:
        people = [Requester(desk, "telegram") for _ in range(hung_sends)]
        for person in people:
            desk.sandbox.fail("hang", method="sendMessage", chat_id=person.number, hang_s=5)
            person.write()

        late = Requester(desk, "telegram")
        late.write()

        wait_until(
            lambda: late.event(late.event_ids[-1])["status"] == "processed",
            within_s=3,
            what="the ticket of the message that came while the provider hung",
        )
        assert desk.truth.live_tasks() > 8, "the sends should still hang"
        desk.wait_until_drained(within_s=limits.drain_s)
    rabbit_server.delete_vhost(vhost)
