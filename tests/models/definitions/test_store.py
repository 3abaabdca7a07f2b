"""Published definitions: immutable versions, a new one only for a new content."""

from __future__ import annotations

import pytest

from models.definitions import store
from models.kernel.storage import database
from models.publishing import workflows
from tests.desk import Desk
from tests.functions.callers import sqlite_only


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


@sqlite_only
def test_what_another_process_published_together_is_seen_together(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with database.connection():
        before = [store.latest(kind, name) for kind, name in (("workflow", "task"), ("model", "task"))]
    assert None not in before
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(store, "forget", lambda: None)
        with database.transaction():
            for one in before:
                assert one is not None
                store.publish(one.kind, one.name, one.body | {"description": "new"}, source="", by="elsewhere")

    store._latest.pop("model")
    with database.connection():
        model, workflow = store.latest("model", "task"), store.latest("workflow", "task")

    assert model is not None
    assert workflow is not None
    assert (model.version, workflow.version) == (2, 2)
