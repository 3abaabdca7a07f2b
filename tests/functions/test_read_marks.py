"""A ticket is unread for a user while a customer's message waits that the user has not read."""

from __future__ import annotations

from typing import Any

import pytest

from models.kernel import clock
from models.kernel.storage import database
from models.read_marks import commands
from models.read_marks import limits as read_mark_limits
from models.ticket_actions import answering
from tests.desk import Desk
from tests.functions.callers import Caller, problem, sqlite_only


@pytest.fixture
def ada(desk: Desk) -> Any:
    """A ticket that Ada opened by mail."""
    desk.receive_email("It burns.", sender="ada@example.com", subject="Printer")
    desk.run_due()
    return desk.ticket()


def unread(caller: Caller) -> set[str]:
    """Titles of the unread tickets: as the filter and as the column say it."""
    by_filter = {one["title"] for one in caller.read("/v1/tickets?unread=true&fields=title")["items"]}
    others = {one["title"] for one in caller.read("/v1/tickets?unread=false&fields=title")["items"]}
    rows = caller.read("/v1/tickets?fields=title,unread")["items"]
    assert {one["title"] for one in rows if one["unread"]} == by_filter
    assert {one["title"] for one in rows if not one["unread"]} == others
    return by_filter


def again(desk: Desk, ticket: Any, *, machine: bool = False) -> None:
    """Ada writes once more; or her absence notice does."""
    headers = {"In-Reply-To": desk.sent[0].message.external_id or ""}
    if machine:
        headers["Auto-Submitted"] = "auto-replied"
    desk.advance(minutes=1)
    desk.receive_email("Still.", sender="ada@example.com", subject="Re: Printer", headers=headers)
    desk.run_due()


def test_a_customers_message_makes_a_ticket_unread_for_each_user_until_that_user_reads_it(
    desk: Desk, ada: Any, as_user: Any
) -> None:
    agent, manager = as_user("agent"), as_user("manager")
    path = f"/v1/tickets/{ada.id}/read"
    assert unread(agent) == unread(manager) == {"Printer"}

    done = agent.ask("PUT", path, {})

    assert (done.status_code, done.json) == (200, {"unread": False})
    assert (unread(agent), unread(manager)) == (set(), {"Printer"})
    again(desk, ada)
    assert unread(agent) == {"Printer"}
    assert len(desk.bodies(ada)) >= 2


@sqlite_only
def test_words_of_the_desk_and_of_machines_do_not_make_a_ticket_unread(desk: Desk, ada: Any, as_user: Any) -> None:
    agent = as_user("agent")
    agent.ask("PUT", f"/v1/tickets/{ada.id}/read", {})
    desk.advance(minutes=1)

    desk.reply(ada, "We look at it.")
    desk.command(answering.note, ada.id, "The plan.", actor=desk.person("manager"))
    desk.run_due()
    again(desk, ada, machine=True)
    machine_words = [one for one in desk.messages(ada) if one["by_machine"]]

    assert machine_words
    assert unread(agent) == set()


@sqlite_only
def test_a_message_that_arrives_while_the_user_reads_stays_unread(desk: Desk, ada: Any, as_user: Any) -> None:
    agent = as_user("agent")
    [seen] = [one["id"] for one in desk.messages(ada) if one["direction"] == "inbound"]
    again(desk, ada)

    first = agent.ask("PUT", f"/v1/tickets/{ada.id}/read", {"seen_message": str(seen)})
    second = agent.ask("PUT", f"/v1/tickets/{ada.id}/read", {})
    back = agent.ask("PUT", f"/v1/tickets/{ada.id}/read", {"seen_message": str(seen)})

    assert [one.json["unread"] for one in (first, second, back)] == [True, False, False]


@sqlite_only
def test_a_message_of_another_ticket_is_refused(desk: Desk, ada: Any, machine: Caller, as_user: Any) -> None:
    other = machine.ticket("Lamp")
    note = machine.made(f"/v1/tickets/{other['id']}/messages", {"kind": "note", "body": "x"})

    refused = as_user("agent").ask("PUT", f"/v1/tickets/{ada.id}/read", {"seen_message": note["id"]})

    assert problem(refused, 422)["errors"][0]["path"] == "/seen_message"


@sqlite_only
def test_a_user_marks_a_ticket_unread_until_the_next_reading(desk: Desk, ada: Any, as_user: Any) -> None:
    path = f"/v1/tickets/{ada.id}/read"
    desk.advance(days=40)
    agent = as_user("agent")
    assert unread(agent) == set(), "an old message waits elsewhere"

    marked = [agent.ask("DELETE", path) for _ in range(2)]

    assert [one.json for one in marked] == [{"unread": True}] * 2
    assert unread(agent) == {"Printer"}
    assert agent.ask("PUT", path, {}).json == {"unread": False}
    assert unread(agent) == set()


@sqlite_only
def test_an_api_key_reads_for_nobody(ada: Any, machine: Caller) -> None:
    for method in ("PUT", "DELETE"):
        problem(machine.ask(method, f"/v1/tickets/{ada.id}/read", {} if method == "PUT" else None), 409)


@sqlite_only
def test_a_mark_is_no_event(desk: Desk, ada: Any, as_user: Any) -> None:
    before = len(desk.events(ada))

    as_user("agent").ask("PUT", f"/v1/tickets/{ada.id}/read", {})

    assert len(desk.events(ada)) == before
    assert desk.reload(ada).version == ada.version


@sqlite_only
def test_old_marks_are_deleted_except_for_those_that_say_unread(desk: Desk, ada: Any, as_user: Any) -> None:
    agent, manager = as_user("agent"), as_user("manager")
    agent.ask("PUT", f"/v1/tickets/{ada.id}/read", {})
    manager.ask("DELETE", f"/v1/tickets/{ada.id}/read")
    desk.advance(seconds=read_mark_limits.read_marks_kept_s + 1)

    with database.transaction():
        deleted = commands.forget_old(before=clock.now(), batch_max=10)

    assert deleted == 1
    assert [row["is_unread"] in (True, 1) for row in desk.rows("SELECT is_unread FROM read_marks")] == [True]
