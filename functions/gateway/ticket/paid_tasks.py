"""/v1/paid_tasks: the tasks with a fee or a reward, for accountants."""

from __future__ import annotations

from uuid import UUID

import msgspec

from functions.http.operations import Answer, Call, Operations
from functions.views import pages
from models.identity.rules import Permission
from models.ticket_actions import paid_tasks

operations = Operations()


class PaidTask(msgspec.Struct):
    """A ticket with a fee or a reward, without its conversation."""

    id: UUID
    number: int
    type: str
    title: str
    description: str | None


class PaidTaskPage(msgspec.Struct):
    """A page of paid tasks."""

    items: list[PaidTask]
    next_cursor: str | None


def _shown(task: paid_tasks.PaidTask) -> PaidTask:
    return PaidTask(task.id, task.number, task.type, task.title, task.description)


@operations.add(
    "GET",
    "/v1/paid_tasks",
    summary="List paid tasks",
    needs=Permission.paid_tasks_read,
    query=pages.PageQuery,
    answers={200: PaidTaskPage},
)
def list_paid_tasks(call: Call[None, pages.PageQuery]) -> Answer:
    """Returns the tasks of all teams, newest first."""
    before = pages.decode(call.query.cursor, "paid_tasks", pages.number)
    rows = paid_tasks.page(before=before[0] if before else None, limit=call.query.limit + 1)
    page, cursor = pages.cut(rows, call.query.limit, "paid_tasks", lambda row: (row.number,))
    return Answer(PaidTaskPage([_shown(row) for row in page], cursor))


@operations.add(
    "GET",
    "/v1/paid_tasks/{ticket}",
    summary="Get a paid task",
    needs=Permission.paid_tasks_read,
    answers={200: PaidTask},
    problems=(404,),
)
def read_paid_task(call: Call) -> Answer:
    """Finds the task by id or number."""
    return Answer(_shown(paid_tasks.get(call.params["ticket"])))
