"""PostgreSQL restarted or killed under load: clients hear 503 and repeat, nothing is lost or doubled, every process
heals by itself.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.faults.flow import Flow, nothing_was_lost
from tests.faults.stack import RealDesk
from tests.services.postgres import PostgresServer
from tests.services.pytest_evidence import Tell
from tests.services.rabbitmq import RabbitServer

NOT_NOW = {0, 503}  # no answer, or "try again"


@pytest.mark.parametrize("end", [PostgresServer.stop, PostgresServer.kill], ids=["stopped", "killed"])
def test_a_database_that_goes_away_and_comes_back_costs_repeats_and_nothing_else(
    real_desk: RealDesk, durable_postgres: PostgresServer, end: Callable[[PostgresServer], None], tell: Tell
) -> None:
    """Failure matrix: before COMMIT; DB failover in COMMIT (outcome unknown); DB connection dropped while idle, broken
    in use.
    """
    flow = Flow(real_desk, chats=1)
    starts = {name: program.starts for name, program in real_desk.programs.items()}
    real_desk.seen.clear()

    with flow.running(every_s=0.1):
        flow.goes_on()
        for _ in range(2):
            end(durable_postgres)
            durable_postgres.start()
            flow.goes_on(rounds=2)

    drained_s = nothing_was_lost(real_desk, flow)
    assert set(real_desk.seen) <= {200, 201} | NOT_NOW, f"clients saw {dict(real_desk.seen)}"
    assert all(program.running() for program in real_desk.programs.values()), "a process ended"
    assert starts == {name: program.starts for name, program in real_desk.programs.items()}
    tell(f"PostgreSQL twice away: statuses {dict(real_desk.seen)}; drained {drained_s:.1f} s after")


def test_database_and_broker_may_restart_at_once(
    real_desk: RealDesk, durable_postgres: PostgresServer, rabbit_server: RabbitServer
) -> None:
    """Failure matrix: all rows about servers together."""
    flow = Flow(real_desk)
    real_desk.seen.clear()

    with flow.running(every_s=0.5):
        rabbit_server.stop_app()
        durable_postgres.kill()
        durable_postgres.start()
        rabbit_server.start_app()
        flow.goes_on()

    nothing_was_lost(real_desk, flow)
    assert set(real_desk.seen) <= {200, 201} | NOT_NOW, f"clients saw {dict(real_desk.seen)}"
