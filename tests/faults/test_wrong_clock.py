"""Real processes on machines whose clocks differ by hours, on one database: the desk works as with right ones."""

from __future__ import annotations

from scripts.sandbox.client import SandboxProcess
from tests.faults.flow import Flow, nothing_was_lost
from tests.faults.stack import GUNICORN, WORKER, RealDesk
from tests.services.postgres import PostgresServer
from tests.services.rabbitmq import RabbitServer

AHEAD_S, BEHIND_S = 600, -7200


def _there(ahead_s: float, command: list[str], main: str) -> list[str]:
    """The command `python -m MODULE ARGUMENT...` on a machine whose clock is wrong; `main` is what the module runs."""
    interpreter, flag, _, *arguments = command
    return [interpreter, flag, "tests.machine_clock", str(ahead_s), main, *arguments]


def test_a_desk_whose_machines_have_wrong_clocks_answers_everybody_in_order(
    shared_sandbox: SandboxProcess, durable_postgres: PostgresServer, rabbit_server: RabbitServer
) -> None:
    vhost = rabbit_server.create_vhost()
    desk = RealDesk(shared_sandbox, database_url=durable_postgres.create_database(), broker_url=vhost, workers=1)
    desk.add("worker-ahead", _there(AHEAD_S, WORKER, "queues.master:main"))
    desk.add("worker-behind", _there(BEHIND_S, WORKER, "queues.master:main"))
    for name, ahead_s in (("gateway", AHEAD_S), ("webhooks", BEHIND_S)):
        function = desk.programs[name]
        assert function.command[: len(GUNICORN)] == GUNICORN
        function.command = _there(ahead_s, function.command, "gunicorn.app.wsgiapp:run")
    with desk:
        flow = Flow(desk, people=6, chats=2)
        with flow.running():
            flow.goes_on(rounds=3)
        nothing_was_lost(desk, flow)

        health = desk.api().once("GET", "/healthz/deep")
        differing = {name for name in desk.programs if '"clock_differs"' in desk.log_of(name)}

    assert differing == {"gateway", "webhooks", "worker-ahead", "worker-behind"}
    assert b"600 s ahead of the database's" in health.body
    rabbit_server.delete_vhost(vhost)
