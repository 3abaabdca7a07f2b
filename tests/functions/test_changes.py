"""The feed of changes, and presence: nothing missed, nothing shown to those who may not see it."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from models.changes import feed
from models.kernel import clock
from models.kernel.storage import database
from models.presence import commands as presence
from models.ticket_actions import commands
from tests.desk import Desk
from tests.functions.callers import Caller, paths, problem, sqlite_only
from tests.functions.test_visibility import hide


def position_of(caller: Caller) -> str:
    answer = caller.read("/v1/changes")
    assert answer["items"] == []
    return str(answer["position"])


def changes(caller: Caller, after: str, **parameters: str) -> Any:
    return caller.read("/v1/changes", params={"after": after, **parameters})


def test_a_poller_gets_each_changed_ticket_with_the_types_of_its_events(desk: Desk, machine: Caller) -> None:
    after = position_of(machine)
    first, second = machine.ticket("First"), machine.ticket("Second")
    machine.made(f"/v1/tickets/{first['id']}/messages", {"kind": "note", "body": "Read this."})

    answer = changes(machine, after)

    assert [one["id"] for one in answer["items"]] == [second["id"], first["id"]]
    assert answer["items"][1]["event_types"][0] == "ticket_created"
    assert "note_added" in answer["items"][1]["event_types"]
    assert answer["items"][1]["version"] == machine.read(f"/v1/tickets/{first['id']}")["version"]
    assert answer["more"] is False
    assert changes(machine, answer["position"])["items"] == []


def test_a_feed_without_changes_answers_304_and_another_change_ends_it(desk: Desk, machine: Caller) -> None:
    after = position_of(machine)
    known = machine.get("/v1/changes", params={"after": after}).headers["etag"]

    unchanged = machine.get("/v1/changes", params={"after": after}, headers={"If-None-Match": known})
    machine.ticket()
    changed = machine.get("/v1/changes", params={"after": after}, headers={"If-None-Match": known})

    assert (unchanged.status_code, unchanged.content, unchanged.headers["etag"]) == (304, b"", known)
    assert changed.status_code == 200
    assert changed.headers["etag"] != known
    assert len(changed.json["items"]) == 1


def test_pages_of_the_feed_leave_nothing_out(desk: Desk, machine: Caller) -> None:
    after = position_of(machine)
    made = {machine.ticket(f"Ticket {n}")["id"] for n in range(5)}

    found: set[str] = set()
    more = True
    while more:
        answer = changes(machine, after, limit="2")
        assert len(answer["items"]) <= 2
        found |= {one["id"] for one in answer["items"]}
        after, more = answer["position"], answer["more"]

    assert found == made


def test_the_feed_does_not_show_a_ticket_of_a_hidden_team(desk: Desk, machine: Caller, as_user: Any) -> None:
    hide(desk)
    outsider, member = as_user("manager"), as_user("agent")
    after = position_of(outsider)
    ticket = machine.ticket(team="hr")

    seen_by_outsider, seen_by_member = changes(outsider, after), changes(member, after)

    assert seen_by_outsider["items"] == []
    assert [one["id"] for one in seen_by_member["items"]] == [ticket["id"]]
    assert seen_by_outsider["position"] == seen_by_member["position"] != after


@sqlite_only
def test_the_feed_shows_nothing_of_an_erased_person_but_that_the_ticket_changed(
    desk: Desk, machine: Caller, as_user: Any
) -> None:
    desk.receive_telegram("Zanzibar burns.", name="Zelda")
    desk.run_due()
    ticket, after = desk.ticket(), position_of(machine)
    body = {"confirm": True}
    erased = as_user("admin").post(f"/v1/requesters/{ticket.requester_id}/erasure", body)
    assert erased.status_code in (200, 202), erased.text

    answer = machine.get("/v1/changes", params={"after": after})

    assert [one["id"] for one in answer.json["items"]] == [str(ticket.id)]
    assert "Zelda" not in answer.text
    assert "Zanzibar" not in answer.text


@sqlite_only
def test_a_position_that_is_too_old_says_how_to_go_on(
    desk: Desk, machine: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    after = position_of(machine)
    machine.ticket()
    clock.set_shift(timedelta(seconds=feed.kept_s + 60))

    document = problem(machine.get("/v1/changes", params={"after": after}), 410, "position_expired")

    assert "without `after`" in document["detail"]
    assert changes(machine, position_of(machine))["items"] == []


@sqlite_only
@pytest.mark.parametrize("after", ["x", "WyJ0aWNrZXRzIiwiMSJd"])
def test_a_text_that_is_no_position_is_refused(desk: Desk, machine: Caller, after: str) -> None:
    assert paths(problem(machine.get("/v1/changes", params={"after": after}), 422)) == ["?after"]


@pytest.mark.parametrize("database_engine", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
def test_changes_that_commit_late_are_not_missed_by_a_poller(desk: Desk, machine: Caller) -> None:
    tickets = [machine.ticket(f"Ticket {n}") for n in range(3)]
    after = position_of(machine)
    ends = [threading.Event() for _ in tickets]
    written = [threading.Event() for _ in tickets]

    def rename(n: int) -> None:
        with database.transaction():
            change = {"title": f"Renamed {n}"}
            commands.update(UUID(tickets[n]["id"]), change, expected_version=None, actor=desk.person("agent"))
            written[n].set()
            assert ends[n].wait(20)

    writers = [threading.Thread(target=rename, args=(n,)) for n in range(3)]
    found: list[str] = []
    # They write in their order and commit in the reverse order; the poller polls after each commit.
    for writer, started in zip(writers, written, strict=True):
        writer.start()
        assert started.wait(20)
    for writer, may_end in reversed(list(zip(writers, ends, strict=True))):
        may_end.set()
        writer.join(20)
        answer = changes(machine, after)
        found += [one["id"] for one in answer["items"]]
        after = answer["position"]

    assert found == [ticket["id"] for ticket in tickets]


def test_others_see_who_is_in_a_ticket_until_they_leave_or_fall_silent(
    desk: Desk, machine: Caller, as_user: Any
) -> None:
    ticket = machine.ticket()
    path = f"/v1/tickets/{ticket['id']}/presence"
    agent, manager = as_user("agent"), as_user("manager")

    assert agent.ask("PUT", path, {"doing": "viewing"}).json == {"items": []}
    [seen] = manager.ask("PUT", path, {"doing": "writing"}).json["items"]
    assert (seen["user_id"], seen["doing"]) == (str(desk.person("agent").id), "viewing")
    [seen] = agent.read(path)["items"]
    assert (seen["user_id"], seen["doing"]) == (str(desk.person("manager").id), "writing")

    assert manager.ask("DELETE", path).status_code == 204
    assert agent.read(path)["items"] == []
    assert len(manager.read(path)["items"]) == 1
    clock.set_shift(timedelta(seconds=presence.presence_s + 1))
    assert manager.read(path)["items"] == []


def test_the_feed_carries_presence_and_a_poll_says_it(desk: Desk, machine: Caller, as_user: Any) -> None:
    ticket = machine.ticket()
    agent, manager = as_user("agent"), as_user("manager")
    after = position_of(manager)
    known = manager.get("/v1/changes", params={"after": after}).headers["etag"]

    assert changes(agent, after, writing=ticket["id"])["presence"] == []
    answer = manager.get("/v1/changes", params={"after": after}, headers={"If-None-Match": known})

    assert answer.status_code == 200
    [seen] = answer.json["presence"]
    assert (seen["ticket_id"], seen["doing"]) == (ticket["id"], "writing")
    assert seen["user_name"]


def test_presence_in_a_hidden_ticket_is_shown_to_nobody_outside(desk: Desk, machine: Caller, as_user: Any) -> None:
    hide(desk)
    outsider, member = as_user("manager"), as_user("agent")
    ticket, after = machine.ticket(team="hr"), position_of(as_user("manager"))
    changes(member, after, viewing=ticket["id"])

    changes(outsider, after, viewing=ticket["id"])

    assert changes(outsider, after)["presence"] == []
    assert changes(member, after)["presence"] == []
    assert [one["user_id"] for one in as_user("admin").read("/v1/changes")["presence"]] == [
        str(desk.person("agent").id)
    ]


@sqlite_only
def test_a_key_has_no_presence(desk: Desk, machine: Caller) -> None:
    ticket = machine.ticket()

    problem(machine.get("/v1/changes", params={"viewing": ticket["id"]}), 409)
    problem(machine.ask("PUT", f"/v1/tickets/{ticket['id']}/presence", {"doing": "viewing"}), 409)


@sqlite_only
def test_a_user_is_present_in_a_few_tickets_at_most(
    desk: Desk, machine: Caller, as_user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "tickets_per_user_max", 3)
    agent = as_user("agent")
    for n in range(5):
        agent.ask("PUT", f"/v1/tickets/{machine.ticket(f'Ticket {n}')['id']}/presence", {"doing": "viewing"})

    assert len(desk.rows("SELECT ticket_id FROM presences")) == 3
