"""What the file of a webhook account says (README.md explains each key), and what is wrong with it. Light: the function loads it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec

from models.channels.files import Common, Secret
from models.kernel import addresses
from models.kernel.errors import FieldProblem
from queues.channels.webhook import limits, paths, texts

Scalar = str | int | float | bool | None
Expression = str | list[str]  # a path, a text with places, a constant; a list: the first that gives something
Header = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9-]{1,64}\Z")]
ANSWER_VALUES = frozenset(
    {
        "text",
        "subject",
        "format",
        "address",
        "recipient_name",
        "delivery_id",
        "attempt",
        "ticket_number",
        "in_reply_to",
        "automatic",
        "locale",
        "author_name",
        "attachments",
        "conversation",
    }
)


class Pairs(msgspec.Struct, forbid_unknown_fields=True):
    """A header of pairs (`t=1,v1=ab`): which names carry what."""

    signature: str
    timestamp: str | None = None


class Auth(msgspec.Struct, forbid_unknown_fields=True):
    """How the service proves that it calls."""

    kind: Literal["hmac", "bearer", "basic", "none_but_path"]
    secret: Secret | None = None
    header: Header | None = None
    algorithm: Literal["sha256", "sha1", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""
    pairs: Pairs | None = None
    signed: str = "{body}"
    key_format: Literal["text", "base64", "hex"] = "text"
    timestamp_header: Header | None = None
    id_header: Header | None = None
    tolerance_s: Annotated[int, msgspec.Meta(ge=10, le=86_400)] = 300


class Condition(msgspec.Struct, forbid_unknown_fields=True):
    """What a value must be; all that is said must hold."""

    equals: Scalar | msgspec.UnsetType = msgspec.UNSET
    isin: list[Scalar] | msgspec.UnsetType = msgspec.field(name="in", default=msgspec.UNSET)
    exists: bool | msgspec.UnsetType = msgspec.UNSET


Conditions = dict[str, Scalar | Condition]


class Author(msgspec.Struct, forbid_unknown_fields=True):
    """Who wrote. `verified`: the service vouches for the address (a chat does, a form does not)."""

    address: Expression
    name: Expression = ""
    verified: bool = False


class Files(msgspec.Struct, forbid_unknown_fields=True):
    """Files of a message: `each` finds them, the rest is read from each of them (`$` is the file)."""

    each: str
    url: Expression | None = None
    base64: Expression | None = None
    filename: Expression = "file"
    content_type: Expression = "application/octet-stream"
    size: Expression | None = None


class Rule(msgspec.Struct, forbid_unknown_fields=True):
    """What one kind of event becomes: a message, or nothing with a reason (`ignore`). The first rule that matches is it."""

    when: Conditions = {}
    ignore: str | None = None
    event_key: Expression | None = None
    author: Author | None = None
    text: Expression | None = None
    text_format: Literal["text", "markdown", "html"] = "text"
    subject: Expression | None = None
    message_id: Expression | None = None
    thread: Expression | None = None
    references: list[Expression] = []
    contact: Expression | None = None
    edit: Conditions | None = None
    locale: Expression | None = None
    sent_at: Expression | None = None
    attachments: list[Files] = []
    fields: dict[str, Expression] = {}
    new_ticket: Conditions | None = None


class Challenge(msgspec.Struct, forbid_unknown_fields=True):
    """A trial call that wants its own words back."""

    when: Conditions
    answer: dict[str, Expression]


class SecretHeader(msgspec.Struct, forbid_unknown_fields=True):
    """A header whose value is a credential, after a fixed beginning (`Bearer `)."""

    secret: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,63}\Z")]
    prefix: str = ""


class Reply(msgspec.Struct, forbid_unknown_fields=True):
    """How an answer goes out."""

    url: str | Secret
    method: Literal["POST", "PUT", "PATCH"] = "POST"
    headers: dict[Header, str | SecretHeader] = {}
    body: Any = None
    body_format: Literal["json", "form"] = "json"
    success: list[int] = msgspec.field(default_factory=lambda: [200, 201, 202, 204])
    retry: list[int] = msgspec.field(default_factory=lambda: [408, 425, 429, 500, 502, 503, 504])
    id_path: str | None = None
    refused_when: Conditions = {}
    idempotent: bool = False
    timeout_s: Annotated[float, msgspec.Meta(ge=1, le=limits.request_timeout_s_max)] = 20.0


class Account(Common, kw_only=True):
    """A service: `workflow_defs/channels/webhook.<account>.yaml`."""

    auth: Auth
    body: Literal["json", "form"] = "json"
    items: str | None = None
    events: list[Rule]
    unmatched: Literal["failed", "ignored"] = "failed"
    challenge: Challenge | None = None
    reply: Reply | None = None
    rate_per_s: Annotated[float, msgspec.Meta(gt=0, le=1_000)] | None = None


def check(account: Account) -> list[FieldProblem]:
    """Everything that the types do not say, each with its place."""
    return list(_problems(account))


def _problems(account: Account) -> Iterator[FieldProblem]:
    yield from _auth(account)
    if account.items is not None:
        yield from _path(".items", account.items)
    if not account.events or len(account.events) > limits.rules_max:
        yield FieldProblem(".events", f"expected 1 to {limits.rules_max} rules")
    for index, rule in enumerate(account.events):
        yield from _rule(f".events[{index}]", rule)
    if account.challenge is not None:
        yield from _conditions(".challenge.when", account.challenge.when)
        for name, one in account.challenge.answer.items():
            yield from _expression(f".challenge.answer.{name}", one)
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
    if auth.kind != "hmac":
        return
    if auth.header is None:
        yield FieldProblem(".auth.header", "expected the header that carries the signature")
    known = {"body", "timestamp", "id"}
    used = set(re.findall(r"\{([^{}]*)\}", auth.signed))
    for name in sorted(used - known):
        yield FieldProblem(".auth.signed", f"expected only {{body}}, {{timestamp}} and {{id}}, found {{{name[:40]}}}")
    has_timestamp = auth.timestamp_header is not None or (auth.pairs is not None and auth.pairs.timestamp is not None)
    if "timestamp" in used and not has_timestamp:
        yield FieldProblem(".auth.timestamp_header", "expected the header of the {timestamp} that is signed")
    if has_timestamp and "timestamp" not in used:
        yield FieldProblem(".auth.signed", "expected {timestamp} in it: one that is not signed proves nothing")
    if "id" in used and auth.id_header is None:
        yield FieldProblem(".auth.id_header", "expected the header of the {id} that is signed")
    if not used & {"body", "timestamp"}:
        yield FieldProblem(
            ".auth.signed",
            "expected {body} or {timestamp} in it: else one request would prove all others, for ever",
        )


def _rule(at: str, rule: Rule) -> Iterator[FieldProblem]:
    yield from _conditions(f"{at}.when", rule.when)
    if rule.ignore is not None:
        if not rule.ignore.strip():
            yield FieldProblem(f"{at}.ignore", "expected the reason that people read")
        if rule.event_key is not None:
            yield from _expression(f"{at}.event_key", rule.event_key)
        return
    if rule.author is None:
        yield FieldProblem(f"{at}.author", "expected who wrote (or `ignore` with a reason)")
    else:
        yield from _expression(f"{at}.author.address", rule.author.address)
        yield from _expression(f"{at}.author.name", rule.author.name)
    if rule.text is None and not rule.attachments:
        yield FieldProblem(f"{at}.text", "expected what was written")
    for name in ("event_key", "text", "subject", "message_id", "thread", "contact", "locale", "sent_at"):
        if (found := getattr(rule, name)) is not None:
            yield from _expression(f"{at}.{name}", found)
    for index, one in enumerate(rule.references):
        yield from _expression(f"{at}.references[{index}]", one)
    for name in ("edit", "new_ticket"):
        if (conditions := getattr(rule, name)) is not None:
            yield from _conditions(f"{at}.{name}", conditions)
    if rule.edit is not None and rule.message_id is None:
        yield FieldProblem(f"{at}.message_id", "expected it beside `edit`: else nobody knows which message was changed")
    for name, one in rule.fields.items():
        yield from _expression(f"{at}.fields.{name}", one)
    for index, files in enumerate(rule.attachments):
        yield from _files(f"{at}.attachments[{index}]", files)


def _files(at: str, files: Files) -> Iterator[FieldProblem]:
    yield from _path(f"{at}.each", files.each)
    if (files.url is None) == (files.base64 is None):
        yield FieldProblem(at, "expected either `url` or `base64`")
    for name in ("url", "base64", "filename", "content_type", "size"):
        if (found := getattr(files, name)) is not None:
            yield from _expression(f"{at}.{name}", found)


def _reply(reply: Reply) -> Iterator[FieldProblem]:
    if isinstance(reply.url, str):
        yield from _text(".reply.url", reply.url, ANSWER_VALUES)
        host = reply.url.partition("{{")[0]
        if re.match(r"https?://[^/?#]+[/?#]", host) is None and host != reply.url:
            yield FieldProblem(
                ".reply.url",
                "expected the server's name without places: who is called must not depend on a message",
            )
        # Whether private addresses are allowed is the operator's setting, looked at when the call is made.
        elif (wrong := addresses.url_problem(host, private=True)) is not None:
            yield FieldProblem(".reply.url", wrong)
    for name, one in reply.headers.items():
        if name.lower() in ("host", "content-length", "transfer-encoding", "connection"):
            yield FieldProblem(
                f".reply.headers.{name}", "expected none of the headers that the connection itself needs"
            )
        if isinstance(one, str):
            yield from _text(f".reply.headers.{name}", one, ANSWER_VALUES)
    if reply.body is None:
        yield FieldProblem(".reply.body", "expected what is sent, such as {text: '{{ text }}'}")
    yield from _body(".reply.body", reply.body, 0, [0])
    if reply.body_format == "form" and not (
        isinstance(reply.body, dict) and all(not isinstance(one, dict | list) for one in reply.body.values())
    ):
        yield FieldProblem(".reply.body", "expected names with single values for a form")
    if reply.id_path is not None:
        yield from _path(".reply.id_path", reply.id_path)
    yield from _conditions(".reply.refused_when", reply.refused_when)
    for index, status in enumerate(reply.success):
        if not 200 <= status < 300:
            yield FieldProblem(f".reply.success[{index}]", "expected a status from 200 to 299")
    for index, status in enumerate(reply.retry):
        if not 400 <= status < 600:
            yield FieldProblem(f".reply.retry[{index}]", "expected a status from 400 to 599")


def _body(at: str, body: Any, depth: int, count: list[int]) -> Iterator[FieldProblem]:
    count[0] += 1
    if depth > limits.depth_max or count[0] > limits.nodes_max:
        yield FieldProblem(at, f"expected at most {limits.depth_max} levels and {limits.nodes_max} values")
    elif isinstance(body, str):
        yield from _text(at, body, ANSWER_VALUES)
    elif isinstance(body, dict):
        for key, one in body.items():
            yield from _body(f"{at}.{key}", one, depth + 1, count)
    elif isinstance(body, list):
        for index, one in enumerate(body):
            yield from _body(f"{at}[{index}]", one, depth + 1, count)


def _expression(at: str, expression: Expression) -> Iterator[FieldProblem]:
    many = expression if isinstance(expression, list) else [expression]
    if not many:
        yield FieldProblem(at, "expected at least one")
    for index, text in enumerate(many):
        place = at if isinstance(expression, str) else f"{at}[{index}]"
        if text.startswith("$"):
            yield from _path(place, text)
        else:
            yield from _text(place, text, frozenset())


def _text(at: str, text: str, known: frozenset[str]) -> Iterator[FieldProblem]:
    try:
        asked = texts.names(text)
    except texts.BadText as error:
        yield FieldProblem(at, str(error))
        return
    for source in sorted(asked):
        if known and source not in known:
            yield FieldProblem(at, f"there is no value {source!r}; expected one of {', '.join(sorted(known))}")
        elif not known and not source.startswith("$"):
            yield FieldProblem(at, f"{{{{ {source} }}}}: expected a path such as $.text")


def _path(at: str, text: str) -> Iterator[FieldProblem]:
    try:
        paths.read(text)
    except paths.BadPath as error:
        yield FieldProblem(at, str(error))


def _conditions(at: str, conditions: Conditions) -> Iterator[FieldProblem]:
    for path, condition in conditions.items():
        yield from _path(f"{at}.{path}", path)
        if isinstance(condition, Condition) and all(
            one is msgspec.UNSET for one in (condition.equals, condition.isin, condition.exists)
        ):
            yield FieldProblem(f"{at}.{path}", "expected equals, in or exists")
