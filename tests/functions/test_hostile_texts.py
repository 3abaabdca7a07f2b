"""Texts that nobody can read, that a terminal obeys, and fields without a model that grow without a bound."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from msgspec import inspect

from functions.gateway.app import operations
from models.kernel import limits, text
from models.kernel.errors import Invalid
from models.ports.inbound import InboundMessage
from models.tickets import ticket_fields
from models.workflow.instance import Instance
from tests.desk import Desk
from tests.functions.callers import Caller, problem, sqlite_only

INVISIBLE = [
    pytest.param("\u200b\u2060", id="zero width"),
    pytest.param("\u3164", id="Hangul filler"),
    pytest.param("\u00ad \u200d", id="soft hyphen and joiner"),
    pytest.param("\U000e0041\U000e0042", id="tags"),
    pytest.param("\u202e\u202d", id="direction"),
    pytest.param("\x1b[2J", id="terminal"),
    pytest.param("\x07", id="bell"),
]
DECEPTIVE = "invoice\u202efdp.exe"
READABLE = ["Принтер", "پرینتر می‌سوزد", "👩‍🚒 family 👨‍👩‍👧", "a\u00a0b", "é", "ﷺ"]


@sqlite_only
@pytest.mark.parametrize("title", [*INVISIBLE, DECEPTIVE])
def test_a_title_that_shows_nothing_or_deceives_is_refused(machine: Caller, title: str) -> None:
    problem(machine.post("/v1/tickets", {"title": title}), 422)
    ticket = machine.ticket()
    change = {"title": title}
    problem(machine.ask("PATCH", f"/v1/tickets/{ticket['id']}", change, headers={"If-Match": "*"}), 422)

    assert [one["title"] for one in machine.read("/v1/tickets")["items"]] == ["Printer"]


@sqlite_only
def test_titles_of_every_script_and_of_joined_emoji_are_accepted(machine: Caller) -> None:
    for title in READABLE:
        assert machine.ticket(title)["title"] == title


@sqlite_only
@pytest.mark.parametrize("name", INVISIBLE)
def test_names_that_show_nothing_are_refused(machine: Caller, as_role: Callable[[str], Caller], name: str) -> None:
    user = {"email": "eve@example.test", "name": name, "role": "agent", "password": "a long pass phrase 17"}

    problem(machine.post("/v1/tickets", {"title": "x", "requester": {"name": name}}), 422)
    problem(as_role("admin").post("/v1/users", user), 422)
    problem(as_role("admin").post("/v1/api_keys", {"name": name, "role": "agent"}), 422)


@sqlite_only
@pytest.mark.parametrize("control", ["\x1b[31m", "\x08", "\x7f", "\x9b2J"])
def test_texts_of_many_lines_have_no_control_characters(agent: Caller, machine: Caller, control: str) -> None:
    ticket = machine.ticket(description="It\tburns.\r\nReally.")
    path = f"/v1/tickets/{ticket['id']}"

    problem(machine.post("/v1/tickets", {"title": "x", "description": f"a{control}"}), 422)
    problem(machine.post("/v1/tickets", {"title": "x", "fields": {"note": f"a{control}"}}), 422)
    problem(machine.post("/v1/tickets", {"title": "x", "fields": {f"a{control}": 1}}), 422)
    problem(agent.post(f"{path}/messages", {"kind": "note", "body": f"a{control}"}), 422)
    problem(agent.post(f"{path}/transitions", {"transition": "take", "comment": f"a{control}"}), 422)

    assert len(machine.read("/v1/tickets")["items"]) == 1


def strings(kind: inspect.Type, place: str) -> Iterator[tuple[str, inspect.StrType]]:
    """Every text of a request type, with its place."""
    match kind:
        case inspect.StrType():
            yield place, kind
        case inspect.StructType():
            for field in kind.fields:
                yield from strings(field.type, f"{place}.{field.encode_name}")
        case inspect.UnionType():
            for one in kind.types:
                yield from strings(one, place)
        case inspect.ListType():
            yield from strings(kind.item_type, place)
        case inspect.Metadata():
            yield from strings(kind.type, place)


def test_every_name_and_title_of_a_request_refuses_text_that_shows_nothing() -> None:
    bodies = {operation.body for operation in operations().all if operation.body is not None}
    shown = [
        (place, found)
        for body in sorted(bodies, key=lambda one: one.__name__)
        for place, found in strings(inspect.type_info(body), body.__name__)
        if place.rpartition(".")[2] in ("title", "name")
    ]

    lax = [place for place, found in shown if found.pattern is None or re.search(found.pattern, "\u200b")]
    assert len(shown) > 5
    assert lax == []


def test_a_line_of_a_request_ends_at_its_end() -> None:
    """`$` accepts a newline at the end; a newline in a name injects a header."""
    bodies = {operation.body for operation in operations().all if operation.body is not None}
    patterns = {
        place: found.pattern
        for body in bodies
        for place, found in strings(inspect.type_info(body), body.__name__)
        if found.pattern is not None
    }

    assert [place for place, pattern in patterns.items() if re.search(r"(?<!\\)\$\Z", pattern)] == []


def test_a_subject_that_shows_nothing_becomes_the_first_line_of_the_message(desk: Desk) -> None:
    message = InboundMessage(
        "42", "\u200b", "42", "\u2060\nIt burns.", conversation_address="42", subject="\u200b\u3164"
    )
    desk.receive(message, channel="telegram")
    desk.run_due()

    assert desk.ticket().title == "It burns."
    assert [row["name"] for row in desk.rows("SELECT name FROM requesters")] != ["\u200b"]


@pytest.mark.parametrize("line", ["\u200b\u2060", "\u3164", "\x1b", "\u202e"])
def test_a_line_from_outside_that_shows_nothing_is_empty(line: str) -> None:
    assert text.one_line(line, 100) == ""


BIG = "x" * (limits.open_fields_bytes_max // 2)
DEEP: Any = 1
for _ in range(limits.open_field_depth_max + 1):
    DEEP = [DEEP]


@sqlite_only
@pytest.mark.parametrize(
    ("fields", "path", "expected"),
    [
        ({f"f{n}": n for n in range(limits.fields_max + 1)}, "/fields", "expected at most 200 fields"),
        ({"a": BIG, "b": BIG}, "/fields", "expected at most 32768 bytes of JSON"),
        ({"a": DEEP}, "/fields/a", "expected at most 8 levels"),
        ({"x" * 101: 1}, "/fields/" + "x" * 100, "expected a name of one line"),
        ({"\u200b": 1}, "/fields/\u200b", "expected a name of one line"),
    ],
    ids=["number", "bytes", "depth", "long name", "invisible name"],
)
def test_fields_without_a_model_are_bounded(machine: Caller, fields: dict[str, Any], path: str, expected: str) -> None:
    made = machine.post("/v1/tickets", {"title": "x", "fields": fields})
    ticket = machine.ticket(fields={"room": 3})
    changed = machine.ask("PATCH", f"/v1/tickets/{ticket['id']}", {"fields": fields}, headers={"If-Match": "*"})

    for result in (made, changed):
        [found] = problem(result, 422)["errors"]
        assert found["path"] == path
        assert found["message"].startswith(expected)
    assert machine.read(f"/v1/tickets/{ticket['id']}")["fields"] == {"room": 3}


@sqlite_only
def test_a_rule_cannot_grow_the_fields_beyond_their_bound_and_anybody_can_shrink_them(desk: Desk) -> None:
    before = {"a": BIG, "b": BIG, "c": 1}

    with pytest.raises(Invalid, match="bytes of JSON"):
        desk.command(ticket_fields.validated_by_rule, Instance("new", "todo", fields={"a": BIG}), {"b": BIG})

    ticket = Instance("new", "todo", fields=before)
    assert desk.command(ticket_fields.validated_by_rule, ticket, {"b": "short"})["b"] == "short"
