"""The whole desk behind PgBouncer in transaction mode, with fewer server connections than the desk has threads."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scripts.sandbox.client import SandboxProcess
from tests.faults.flow import Flow, nothing_was_lost
from tests.faults.stack import RealDesk
from tests.services.pgbouncer import PgBouncer
from tests.services.postgres import PostgresServer
from tests.services.pytest_evidence import Tell
from tests.services.rabbitmq import RabbitServer


@pytest.fixture
def pooled_desk(
    sandbox: SandboxProcess, pooler: PgBouncer, postgres_server: PostgresServer, rabbit_server: RabbitServer
) -> Iterator[RealDesk]:
    """Bootstrap, two functions, a worker and a scheduler, all through the pooler."""
    vhost = rabbit_server.create_vhost()
    direct = postgres_server.create_database()
    with RealDesk(sandbox, database_url=pooler.url_of(direct), broker_url=vhost, workers=1) as desk:
        yield desk
    rabbit_server.delete_vhost(vhost)


def test_a_desk_behind_a_pooler_in_transaction_mode_starts_and_works(pooled_desk: RealDesk, tell: Tell) -> None:
    flow = Flow(pooled_desk, chats=1)

    with flow.running(every_s=0.1):
        flow.goes_on(rounds=3)

    nothing_was_lost(pooled_desk, flow)
    assert set(pooled_desk.seen) <= {200, 201}, f"clients saw {dict(pooled_desk.seen)}"
    assert all(program.running() for program in pooled_desk.programs.values()), "a process ended"
    assert pooled_desk.api().once("GET", "/healthz/deep").json()["parts"]["database"]["ok"]
    tell(f"\nbehind PgBouncer with 3 server connections: {flow.told()}")
