"""(j) The number of statements that PostgreSQL executes for one journey of a message, by the stage that executes them.

`python -m scripts.bench.parts.journeys` runs in a process of its own on a scratch database. It calls the functions'
applications and runs each task that they enqueue, one after another. Nothing else works in the process: no sweep, no
second worker. So the numbers are the same on every machine. Each journey runs twice, and the second run counts: the
first one fills the caches of the process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from models.kernel.open_json import JsonObject
from scripts.bench.report import Report
from scripts.bench.stack import BEARER, TELEGRAM_HEADERS, TELEGRAM_SECRET, Stack

_ROOT = Path(__file__).resolve().parents[3]
_tasks_max = 20  # a journey has at most four; more would be a task that enqueues itself
TITLES = {
    "telegram": "a Telegram update to its acknowledgement",
    "reply": "an agent's reply to its send",
    "transition": "a transition by an agent",
    "mail": "a mail to its acknowledgement",
}
Stages = dict[str, tuple[int, int]]  # stage: statements, transactions
_UPDATE = {"date": 1767225600, "text": "My printer is on fire"}
MAIL = (
    "From: Grace <grace{n}@example.test>\r\nTo: desk@example.test\r\nSubject: The lift is stuck\r\n"
    "Message-ID: <lift-{n}@example.test>\r\n\r\nBetween floors 2 and 3.\r\n"
)


def measure(stack: Stack, report: Report) -> None:
    """Fill in the rows of (j)."""
    with stack.desk() as desk:
        found = statements_of(desk.environment)
    for name, stages in found.items():
        statements = sum(count for count, _ in stages.values())
        transactions = sum(count for _, count in stages.values())
        parts = " + ".join(f"{stage} {count}" for stage, (count, _) in stages.items())
        report.row("j", TITLES[name], f"{statements} statements in {transactions} transactions: {parts}")


def statements_of(environment: dict[str, str]) -> dict[str, Stages]:
    """Return each journey's stages with their statements and transactions. Raises RuntimeError with
    the process's log.
    """
    found = _run(environment, "statements")
    return {name: {stage: (s, t) for stage, (s, t) in stages.items()} for name, stages in found.items()}


def wakeups_of(environment: dict[str, str]) -> dict[str, int]:
    """Return the number of wakeups that each journey sends to the broker."""
    return _run(environment, "wakeups")


def _run(environment: dict[str, str], what: str) -> JsonObject:
    command = [sys.executable, "-m", "scripts.bench.parts.journeys", what]
    done = subprocess.run(command, env=environment, cwd=_ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"cannot count the {what} of a journey: {done.stderr[-2_000:]}")
    found: JsonObject = json.loads(done.stdout.splitlines()[-1])
    return found


class Counter:
    """Counts what this process's database object executes and commits."""

    def __init__(self, database: Any) -> None:
        self.statements = self.transactions = 0
        self._execute, self._commit = database.execute_sql, database.commit
        database.execute_sql, database.commit = self._count_statement, self._count_commit

    def _count_statement(self, *arguments: Any, **named: Any) -> Any:
        self.statements += 1
        return self._execute(*arguments, **named)

    def _count_commit(self) -> Any:
        self.transactions += 1
        return self._commit()

    @contextmanager
    def stage(self, stages: Stages, name: str) -> Iterator[None]:
        """Add what happens inside to the stage `name`."""
        statements, transactions = self.statements, self.transactions
        yield
        before = stages.get(name, (0, 0))
        stages[name] = (
            before[0] + self.statements - statements,
            before[1] + self.transactions - transactions,
        )


class Journeys:
    """The desk's functions and its task runner in this process."""

    def __init__(self) -> None:
        from falcon.testing import TestClient

        from functions.gateway.app import create_app as create_gateway
        from functions.webhooks.app import create_app as create_webhooks
        from models.kernel.storage import database
        from models.tasks import wakeups
        from queues.processes import preloading

        self._gateway, self._webhooks = TestClient(create_gateway()), TestClient(create_webhooks())
        preloading.preload()
        self._wakeups: list[Any] = []
        wakeups.set_publisher(self._wakeups.append)
        self._counter = Counter(database.proxy.obj)
        self._follows = False
        self._woken = 0

    def count(self, name: str, n: int) -> Stages:
        """Run one journey and return its stages. `n` makes its ids and addresses its own."""
        stages: Stages = {}
        steps: dict[str, Callable[[Stages, int], None]] = {
            "telegram": self._telegram,
            "reply": self._reply,
            "transition": self._transition,
            "mail": self._mail,
        }
        steps[name](stages, n)
        return stages

    def wakeups(self, name: str, n: int) -> int:
        """Run one journey as workers do, and return the number of wakeups that it gave to the broker."""
        self._follows, self._woken = True, 0
        self.count(name, n)
        return self._woken

    def _telegram(self, stages: Stages, n: int) -> None:
        person = {"id": n, "is_bot": False, "first_name": "Ada"}
        message = {"message_id": 1, "chat": {"id": n, "type": "private"}, "from": person, **_UPDATE}
        body = json.dumps({"update_id": n, "message": message})
        self._post(stages, self._webhooks, "/webhooks/telegram/demo", body, TELEGRAM_HEADERS)

    def _mail(self, stages: Stages, n: int) -> None:
        headers = {"Authorization": f"Bearer {TELEGRAM_SECRET}", "Content-Type": "message/rfc822"}
        self._post(stages, self._webhooks, "/webhooks/email/demo", MAIL.replace("{n}", str(n)), headers)

    def _reply(self, stages: Stages, n: int) -> None:
        body = json.dumps({"kind": "reply", "body": f"Please pull the plug. ({n})"})
        self._post(stages, self._gateway, f"/v1/tickets/{self._ticket(n)}/messages", body, BEARER)

    def _transition(self, stages: Stages, n: int) -> None:
        path = f"/v1/tickets/{self._ticket(n)}/transitions"
        self._post(stages, self._gateway, path, '{"transition": "resolve"}', BEARER)

    def _ticket(self, n: int) -> str:
        """The number of the ticket of a new Telegram chat."""
        self._telegram({}, n)
        tickets = self._gateway.simulate_get("/v1/tickets", params={"limit": "1"}, headers=BEARER).json["items"]
        return str(tickets[0]["number"])

    def _post(self, stages: Stages, client: Any, path: str, body: str, headers: dict[str, str]) -> None:
        with self._counter.stage(stages, "request"):
            answer = client.simulate_post(path, body=body, headers={"Content-Type": "application/json", **headers})
        if answer.status_code >= 300:
            raise RuntimeError(f"POST {path} answered {answer.status}: {answer.text}")
        self._run_tasks(stages)

    def _run_tasks(self, stages: Stages) -> None:
        from models.tasks import queries
        from queues import runner

        for _ in range(_tasks_max):
            if not self._wakeups:
                return
            task_id = self._wakeups.pop(0).task_id
            kind = str(queries.get(task_id)["kind"])
            self._woken += 1
            if self._follows:
                runner.run_with_successors(task_id)
                continue
            with self._counter.stage(stages, kind):
                outcome = runner.run_task(task_id)
            if outcome not in ("done", "not_mine"):
                raise RuntimeError(f"{kind} ended as {outcome}")
        raise RuntimeError(f"more than {_tasks_max} tasks in one journey")


def main() -> None:
    journeys = Journeys()
    found: JsonObject = {}
    run = journeys.wakeups if sys.argv[1:] == ["wakeups"] else journeys.count
    for place, name in enumerate(TITLES):
        journeys.count(name, 770_000 + 10 * place)
        found[name] = run(name, 770_001 + 10 * place)
    print(json.dumps(found), flush=True)
    os._exit(0)  # the publisher thread and the Bot API's loop may still run


if __name__ == "__main__":
    main()
