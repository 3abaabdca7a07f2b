"""Random bulk changes and undos keep every event log without gaps, and an undo ends where the change began."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.bulk import jobs
from models.kernel.errors import NestorError
from models.kernel.open_json import JsonObject
from models.tickets.tables import Ticket
from tests.desk import Desk, gapless
from tests.functions.callers import sqlite_only
from tests.models.bulk.test_bulk_changes import caller, done, state_of

_WORDS = st.sampled_from(["a", "b", "c"])
_TAGS = st.fixed_dictionaries({"add": st.lists(_WORDS, max_size=2), "remove": st.lists(_WORDS, max_size=2)})
_CHANGES = st.one_of(
    st.sampled_from(["low", "normal", "high"]).map(lambda word: {"priority": word}),
    _TAGS.map(lambda edit: {"tags": edit}),
    st.integers(0, 3).map(lambda floor: {"fields": {"floor": floor or None}}),
    st.sampled_from(["Printer", "Scanner"]).map(lambda title: {"title": title}),
)
_ACTS: st.SearchStrategy[JsonObject] = st.one_of(
    _CHANGES.map(lambda changes: {"act": "change", "arguments": changes}),
    st.sampled_from(["PT4H", None]).map(
        lambda distance: {"act": "snooze", "arguments": {"until": None, "distance": distance, "note": None}}
    ),
    st.just({"act": "wake", "arguments": {}}),
    st.just({"act": "transition", "arguments": {"transition": "start"}}),
)
_STEPS = st.lists(
    st.tuples(st.lists(_ACTS, min_size=1, max_size=3), st.sets(st.integers(0, 2), min_size=1), st.booleans()),
    min_size=1,
    max_size=4,
)


def seen(ticket: Ticket) -> JsonObject:
    row: dict[str, Any] = ticket.row()
    names = ("title", "priority", "fields", "state", "assignee_id", "snoozed_until", "snooze_note")
    return {name: row[name] for name in names} | {"tags": sorted(row["tags"]), "asleep": row["snoozed_at"] is not None}


@sqlite_only
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_STEPS)
def test_random_bulk_changes_and_undos_end_where_they_should(desk: Desk, steps: Any) -> None:
    tickets = [desk.create_ticket(tags=("a",)) for _ in range(3)]

    for acts, chosen, is_undone in steps:
        before = [seen(desk.reload(ticket)) for ticket in tickets]
        job = done(desk, [tickets[index] for index in sorted(chosen)], *acts)
        assert job.changed + job.unchanged + job.refused == len(chosen)
        assert job.failed == 0
        moves = any(act["act"] == "transition" for act in acts)
        if is_undone and not moves and job.changed:
            try:
                desk.command(jobs.undo, job.id, caller=caller(desk))
            except NestorError:
                # Acts that cancel each other out leave nothing to restore.
                assert [seen(desk.reload(ticket)) for ticket in tickets] == before
                continue
            desk.run_due()
            assert state_of(desk, job).undone_by is not None
            assert [seen(desk.reload(ticket)) for ticket in tickets] == before

    for ticket in tickets:
        events = desk.events(ticket)
        assert gapless([event["sequence"] for event in events])
        assert len(events) == desk.reload(ticket).event_sequence
