"""Published definitions: immutable versions, a new one only for a new content."""

from __future__ import annotations

from models.definitions import store
from models.kernel.storage import database
from models.publishing import workflows
from tests.desk import Desk


def _publish(body: dict[str, object]) -> tuple[int, bool]:
    with database.transaction():
        return store.publish("workflow", "w", body, source="", by="tests")


def test_the_same_content_is_no_new_version_and_another_is(desk: Desk) -> None:
    results = [_publish({"a": 1, "b": 2}), _publish({"a": 1, "b": 2}), _publish({"a": 2})]

    assert results == [(1, True), (1, False), (2, True)]
    with database.connection():
        first, latest = store.version_of("workflow", "w", 1), store.latest("workflow", "w")
        missing = store.version_of("workflow", "w", 3)
    assert first is not None
    assert latest is not None
    assert (first.body, latest.body, latest.version) == ({"a": 1, "b": 2}, {"a": 2}, 2)
    assert missing is None


def test_a_ticket_stays_on_the_version_that_it_started_with(desk: Desk) -> None:
    ticket = desk.create_ticket()
    with database.connection():
        latest = store.latest("workflow", "support")
    assert latest is not None
    body = {**latest.body, "transitions": {}, "reactions": [], "timers": {}}
    with database.transaction():
        store.publish("workflow", "support", body, source="", by="tests")

    newer = desk.create_ticket()

    assert (ticket.workflow_version, newer.workflow_version) == (1, 2)
    assert desk.transition(ticket, "resolve") == ()
    assert desk.transition(newer, "resolve") == ("the life cycle has no transition 'resolve'",)
    with database.connection():
        assert workflows.newest("support").version == 2
