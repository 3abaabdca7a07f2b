"""The types of a webhook account's file; README.md explains each key. The webhook function loads this module: no heavy
imports.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from models.channels.files import Common, Secret
from queues.channels.webhook import limits
from queues.described.vocabulary import Conditions, Expression, Header, Signing

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


class Auth(Signing, kw_only=True):
    """The service's authentication."""

    kind: Literal["hmac", "bearer", "basic", "none_but_path"]
    secret: Secret | None = None


class Author(msgspec.Struct, forbid_unknown_fields=True):
    """The author of a message. `verified`: the service vouches for the address (a chat does, a form does not).

    `fields`: facts about the author, by the names of the fields of requesters.
    """

    address: Expression
    name: Expression = ""
    verified: bool = False
    fields: dict[str, Expression] = {}


class Files(msgspec.Struct, forbid_unknown_fields=True):
    """The files of a message: `each` finds them; the other expressions are evaluated for each file
    (`$` is the file).
    """

    each: str
    url: Expression | None = None
    base64: Expression | None = None
    filename: Expression = "file"
    content_type: Expression = "application/octet-stream"
    size: Expression | None = None


class Rule(msgspec.Struct, forbid_unknown_fields=True):
    """The result of one kind of event: a message, or nothing with a reason (`ignore`). The first
    matching rule applies.
    """

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
    """A verification call whose answer repeats values of the request."""

    when: Conditions
    answer: dict[str, Expression]


class SecretHeader(msgspec.Struct, forbid_unknown_fields=True):
    """A header whose value is a credential behind a fixed prefix (`Bearer `)."""

    secret: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,63}\Z")]
    prefix: str = ""


class Reply(msgspec.Struct, forbid_unknown_fields=True):
    """The request that carries an answer."""

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
    """A service's file: `workflow_defs/channels/webhook.<account>.yaml`."""

    auth: Auth
    body: Literal["json", "form"] = "json"
    items: str | None = None
    events: list[Rule]
    unmatched: Literal["failed", "ignored"] = "failed"
    challenge: Challenge | None = None
    reply: Reply | None = None
    rate_per_s: Annotated[float, msgspec.Meta(gt=0, le=1_000)] | None = None
