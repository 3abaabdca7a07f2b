"""/v1/tasks: the background tasks of the desk, for operators."""

from __future__ import annotations

from typing import Literal

from functions.http.operations import Answer, Call, Operations
from functions.views import pages
from functions.views import representations as show
from models.identity.rules import Permission
from models.kernel.errors import NotFound
from models.tasks import dead_letters, queries

operations = Operations()


class TaskQuery(pages.PageQuery, kw_only=True):
    """Filters for the list of tasks."""

    state: Literal["ready", "leased", "done", "dead", "discarded"] | None = None


def _show(row: queries.TaskRow) -> show.Task:
    task: show.Task = show.copied(show.Task, row)
    return task


def _id(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise NotFound(f"there is no task {text[:40]!r}")
    return int(text)


@operations.add(
    "GET", "/v1/tasks", summary="List tasks", needs=Permission.tasks_read, query=TaskQuery, answers={200: show.TaskPage}
)
def list_tasks(call: Call[None, TaskQuery]) -> Answer:
    """Newest first. `state=dead` lists the tasks that need a person."""
    before = pages.decode(call.query.cursor, "tasks", pages.number)
    rows = queries.page(state=call.query.state, before_id=before[0] if before else None, limit=call.query.limit + 1)
    page, cursor = pages.cut(rows, call.query.limit, "tasks", lambda row: (row["id"],))
    return Answer(show.TaskPage([_show(row) for row in page], cursor))


@operations.add(
    "GET",
    "/v1/tasks/{task}",
    summary="Get a task",
    needs=Permission.tasks_read,
    answers={200: show.Task},
    problems=(404,),
)
def read_task(call: Call) -> Answer:
    """With its last error."""
    return Answer(_show(queries.get(_id(call.params["task"]))))


@operations.add(
    "POST",
    "/v1/tasks/{task}/retry",
    summary="Retry a dead task",
    needs=Permission.tasks_manage,
    answers={202: show.Task},
    problems=(404, 409),
)
def retry_task(call: Call) -> Answer:
    """Resets the count of its attempts."""
    task_id = _id(call.params["task"])
    dead_letters.retry(task_id)
    return Answer(_show(queries.get(task_id)), status=202)


@operations.add(
    "POST",
    "/v1/tasks/{task}/discard",
    summary="Discard a dead task",
    needs=Permission.tasks_manage,
    answers={200: show.Task},
    problems=(404, 409),
)
def discard_task(call: Call) -> Answer:
    """Marks the task as needing no attention."""
    task_id = _id(call.params["task"])
    dead_letters.discard(task_id)
    return Answer(_show(queries.get(task_id)))
