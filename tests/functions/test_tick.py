"""/tick: it needs its token, and finds all that is due."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from models.kernel import limits
from models.tasks import wakeups
from tests.desk import Desk
from tests.functions.callers import Caller, problem, sqlite_only

TOKEN = "secret-tick-token"
MakeTick = Callable[[str], Caller]


@sqlite_only
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer secret-wrong"},
        {"Authorization": "Bearer "},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": "Bearer demo-key"},
        {"Ce-Ticktoken": "secret-wrong"},
        {"Ce-Ticktoken": ""},
        {"Ce-Ticktoken": "ä"},
        {"Authorization": "Bearer secret-wrong", "Ce-Ticktoken": TOKEN},
    ],
)
def test_without_the_token_nobody_sweeps(make_tick: MakeTick, headers: dict[str, str]) -> None:
    problem(make_tick(TOKEN).post("/tick", headers=headers), 401, "unauthenticated")


@sqlite_only
def test_without_a_configured_token_it_refuses_everybody(make_tick: MakeTick) -> None:
    tick = make_tick("")

    for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer"}, {"Ce-Ticktoken": ""}):
        problem(tick.post("/tick", headers=headers), 401, "unauthenticated")


@pytest.mark.parametrize("headers", [{"Authorization": f"Bearer {TOKEN}"}, {"Ce-Ticktoken": TOKEN}])
def test_a_tick_wakes_a_worker_once_for_each_due_task(make_tick: MakeTick, desk: Desk, headers: dict[str, str]) -> None:
    tick = make_tick(TOKEN)
    for number in range(3):
        desk.create_ticket(f"Ticket {number}", description="x", email=f"ada{number}@example.test")
    due = set(desk.due_tasks())
    wakeups.set_publisher(desk.wakeups.append)
    desk.wakeups.clear()
    desk.advance(seconds=limits.task_wakeup_grace_s + 1)

    first = tick.post("/tick", headers=headers, raw=b'{"any": "CloudEvent"}')
    second = tick.post("/tick", headers=headers)

    assert first.status_code == 200
    assert first.json == {"timers_fired": 0, "tasks_hinted": 3}
    assert {wakeup.task_id for wakeup in desk.wakeups} == due
    assert second.json["tasks_hinted"] == 0


def test_a_tick_fires_timers(make_tick: MakeTick, desk: Desk) -> None:
    ticket = desk.create_ticket()
    desk.transition(ticket, "resolve")
    desk.advance(days=8)

    result = make_tick(TOKEN).post("/tick", headers={"Ce-Ticktoken": TOKEN})
    desk.run_due()

    assert result.json["timers_fired"] == 1
    assert desk.reload(ticket).state == "closed"


def test_eight_ticks_at_once_wake_a_worker_for_each_task_once(make_tick: MakeTick, desk: Desk) -> None:
    tick = make_tick(TOKEN)
    for number in range(10):
        desk.create_ticket(f"Ticket {number}", description="x", email=f"ada{number}@example.test")
    desk.wakeups.clear()
    desk.advance(seconds=limits.task_wakeup_grace_s + 1)

    results = desk.in_threads(*[lambda: tick.post("/tick", headers={"Ce-Ticktoken": TOKEN}).json["tasks_hinted"]] * 8)

    assert sum(results) == 10
    assert len(desk.wakeups) == 10
