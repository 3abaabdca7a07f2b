"""Checks of a webhook account's file that its types do not express, for `scripts.defs check` and publishing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from models.kernel import addresses
from models.kernel.errors import FieldProblem
from queues.channels import account_keys
from queues.channels.webhook import limits
from queues.channels.webhook.account import (
    ANSWER_VALUES,
    Account,
    Files,
    Reply,
    Rule,
    SecretHeader,
)
from queues.described import checks
from queues.described import limits as described_limits


def check(account: Account) -> list[FieldProblem]:
    """Return the problems that the types do not express, each with its place."""
    return list(_problems(account))


def _problems(account: Account) -> Iterator[FieldProblem]:
    yield from _auth(account)
    also = () if account.auth.kind == "none_but_path" else ("secret",)
    yield from checks.unused_keys(account.auth, account.auth.kind, at=".auth", also=also)
    if account.reply is None:
        yield from account_keys.unused(account, of={"rate_per_s"}, used=(), why="without `reply`")
    if account.items is not None:
        yield from checks.path(".items", account.items)
    if not account.events or len(account.events) > described_limits.rules_max:
        yield FieldProblem(".events", f"expected 1 to {described_limits.rules_max} rules")
    for index, rule in enumerate(account.events):
        yield from _rule(f".events[{index}]", rule)
    if account.challenge is not None:
        yield from checks.conditions(".challenge.when", account.challenge.when)
        for name, one in account.challenge.answer.items():
            yield from checks.expression(f".challenge.answer.{name}", one)
    if account.reply is not None:
        yield from _reply(account.reply)


def _auth(account: Account) -> Iterator[FieldProblem]:
    auth = account.auth
    if auth.kind == "none_but_path":
        if account.path_id is None:
            yield FieldProblem(
                ".path_id", "expected {secret: name}: without authentication the address must be a secret"
            )
        return
    if auth.secret is None:
        yield FieldProblem(".auth.secret", f"expected {{secret: name}} for {auth.kind}")
    if auth.kind == "hmac":
        if auth.header is None:
            yield FieldProblem(".auth.header", "expected the header that carries the signature")
        yield from checks.signed(auth, at=".auth")


_EXPRESSIONS_OF_A_RULE = ("event_key", "text", "subject", "message_id", "thread", "contact", "locale", "sent_at")


def _rule(at: str, rule: Rule) -> Iterator[FieldProblem]:
    yield from checks.conditions(f"{at}.when", rule.when)
    if rule.ignore is None:
        yield from _message(at, rule)
        return
    if not rule.ignore.strip():
        yield FieldProblem(f"{at}.ignore", "expected the reason that people read")
    every = {field.name for field in msgspec.structs.fields(Rule)}
    yield from account_keys.unused(rule, of=every, used={"when", "ignore", "event_key"}, why="with `ignore`", at=at)
    yield from checks.optional_expressions(at, rule, ("event_key",))


def _message(at: str, rule: Rule) -> Iterator[FieldProblem]:
    """Check a rule that makes a message."""
    if rule.author is None:
        yield FieldProblem(f"{at}.author", "expected who wrote (or `ignore` with a reason)")
    else:
        yield from checks.optional_expressions(f"{at}.author", rule.author, ("address", "name"))
        for name, one in rule.author.fields.items():
            yield from checks.expression(f"{at}.author.fields.{name}", one)
    if rule.text is None:
        yield from account_keys.unused(rule, of={"text_format"}, used=(), why="without `text`", at=at)
    if rule.text is None and not rule.attachments:
        yield FieldProblem(f"{at}.text", "expected what was written")
    yield from checks.optional_expressions(at, rule, _EXPRESSIONS_OF_A_RULE)
    for index, one in enumerate(rule.references):
        yield from checks.expression(f"{at}.references[{index}]", one)
    for name in ("edit", "new_ticket"):
        yield from checks.conditions(f"{at}.{name}", getattr(rule, name) or {})
    if rule.edit is not None and rule.message_id is None:
        yield FieldProblem(f"{at}.message_id", "expected it with `edit`: without it the edited message is unknown")
    yield from _parts(at, rule)


def _parts(at: str, rule: Rule) -> Iterator[FieldProblem]:
    """Check a rule's fields and files."""
    for name, one in rule.fields.items():
        yield from checks.expression(f"{at}.fields.{name}", one)
    for index, files in enumerate(rule.attachments):
        yield from _files(f"{at}.attachments[{index}]", files)


def _files(at: str, files: Files) -> Iterator[FieldProblem]:
    yield from checks.path(f"{at}.each", files.each)
    if (files.url is None) == (files.base64 is None):
        yield FieldProblem(at, "expected either `url` or `base64`")
    yield from checks.optional_expressions(at, files, ("url", "base64", "filename", "content_type", "size"))


def _reply(reply: Reply) -> Iterator[FieldProblem]:
    if isinstance(reply.url, str):
        yield from _reply_url(reply.url)
    for name, one in reply.headers.items():
        yield from _reply_header(name, one)
    yield from _reply_body(reply)
    if reply.id_path is not None:
        yield from checks.path(".reply.id_path", reply.id_path)
    yield from checks.conditions(".reply.refused_when", reply.refused_when)
    yield from _statuses(".reply.success", reply.success, 200, 299)
    yield from _statuses(".reply.retry", reply.retry, 400, 599)


def _reply_url(url: str) -> Iterator[FieldProblem]:
    yield from checks.template(".reply.url", url, ANSWER_VALUES)
    host = url.partition("{{")[0]
    if re.match(r"https?://[^/?#]+[/?#]", host) is None and host != url:
        yield FieldProblem(
            ".reply.url",
            "expected the server's name without placeholders: a message must not choose the server",
        )
    # The operator's setting decides whether private addresses are allowed, at each call.
    elif (wrong := addresses.url_problem(host, private=True)) is not None:
        yield FieldProblem(".reply.url", wrong)


def _reply_header(name: str, value: str | SecretHeader) -> Iterator[FieldProblem]:
    at = f".reply.headers.{name}"
    if name.lower() in ("host", "content-length", "transfer-encoding", "connection"):
        yield FieldProblem(at, "expected none of the headers that the connection itself needs")
    if isinstance(value, str):
        yield from checks.template(at, value, ANSWER_VALUES)


def _reply_body(reply: Reply) -> Iterator[FieldProblem]:
    if reply.body is None:
        yield FieldProblem(".reply.body", "expected what is sent, such as {text: '{{ text }}'}")
    yield from _body(".reply.body", reply.body, 0, [0])
    if reply.body_format == "form" and not (
        isinstance(reply.body, dict) and all(not isinstance(one, dict | list) for one in reply.body.values())
    ):
        yield FieldProblem(".reply.body", "expected names with single values for a form")


def _statuses(at: str, statuses: list[int], low: int, high: int) -> Iterator[FieldProblem]:
    for index, status in enumerate(statuses):
        if not low <= status <= high:
            yield FieldProblem(f"{at}[{index}]", f"expected a status from {low} to {high}")


def _body(at: str, body: Any, depth: int, count: list[int]) -> Iterator[FieldProblem]:
    count[0] += 1
    if depth > limits.depth_max or count[0] > limits.nodes_max:
        yield FieldProblem(at, f"expected at most {limits.depth_max} levels and {limits.nodes_max} values")
    elif isinstance(body, str):
        yield from checks.template(at, body, ANSWER_VALUES)
    elif isinstance(body, dict):
        for key, one in body.items():
            yield from _body(f"{at}.{key}", one, depth + 1, count)
    elif isinstance(body, list):
        for index, one in enumerate(body):
            yield from _body(f"{at}[{index}]", one, depth + 1, count)
