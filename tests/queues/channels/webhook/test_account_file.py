"""A mistake in an account's file is told with its place, before anything is published."""

from __future__ import annotations

from typing import Any

import pytest

from models.kernel.errors import Invalid
from scripts.defs.accounts import check_account
from tests.queues.channels.webhook.conftest import KEYS, body_of


@pytest.mark.parametrize("service", sorted(KEYS.values()))
def test_the_services_of_the_fixtures_are_well_described(service: str) -> None:
    check_account(body_of(service))


def changed(service: str, place: str, value: Any) -> dict[str, Any]:
    body: Any = body_of(service)
    at, steps = body, place.split("/")
    for step in steps[:-1]:
        at = at[int(step) if step.isdigit() else step]
    if value is None:
        del at[steps[-1]]
    else:
        at[int(steps[-1]) if steps[-1].isdigit() else steps[-1]] = value
    return dict(body)


@pytest.mark.parametrize(
    ("service", "place", "value", "path", "message"),
    [
        ("alerts", "auth/secret", None, ".auth.secret", "expected {secret: name}"),
        ("alerts", "auth/secret", "hunter2", ".auth.secret", ""),
        ("alerts", "auth/header", None, ".auth.header", "carries the signature"),
        ("alerts", "auth/signed", "{body}", ".auth.signed", "not signed proves nothing"),
        ("alerts", "auth/signed", "{timestamp}.{url}", ".auth.signed", "found {url}"),
        ("chat", "auth/signed", "hello", ".auth.signed", "expected {body} or {timestamp}"),
        (
            "chat",
            "auth",
            {"kind": "hmac", "header": "X-Sum", "secret": {"secret": "key"}, "signed": "{id}", "id_header": "X-Id"},
            ".auth.signed",
            "expected {body} or {timestamp}",
        ),
        ("alerts", "auth/pairs", {"signature": "v1"}, ".auth.timestamp_header", "{timestamp} that is signed"),
        ("alerts", "auth/algorithm", "md5", ".auth.algorithm", ""),
        ("alerts", "auth", {"kind": "none_but_path"}, ".path_id", "must be a secret"),
        ("alerts", "items", "alerts", ".items", "begins with $"),
        ("alerts", "events", [], ".events", "1 to"),
        ("alerts", "events/0/ignore", " ", ".events[0].ignore", "the reason"),
        ("alerts", "events/1/author", None, ".events[1].author", "who wrote"),
        ("alerts", "events/1/author/address", "$.host[", ".events[1].author.address", "cannot read"),
        ("alerts", "events/1/text", ["{{ $.a", "$.b"], ".events[1].text[0]", "not closed"),
        ("alerts", "events/1/text", "{{ name }}", ".events[1].text", "expected a path"),
        ("alerts", "events/1/when", {"status": 1}, ".events[1].when.status", "begins with $"),
        ("alerts", "events/1/when", {"$.status": {}}, ".events[1].when.$.status", "equals, in or exists"),
        ("alerts", "events/1/fields", {"x": "$.."}, ".events[1].fields.x", "cannot read"),
        ("alerts", "events/1/unknown", "x", ".events[1]", ""),
        ("alerts", "reply/body", {"a": ["{{ nothing }}"]}, ".reply.body.a[0]", "no value 'nothing'"),
        ("alerts", "reply/body", None, ".reply.body", "what is sent"),
        ("alerts", "reply/url", "https://{{ address }}.example.com/", ".reply.url", "without placeholders"),
        ("alerts", "reply/url", "ftp://example.com/", ".reply.url", "expected a URL"),
        ("alerts", "reply/headers", {"Host": "x"}, ".reply.headers.Host", "connection itself"),
        ("alerts", "reply/success", [302], ".reply.success[0]", "200 to 299"),
        ("chat", "events/1/message_id", None, ".events[1].message_id", "with `edit`"),
        ("chat", "events/1/attachments/0/base64", "$.x", ".events[1].attachments[0]", "either"),
        ("chat", "reply/id_path", "id", ".reply.id_path", "begins with $"),
        ("chat", "challenge/when", {"x": 1}, ".challenge.when.x", "begins with $"),
    ],
)
def test_a_mistake_is_reported_with_its_place(service: str, place: str, value: Any, path: str, message: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_account(changed(service, place, value))

    [problem] = refused.value.problems
    assert problem.path.startswith(path), problem.path
    assert message in problem.message
    assert "hunter2" not in problem.message
