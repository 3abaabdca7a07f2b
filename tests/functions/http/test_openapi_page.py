"""The OpenAPI document has groups, examples and security; its page shows them all and tries them by our own script."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

import jsonschema
import msgspec
import pytest

from functions.gateway.app import operations
from functions.http import openapi
from functions.http.docs import page
from functions.views.groups import GROUPS
from models.identity import rules
from models.kernel import limits
from tests.desk import Desk
from tests.functions.callers import Caller, problem, sqlite_only

OPERATIONS = operations()
DOCUMENT = openapi.document(OPERATIONS, "gateway")
DESCRIBED = [(path, method, one) for path, methods in DOCUMENT["paths"].items() for method, one in methods.items()]
WITH_BODY = [one for one in OPERATIONS.all if one.body is not None]


def test_every_operation_is_in_one_described_group_and_says_its_security() -> None:
    groups = {tag["name"]: tag["description"] for tag in DOCUMENT["tags"]}

    assert all(groups.values())
    assert {tag for _, _, one in DESCRIBED for tag in one["tags"]} == set(groups)
    assert all(len(one["tags"]) == 1 and "security" in one for _, _, one in DESCRIBED)
    words = {path.split("/")[2] for path, _, _ in DESCRIBED if path.startswith("/v1/")}
    assert words == set(GROUPS)


@pytest.mark.parametrize("operation", WITH_BODY, ids=lambda one: f"{one.method} {one.path}")
def test_every_body_has_an_example_that_fits_its_schema(operation: Any) -> None:
    content = DOCUMENT["paths"][operation.path][operation.method.lower()]["requestBody"]["content"]
    told = content["application/json"]

    msgspec.convert(told["example"], operation.body)
    jsonschema.validate(told["example"], {**told["schema"], "components": DOCUMENT["components"]})


@pytest.mark.parametrize(
    ("address", "fits"),
    [
        ("first.last@example.test", True),
        ("first+tag@mail.example.test", True),
        ("o'neill@example.test", True),
        ("a..b@example.test", False),
        ("a b@example.test", False),
        ("a@localhost", False),
    ],
)
def test_the_pattern_of_users_addresses_takes_what_the_rule_takes(address: str, fits: bool) -> None:
    pattern = DOCUMENT["components"]["schemas"]["NewUser"]["properties"]["email"]["pattern"]

    assert (re.search(pattern, address) is not None) == fits
    assert (rules.email_problems(address) == []) == fits


@sqlite_only
@pytest.mark.parametrize(
    ("path", "body", "query", "place", "told"),
    [
        (
            "/v1/tickets/1/messages",
            {"kind": "memo", "body": "x"},
            "",
            "/kind",
            "expected one of note, reply, found 'memo'",
        ),
        (
            "/v1/tickets",
            None,
            "category=open",
            "?category/0",
            "expected one of closed, done, todo, waiting, found 'open'",
        ),
    ],
)
def test_a_wrong_word_is_refused_with_the_right_ones(
    machine: Caller, path: str, body: Any, query: str, place: str, told: str
) -> None:
    answer = machine.post(path, body) if body is not None else machine.get(path, query_string=query)

    [error] = problem(answer, 422)["errors"]
    assert (error["path"], error["message"]) == (place, told)


@sqlite_only
def test_a_description_is_as_long_as_the_text_of_a_mail(machine: Caller, desk: Desk) -> None:
    text = "x" * limits.message_body_chars_max

    machine.made("/v1/tickets", {"title": "Log", "description": text})

    assert [one["body"] for one in desk.messages(desk.ticket())] == [text]
    problem(machine.post("/v1/tickets", {"title": "Log", "description": text + "x"}), 422)


@sqlite_only
def test_the_page_runs_its_own_style_and_script_and_nothing_else(machine: Caller) -> None:
    answer = machine.get("/docs")

    [style] = re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    [script] = re.findall(r"<script>(.*?)</script>", answer.text, re.DOTALL)
    policy = answer.headers["content-security-policy"]
    for name, text in (("style-src", style), ("script-src", script)):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{name} 'sha256-{digest}';" in policy
    assert "connect-src 'self'" in policy
    assert "unsafe" not in policy
    assert re.findall(r"<[^>]*\s(?:src|href)=['\"]?(?!['#]|/openapi\.json)\S+", answer.text) == []
    assert re.findall(r"\son\w+=|style=", answer.text) == []


def test_the_page_has_a_form_for_each_operation_and_a_place_for_each_model() -> None:
    text = page.page(DOCUMENT)

    assert text.count("<button type=button>Send</button>") == len(DESCRIBED)
    places = set(re.findall(r" id='?([\w-]+)", text))
    assert {one["operationId"] for _, _, one in DESCRIBED} <= places
    assert set(re.findall(r"href='#([\w-]+)'", text)) <= places
    assert {f"model-{name}" for name in DOCUMENT["components"]["schemas"]} <= places


def test_texts_of_the_document_are_escaped_on_the_page() -> None:
    hostile = "</script><script>alert(1)</script>"
    document = msgspec.json.decode(msgspec.json.encode(DOCUMENT))
    document["info"]["title"] = document["tags"][0]["description"] = hostile
    document["paths"]["/v1/tickets"]["post"]["summary"] = hostile
    document["paths"]["/v1/tickets"]["post"]["requestBody"]["content"]["application/json"]["example"] = hostile

    assert hostile not in page.page(document)
