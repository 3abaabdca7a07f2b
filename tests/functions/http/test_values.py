"""What the gateway takes and refuses: bounds in characters, strange texts, bodies that are no JSON, bodies that are too
much.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from models.kernel import limits
from tests.desk import Desk
from tests.functions.callers import Caller, paths, problem, sqlite_only

JSON = {"Content-Type": "application/json"}
FAMILY = "\U0001f468‍\U0001f469‍\U0001f467"  # one picture to a reader, five characters to us
E_ACUTE = "e\u0301"  # one letter, two characters


def made_of(character: str, length: int) -> str:
    return (character * length)[:length]


@pytest.mark.parametrize("character", ["a", "\U0001f600", "я", E_ACUTE, FAMILY])
def test_titles_and_descriptions_are_bounded_in_characters(machine: Caller, character: str) -> None:
    for title, description, expected in (
        (1, 0, []),
        (200, limits.message_body_chars_max, []),
        (201, 1, ["/title"]),
        (1, limits.message_body_chars_max + 1, ["/description"]),
    ):
        body = {"title": made_of(character, title), "description": made_of(character, description)}

        result = machine.post("/v1/tickets", body)

        if expected:
            assert paths(problem(result, 422, "invalid")) == expected
        else:
            assert result.status_code == 201, result.text
            assert result.json["title"] == body["title"]
            first = machine.read(f"/v1/tickets/{result.json['id']}/messages")["items"]
            assert [m["body"] for m in first] == ([body["description"]] if description else [])


def test_a_title_is_stripped_and_is_one_printable_line(machine: Caller) -> None:
    assert machine.ticket("  Printer \u3000")["title"] == "Printer"
    for title in (
        "",
        " ",
        "\u3000\u00a0",
        "a\nb",
        "a\n",
        "\ta",
        "a\r\nBcc: x",
        "a\u2028b",
        "a\x1bb",
        "a\x85b",
        "a\x00b",
    ):
        assert paths(problem(machine.post("/v1/tickets", {"title": title}), 422)) == ["/title"], title


@sqlite_only
@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, ""),
        ({"title": None}, "/title"),
        ({"title": 7}, "/title"),
        ({"title": "x", "colour": "red"}, ""),
        ({"title": "x", "description": ["y"]}, "/description"),
        ({"title": "x", "priority": "soon"}, "/priority"),
        ({"title": "x", "priority": "normal\n"}, "/priority"),
        ({"title": "x", "type": "Incident"}, "/type"),
        ({"title": "x", "type": "question\n"}, "/type"),
        ({"title": "x", "requester": "Ada"}, "/requester"),
        ({"title": "x", "requester": {"name": ""}}, "/requester/name"),
        ({"title": "x", "requester": {"name": "Ada\r\nBcc: eve"}}, "/requester/name"),
        ({"title": "x", "requester": {"email": "ada"}}, "/requester/email"),
        ({"title": "x", "requester": {"email": "ada@example.test\n"}}, "/requester/email"),
        ({"title": "x", "requester": {"email": "ada@example.test, eve@example.test"}}, "/requester/email"),
        ({"title": "x", "requester": {"email": "a" * 310 + "@example.test"}}, "/requester/email"),
        ({"title": "x", "fields": []}, "/fields"),
        ({"title": "x", "fields": {str(n): n for n in range(201)}}, "/fields"),
        ({"title": "x", "fields": {"a": "b\x00"}}, "/fields/a"),
        ({"title": "x", "fields": {"a\x00": "b"}}, "/fields/a\x00"),
        ({"title": "x", "fields": {"a": 10**19}}, "/fields/a"),
        ({"title": "x", "fields": {"a": [1e300]}}, "/fields/a/0"),
        ([], ""),
        ("x", ""),
        (7, ""),
    ],
)
def test_a_wrong_value_is_422_and_says_where(machine: Caller, body: Any, path: str, desk: Desk) -> None:
    result = machine.post("/v1/tickets", raw=json.dumps(body).encode(), headers=JSON)

    assert paths(problem(result, 422, "invalid")) == [path]
    assert desk.tickets() == []


def test_numbers_that_are_kept_come_back_as_they_were(machine: Caller) -> None:
    fields = {"most": 2**63 - 1, "least": -(2**63), "half": 0.5, "tiny": 1e-300, "yes": True, "none": None}

    ticket = machine.ticket(fields=fields)

    assert machine.read(f"/v1/tickets/{ticket['id']}")["fields"] == fields


@sqlite_only
def test_nesting_is_bounded(machine: Caller) -> None:
    def nested(levels: int) -> bytes:
        return b'{"signal":"paid","payload":' + b'{"a":' * levels + b"1" + b"}" * levels + b"}"

    deepest, path = limits.json_depth_max, f"/v1/tickets/{machine.ticket()['id']}/signals"
    assert machine.post(path, raw=nested(deepest), headers=JSON).status_code in (200, 202)
    problem(machine.post(path, raw=nested(deepest + 1), headers=JSON), 422, "invalid")
    problem(machine.post(path, raw=nested(900), headers=JSON), 422, "invalid")
    problem(machine.post(path, raw=nested(100_000), headers=JSON), 400, "bad_request")


@sqlite_only
@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"{'title': 'x'}",
        b"title=x",
        b'{"title": "x"} {}',
        b'{"title": "x\xff"}',
        b'{"title": "\\ud800"}',
        b'{"title": "\\ud800x"}',
        b'{"title": "\\udc00"}',
        b'{"title": "\xed\xa0\x80"}',
        b'\xef\xbb\xbf{"title": "x"}',
        b'{"title": "x", "fields": {"a": NaN}}',
        '{"title": "x"}'.encode("utf-16"),
        b"\x00" * 100,
        b'{"title": "x", "fields":' + b'{"a":' * 100_000,
        b'{"title": "x"} null',
    ],
)
def test_what_is_no_json_is_400(machine: Caller, raw: bytes, desk: Desk) -> None:
    result = machine.post("/v1/tickets", raw=raw, headers=JSON)

    problem(result, 400, "bad_request")
    assert desk.tickets() == []


@sqlite_only
@pytest.mark.parametrize(
    "raw",
    [b'{"title": "x", "fields": {"a": 1e400}}', b'{"title": "x", "fields": {"a": 1' + b"0" * 6_000 + b"}}"],
)
def test_a_number_without_end_is_refused(machine: Caller, raw: bytes, desk: Desk) -> None:
    result = machine.post("/v1/tickets", raw=raw, headers=JSON)

    assert result.status_code in (400, 422)
    problem(result, result.status_code)
    assert desk.tickets() == []


@sqlite_only
@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "application/xml", "json", "", None, "a" * 500],
)
def test_another_content_type_is_415(machine: Caller, content_type: str | None) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}

    result = machine.post("/v1/tickets", raw=b'{"title": "x"}', headers=headers)

    problem(result, 415, "unsupported_media_type")


def test_json_with_a_charset_or_in_capitals_is_json(machine: Caller) -> None:
    for content_type in ("application/json; charset=utf-8", "Application/JSON"):
        result = machine.post("/v1/tickets", raw=b'{"title": "x"}', headers={"Content-Type": content_type})
        assert result.status_code == 201


def test_a_large_body_is_413_and_the_largest_one_is_taken(machine: Caller, desk: Desk) -> None:
    body = b'{"title":"x"}'
    fits = b" " * (limits.json_body_bytes_max - len(body)) + body

    taken = machine.post("/v1/tickets", raw=fits, headers=JSON)
    refused = machine.post("/v1/tickets", raw=b" " + fits, headers=JSON)

    assert taken.status_code == 201
    problem(refused, 413, "too_large")
    assert len(desk.tickets()) == 1


@sqlite_only
def test_a_body_that_ends_early_is_400_and_makes_nothing(machine: Caller, desk: Desk) -> None:
    result = machine.post("/v1/tickets", raw=b'{"title": "x"}', headers=JSON, extras={"CONTENT_LENGTH": "1000"})

    problem(result, 400, "bad_request")
    assert desk.tickets() == []


@sqlite_only
@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/v1/tickets?limit=0", "?limit"),
        ("/v1/tickets?limit=201", "?limit"),
        ("/v1/tickets?limit=", "?limit"),
        ("/v1/tickets?limit=many", "?limit"),
        ("/v1/tickets?limit=1&limit=2", "?limit"),
        ("/v1/tickets?limit=" + "9" * 40, "?limit"),
        ("/v1/tickets?bogus=1", "?bogus"),
        ("/v1/tickets?sort=colour", "?sort"),
        ("/v1/tickets?category=todo,nowhere", "?category/1"),
        ("/v1/tickets?assignee=somebody", "?assignee"),
        ("/v1/tickets?requester=7", "?requester/0"),
        ("/v1/tickets?state=nowhere", "?state/0"),
        ("/v1/tickets?field=printer", "?field"),
        ("/v1/tickets?field.colour=red", "?field.colour"),
        ("/v1/tickets?created_since=99999999d", "?created_since"),
        ("/v1/tickets?q=" + "x" * 501, "?q"),
        ("/v1/tickets?q=a%00b", "?q"),
        ("/v1/tickets?state=new,a%00b", "?state/1"),
        ("/v1/tickets?updated_since=yesterday", "?updated_since"),
        ("/v1/tickets?updated_since=0", "?updated_since"),
        ("/v1/tickets?updated_since=null", "?updated_since"),
        ("/v1/tickets?requester=null", "?requester/0"),
        ("/v1/tasks?state=NULL", "?state"),
        ("/v1/tickets?updated_since=2026-01-01T00:00:00", "?updated_since"),
        ("/v1/tickets?updated_since=0001-01-01T00:00:00%2B14:00", "?updated_since"),
        ("/v1/tickets?updated_since=9999-12-31T23:59:59-14:00", "?updated_since"),
        ("/v1/users?role=boss", "?role"),
        ("/v1/users?active=maybe", "?active"),
        ("/v1/inbox?status=lost", "?status"),
        ("/v1/deliveries?status=lost", "?status"),
        ("/v1/tasks?state=lost", "?state"),
    ],
)
def test_a_wrong_parameter_is_422_and_is_named(machine: Caller, path: str, parameter: str) -> None:
    bare, _, query = path.partition("?")

    result = machine.get(bare, query_string=query)

    assert paths(problem(result, 422, "invalid")) == [parameter]


def test_strange_queries_are_answered_and_never_break(machine: Caller) -> None:
    machine.ticket("100% _wool_ 'quoted' \\ back")
    for query in (
        "q=%ff%fe",
        "q=%",
        "q=%zz",
        "q=null",
        "q='",
        "q=%25",
        "q=\\",
        "assignee=none",
        "state=",
        "&&&",
        "q=%ed%a0%80",
    ):
        assert machine.get("/v1/tickets", query_string=query).status_code == 200, query


def test_null_characters_and_broken_utf8_in_an_address_are_not_found_or_refused(machine: Caller) -> None:
    for path in (
        "/v1/tickets/a%00b",
        "/v1/tickets/%ff",
        "/v1/tickets/%ed%a0%80",
        "/v1/users/%00",
        "/v1/tasks/٣",
    ):
        result = machine.get(path)
        problem(result, result.status_code)
        assert result.status_code in (400, 404)


@sqlite_only
@pytest.mark.parametrize(
    "raw",
    [
        b'{"title": "a", "title": "b"}',
        b'{"title": "a", "t\\u0069tle": "b"}',
        b'{"title": "a", "fields": {"x": 1, "x": 2}}',
        b'{"title": "a", "fields": {"x": [{"y": 1, "y": 1}]}}',
    ],
)
def test_a_body_with_two_members_of_one_name_is_refused(machine: Caller, raw: bytes) -> None:
    document = problem(machine.ask("POST", "/v1/tickets", raw=raw, headers=JSON), 400, "bad_request")

    assert "occurs twice in one object" in document["detail"]
    assert machine.read("/v1/tickets")["items"] == []


@sqlite_only
def test_equal_names_in_different_objects_are_accepted(machine: Caller) -> None:
    raw = b'{"title": "a", "description": "x", "requester": {"name": "a", "email": "a@example.test"}}'

    assert machine.ask("POST", "/v1/tickets", raw=raw, headers=JSON).status_code == 201
