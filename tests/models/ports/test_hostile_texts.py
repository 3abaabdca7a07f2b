"""Hostile text in any field of a port type never reaches the database, and never makes an event or
a send fail there.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import pytest

from models.channels import accounts
from models.inbox import commands as inbox
from models.kernel.storage import database
from models.ports.inbound import (
    AddressMove,
    AttachmentInfo,
    ButtonPress,
    Command,
    Deletion,
    DeliveryFailure,
    EventKey,
    Ignored,
    InboundMessage,
    Parsed,
    Participant,
    ReachabilityChange,
    ReactionChange,
    Receipt,
    Receipts,
    Received,
    StaffMessage,
)
from models.ports.mail_html import WholeHtml
from models.ports.outbound import SendOutcome
from tests.desk import Desk
from tests.models.inbound.story import opened

# NUL, a lone surrogate, line ends, a mark that turns the reading direction, and more bytes than an index entry holds.
HOSTILE = "a\x00b\ud800\r\nc\u202e" + "".join(chr(0x4E00 + number * 7919 % 20_000) for number in range(1_200))

_MESSAGE = InboundMessage(
    "43",
    "Eve",
    "43",
    "Hello.",
    conversation_address="43",
    external_id="43:1",
    references=("42:1",),
    subject="Printer",
    body_full="Hello. And more.",
    body_html="<b>Hello.</b>",
    body_html_remote="<b>Hello.</b>",
    html_whole=WholeHtml("<b>Hello.</b>", None, 0),
    locale="en",
    reply_token="token",
    group_key="43:album",
    details={"quote": "It burns."},
)
_WHOLE = WholeHtml("<b>Hello.</b>", "<b>Hello.</b>", 1)
_FILE = AttachmentInfo("a.txt", "text/plain", 3, provider_id="file", provider_key="key", content_id="cid", reason="why")
_PORT_VALUES: list[Any] = [
    _MESSAGE,
    Ignored("of no use"),
    Receipt("42:9000", "bounced", recipient="42", detail="gone", status="5.1.1"),
    DeliveryFailure("5.1.1", "gone"),
    _FILE,
    _WHOLE,
    Participant("Grace", "44"),
    ReactionChange("42:1", "42", "Ada", ("👍",)),
    ButtonPress("token", "5", "42", "Ada", "42", "42:9000", "press"),
    ReachabilityChange("42", "42", False, "the bot was blocked"),
    AddressMove("42", "4242"),
    Deletion(("42:1",)),
    Command("status", "now", "42", "Ada", "42", "42", "42:5", "en"),
    StaffMessage("-100/7", "7", "Grace", "Hello.", "-100:5"),
]


def _text_fields(cls: type) -> Iterator[str]:
    for name, hint in get_type_hints(cls, include_extras=True).items():
        leaves = [hint, *get_args(hint)]
        if any(get_origin(one) is Annotated for one in leaves) or (
            typing.get_origin(hint) is not None and name == "details"
        ):
            yield name


def _hostile(value: Any, name: str) -> Any:
    """The value with hostile text in the field."""
    hint = get_type_hints(type(value), include_extras=True)[name]
    found: Any = HOSTILE
    if get_origin(hint) is tuple:
        found = (HOSTILE,)
    elif name == "details":
        found = {HOSTILE[:40]: [{"deeper": HOSTILE}]}
    return replace(value, **{name: found})


def _event_of(value: Any) -> Parsed:
    """The event that carries a value."""
    match value:
        case Receipt():
            return Receipts((value,))
        case DeliveryFailure():
            return replace(_MESSAGE, failure=value, automatic="bounce", details={"failed_recipient": HOSTILE})
        case AttachmentInfo():
            return replace(_MESSAGE, attachments=(value,))
        case WholeHtml():
            return replace(_MESSAGE, html_whole=value)
        case Participant():
            return replace(_MESSAGE, copies=(value,))
        case _:
            return typing.cast(Parsed, value)


def _stored_texts(desk: Desk) -> Iterator[str]:
    """Every text of every table."""
    names = (
        "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = current_schema()"
        if desk.engine == "postgresql"
        else "SELECT name FROM sqlite_master WHERE type = 'table'"
    )
    for table in desk.rows(names):
        for row in desk.rows(f"SELECT * FROM {table['name']}"):
            yield from (one for one in row.values() if isinstance(one, str))


def _all_storable(desk: Desk) -> bool:
    return all("\x00" not in text and "\\u0000" not in text and "\\ud800" not in text for text in _stored_texts(desk))


@pytest.mark.parametrize("value", _PORT_VALUES, ids=lambda value: type(value).__name__)
def test_an_event_with_hostile_text_in_any_field_is_recorded(desk: Desk, value: Any) -> None:
    ticket = opened(desk)
    desk.reply(ticket)
    desk.run_due()

    for number, name in enumerate(_text_fields(type(value))):
        event = desk.receive(_event_of(_hostile(value, name)), channel="telegram", event_key=f"hostile:{number}")
        desk.run_due()
        assert desk.inbox(event)["status"] in ("processed", "ignored"), (name, desk.inbox(event)["reason"])

    assert desk.tasks("dead") == []
    assert [task["last_error"] for task in desk.tasks("ready", "done", kind="ingest_event") if task["last_error"]] == []
    assert _all_storable(desk)


def test_an_event_is_stored_whatever_its_key_and_envelope_hold(desk: Desk) -> None:
    key = EventKey("k", "order", {"from": "ada@example.com"}, unreadable="why")
    with database.connection(), database.transaction():
        account = accounts.find("email", "demo")
        for one in (
            replace(key, event_key=HOSTILE),
            replace(key, ordering_key=HOSTILE),
            replace(key, unreadable=HOSTILE),
        ):
            inbox.store(account, one, raw=b"raw", content_type=HOSTILE)
        inbox.store(account, EventKey("k2", None, {"from": HOSTILE}), raw=b"raw", content_type="text/plain")
        received = Received((), nonce=(HOSTILE, 60.0))
        assert received.nonce is not None
        inbox.remember(account, *received.nonce, raw=b"raw")

    assert _all_storable(desk)


@pytest.mark.parametrize("kind", ["accepted", "transient", "permanent", "unknown", "throttled"])
def test_an_outcome_with_hostile_text_in_any_field_is_recorded(desk: Desk, kind: Any) -> None:
    ticket = opened(desk)
    hostile: dict[str, Any] = {
        "detail": HOSTILE,
        "external_id": HOSTILE,
        "suppress": HOSTILE,
        "external_ids": (HOSTILE,),
        "provider_id": HOSTILE,
        "account_error": HOSTILE,
        "file_ids": (("0" * 64, HOSTILE),),
    }
    for name, found in hostile.items():
        desk.answers.append(SendOutcome(kind, **{"detail": "said", "external_id": f"42:{name}", name: found}))
        desk.reply(ticket, f"About {name}.")
        desk.run_due()

    assert desk.tasks("dead") == []
    assert _all_storable(desk)
