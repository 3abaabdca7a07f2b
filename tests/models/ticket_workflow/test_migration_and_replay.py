"""New versions beside running tickets: publish, roll back, plan, migrate and back, replay; and a version that nobody
can read.
"""

from __future__ import annotations

import copy
import dataclasses
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from models.definitions import store
from models.kernel import clock
from models.kernel.errors import ConfigurationError, Invalid, NotFound
from models.kernel.storage import database
from models.publishing import plan, publishing, workflows
from models.publishing.catalogue import Found
from models.ticket_workflow import migration, replay, why
from models.tickets.tables import Ticket
from models.workflow import definition
from tests.desk import Desk


def body_of(name: str = "support", kind: str = "workflow") -> dict[str, Any]:
    with database.connection():
        found = store.latest(kind, name)
    assert found is not None
    return copy.deepcopy(found.body)


def publish(body: dict[str, Any], kind: str = "workflow", name: str = "support") -> int:
    workflows.forget()
    [new] = publishing.apply([Found(kind, name, body, "source", Path("x.yaml"))], by="test")
    return new.version


def without_solved() -> dict[str, Any]:
    """Support whose `solved` is called `answered`, and which closes after three days."""
    text = repr(body_of()).replace("'solved'", "'answered'").replace("'7d'", "'3d'")
    body: dict[str, Any] = eval(text)  # noqa: S307 -- our own repr
    return body


def test_a_running_ticket_stays_on_its_version_and_new_ones_start_on_the_new(desk: Desk) -> None:
    old = desk.create_ticket()

    version = publish(without_solved())

    assert desk.reload(old).workflow_version == version - 1
    assert desk.create_ticket().workflow_version == version
    assert desk.transition(old, "resolve") == ()
    assert desk.reload(old).state == "solved"


def test_a_rollback_puts_the_version_before_in_force_and_says_who_and_why(desk: Desk) -> None:
    version = publish(without_solved())

    with database.transaction():
        back = publishing.rollback("workflow", "support", to=None, by="ada", reason="too early")

    assert back == version - 1
    assert desk.create_ticket().workflow_version == back
    with database.connection():
        [_, row] = store.history("workflow", "support")
    assert row["in_force"]
    assert [(one["activated_by"], one["reason"]) for one in row["activations"]][-1] == ("ada", "too early")
    assert publish(without_solved()) == version + 1  # what was rolled back is published anew, as a version of its own


def test_a_rollback_to_nowhere_is_refused(desk: Desk) -> None:
    with database.transaction():
        with pytest.raises(NotFound, match="no version 99"):
            publishing.rollback("workflow", "support", to=99, by="x", reason="")
        with pytest.raises(Invalid, match="no version before"):
            publishing.rollback("workflow", "support", to=None, by="x", reason="")


def test_a_plan_counts_what_publishing_would_meet(desk: Desk) -> None:
    for _ in range(3):
        desk.transition(desk.create_ticket(), "resolve")
    desk.create_ticket()

    with database.connection():
        [entry] = plan.plan([Found("workflow", "support", without_solved(), "", Path("x.yaml"))])

    assert (entry.action, entry.version) == ("changed", 2)
    assert entry.states_gone == {"solved": 3}
    assert entry.timers_moved == {"auto_close": 3}
    assert {row["state"]: row["count"] for row in entry.tickets} == {"new": 1, "solved": 3}
    assert any("7d became 3d" in line for line in entry.differences)


def test_a_plan_counts_promises_and_approvals(desk: Desk) -> None:
    desk.create_ticket(type="incident")
    desk.create_ticket(type="access-request", fields={"system": "crm"})
    slower, freer = body_of("incident"), body_of("access-request")
    slower["sla"][1]["targets"]["resolution"]["default"] = "80h"
    del freer["transitions"]["approve"]["approval"]

    with database.connection():
        entries = plan.plan(
            [
                Found("workflow", "incident", slower, "", Path("i")),
                Found("workflow", "access-request", freer, "", Path("a")),
            ]
        )

    assert entries[0].clocks_moved == {"business/resolution": 1}
    assert entries[1].approvals_gone == {"approve": 1}


def solved_tickets(desk: Desk, count: int) -> list[Ticket]:
    made = [desk.create_ticket() for _ in range(count)]
    for ticket in made:
        desk.transition(ticket, "resolve")
    return made


def start(version: int, **state_map: str) -> migration.Migration:
    with database.transaction():
        return migration.start("support", to_version=version, state_map=state_map, by="test")


def test_a_migration_with_an_unmapped_state_is_refused_with_its_tickets(desk: Desk) -> None:
    solved_tickets(desk, 2)
    version = publish(without_solved())

    with pytest.raises(Invalid, match="2 tickets are in solved, which version 2 of support lacks"):
        start(version)
    with pytest.raises(Invalid, match="expected one of"):
        start(version, solved="nowhere")


def test_a_migration_maps_states_resets_timers_and_notifies_nobody(desk: Desk) -> None:
    [ticket] = solved_tickets(desk, 1)
    desk.advance(days=1)
    version = publish(without_solved())

    done = migration.run(start(version, solved="answered").id)

    moved = desk.reload(ticket)
    assert (moved.state, moved.workflow_version, done.moved, done.state) == (
        "answered",
        version,
        1,
        "finished",
    )
    with database.connection():
        [(name, due_at)] = why.timers(ticket.id)
    assert name == "auto_close"
    assert abs(due_at - (moved.state_since or clock.now()) - timedelta(days=3)) < timedelta(seconds=1)
    assert desk.sent == []
    [event] = desk.events(ticket, "ticket_migrated")
    assert event["payload"]["from"] == {"workflow": "support", "version": 1, "state": "solved"}


def test_a_migration_that_was_cut_off_goes_on_and_moves_each_ticket_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    tickets = solved_tickets(desk, 7)
    started = start(publish(without_solved()), solved="answered")
    monkeypatch.setattr(migration, "batch_max", 3)
    real, calls = migration._forth, []

    def dies(change: Any, one: migration.Migration) -> bool:
        calls.append(1)
        if len(calls) == 5:
            raise RuntimeError("killed")
        return real(change, one)

    monkeypatch.setattr(migration, "_forth", dies)
    with pytest.raises(RuntimeError):
        migration.run(started.id)
    with database.connection():
        assert migration.get(started.id).moved == 3

    monkeypatch.setattr(migration, "_forth", real)
    assert migration.run(started.id).moved == 7
    assert migration.run(started.id).moved == 7
    assert all(len(desk.events(ticket, "ticket_migrated")) == 1 for ticket in tickets)


def test_the_way_back_leaves_what_has_gone_on(desk: Desk) -> None:
    stays, goes_on = solved_tickets(desk, 2)
    done = migration.run(start(publish(without_solved()), solved="answered").id)
    desk.transition(goes_on, "reopen")

    with database.transaction():
        back = migration.reverse(done.id, by="test")
    migration.run(back.id)

    assert (desk.reload(stays).state, desk.reload(stays).workflow_version) == ("solved", 1)
    assert (desk.reload(goes_on).state, desk.reload(goes_on).workflow_version) == ("open", 2)
    assert desk.events(goes_on, "migration_skipped")


def test_promises_follow_a_migration(desk: Desk) -> None:
    ticket = desk.create_ticket(type="incident")
    slower = body_of("incident")
    slower["sla"][1]["targets"]["resolution"]["default"] = "80h"
    version = publish(slower, name="incident")

    with database.transaction():
        started = migration.start("incident", to_version=version, by="test")
    migration.run(started.id)

    with database.connection():
        clocks = {one.target: one for one in why.promises(ticket.id)}
    assert clocks["resolution"].target_s == 80 * 3600
    assert clocks["resolution"].state == "running"


def test_a_field_that_tickets_use_is_neither_removed_nor_retyped(desk: Desk) -> None:
    desk.create_ticket(type="incident", fields={"service": "mail"})
    removed, retyped, fewer = (body_of("incident", "model") for _ in range(3))
    del removed["fields"]["service"]
    retyped["fields"]["service"] = {"kind": "number", "label": {"en": "x", "ru": "ы"}}
    del fewer["fields"]["severity"]["choices"]["minor"]
    fewer["fields"]["severity"]["default"] = "major"

    for body, told in (
        (removed, "cannot be removed: 1 tickets have a value in it; keep the field with `retired: true`"),
        (retyped, "cannot be retyped from text to number: 1 tickets"),
        (fewer, "choice minor cannot be removed: 1 tickets have it"),
    ):
        with pytest.raises(Invalid, match="fields") as refused:
            publish(body, "model", "incident")
        assert told in refused.value.message
    assert body_of("incident", "model") != removed


def test_a_new_field_needs_no_restart_and_no_migration(desk: Desk) -> None:
    body = body_of("incident", "model")
    body["fields"]["room"] = {"kind": "text", "label": {"en": "Room", "ru": "Комната"}}
    publish(body, "model", "incident")

    assert desk.create_ticket(type="incident", fields={"room": "7"}).fields["room"] == "7"


def test_an_unreadable_definition_is_reported_at_start_and_not_at_the_first_ticket(desk: Desk) -> None:
    publishing.check_readable()
    broken = body_of() | {"from_the_future": True}
    with database.transaction():
        store.publish("workflow", "support", broken, source="", by="a newer release")

    with pytest.raises(ConfigurationError, match=r"workflow support version 2: .*from_the_future"):
        publishing.check_readable()


def test_two_publishers_at_once_make_two_versions_or_one_is_told(desk: Desk) -> None:
    def one(text: str) -> Any:
        body = body_of() | {"description": text}
        try:
            return publish(body)
        except store.PublishedMeanwhile:
            return "told"

    outcomes = desk.in_threads(lambda: one("a"), lambda: one("b"))

    with database.connection():
        versions = [row["version"] for row in store.history("workflow", "support")]
    assert versions == sorted(set(versions), reverse=True)
    assert len(versions) == 1 + sum(outcome != "told" for outcome in outcomes)


def lived(desk: Desk) -> None:
    """Some days of a desk: answered, reopened, solved, closed by itself."""
    desk.receive_telegram("The printer is on fire.", chat=1)
    desk.receive_email("Help")
    desk.run_due()
    first, second = desk.tickets()
    desk.reply(first)
    desk.receive_telegram("It still burns.", chat=1)
    desk.run_due()
    desk.transition(first, "resolve")
    desk.transition(second, "close")  # refused
    desk.advance(days=8)
    desk.run_due()


def test_a_replay_with_the_same_definition_ends_where_the_tickets_stand(desk: Desk) -> None:
    lived(desk)
    before = _rows()

    with database.connection():
        report = replay.replay(
            "support", definition.read(body_of()), since=clock.now() - timedelta(days=30), until=clock.now()
        )

    assert (report.tickets, report.faithful, report.ended_differently, report.failed) == (2, 2, 0, 0)
    assert report.messages == {"acknowledgement": (2, 2)}
    assert report.refusals == {"close": (1, 1)}
    assert _rows() == before


def test_a_replay_shows_the_differences_of_a_draft(desk: Desk) -> None:
    lived(desk)
    draft = body_of()
    draft["timers"]["auto_close"]["after"] = "30d"
    draft["reactions"] = [one for one in draft["reactions"] if one["name"] != "acknowledge"]

    with database.connection():
        report = replay.replay(
            "support", definition.read(draft), since=clock.now() - timedelta(days=30), until=clock.now()
        )

    assert report.ended_differently == 1
    assert report.differences[0]["state"] == {"before": "closed", "after": "solved"}
    assert report.messages == {"acknowledgement": (2, 0)}
    assert dataclasses.asdict(report)["events"] > 10


def _rows() -> list[Any]:
    with database.connection():
        return [
            database.run(f"SELECT count(*) AS n FROM {table}")
            for table in (
                "tickets",
                "events",
                "messages",
                "deliveries",
                "tasks",
                "timers",
                "decisions",
                "definitions",
                "rate_buckets",
            )
        ]


def test_a_replay_sees_the_words_of_the_messages(desk: Desk) -> None:
    desk.create_ticket(description="The OUTAGE goes on.")
    desk.create_ticket(description="All is well.")
    draft = body_of()
    urgent = {"name": "outage", "on": "ticket_created", "continue": True, "do": [{"priority": "urgent"}]}
    draft["reactions"].insert(0, {**urgent, "when": 'message.text_lower.contains("outage")'})

    with database.connection():
        report = replay.replay(
            "support", definition.read(draft), since=clock.now() - timedelta(days=30), until=clock.now()
        )

    assert [one["priority"] for one in report.differences] == [{"before": "normal", "after": "urgent"}]
