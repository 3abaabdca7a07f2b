"""The conversation of a ticket: messages and the events between them, in the order of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from functions.console.frame import formats
from functions.console.frame.texts import gettext as _
from functions.console.ticket import history, texts_of_messages
from functions.console.ticket.history import Line
from functions.http.operations import AnyCall
from functions.views import message_views
from functions.views.message_views import Attachment, Message
from models.attachments import links, rules, scans
from models.conversations import queries as conversations
from models.conversations.row_types import MessageRow
from models.deliveries import queries as deliveries
from models.deliveries.row_types import DeliveryRow
from models.kernel import clock, settings
from models.tickets.tables import Ticket

# -- limits ------------------------------------------------------------------------------------------------------------
messages_max: Final = 50  # of one page: some screens; earlier ones are a link away

_FAILED: Final = ("failed", "unknown", "discarded")
_ON_THE_WAY: Final = ("pending", "sending", "ready")


@dataclass(frozen=True, slots=True)
class SendState:
    """The state of an answer on its way: `sent`, `waits`, `on_the_way`, `failed`, with a sentence for the reader."""

    kind: Literal["sent", "read", "waits", "on_the_way", "failed"]
    text: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class File:
    """A file of a message. `url` is None for a file that cannot be downloaded, and `reason` says why."""

    name: str
    size: str
    url: str | None
    reason: str


@dataclass(slots=True)
class Shown:
    """A message as the page shows it. `html` is safe. `framed`: the mail is shown in a frame, by its address."""

    message: Message
    side: Literal["theirs", "ours", "note"]
    html: str
    quoted: str
    framed: bool
    send: SendState | None
    files: list[File]
    undo: bool = False


@dataclass(slots=True)
class Entry:
    """A part of the conversation: a day, a message, or events that follow each other."""

    at: datetime
    day: str = ""
    shown: Shown | None = None
    lines: list[Line] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Thread:
    """A page of the conversation. `earlier`: the number of messages before it, and `before` finds them."""

    entries: list[Entry]
    earlier: int
    before: int | None
    last_message: UUID | None
    last_of_requester: UUID | None


def of(call: AnyCall, ticket: Ticket, *, before: int | None) -> Thread:
    """Return the last messages of the ticket, or those before a sequence number, with the events between them."""
    rows = conversations.latest(ticket.id, before_sequence=before, limit=messages_max + 1)
    more = len(rows) > messages_max
    rows = rows[-messages_max:]
    shown = _shown(rows)
    since = rows[0]["created_at"] if more else None
    until = rows[-1]["created_at"] if before is not None and rows else None
    lines = [
        line
        for line in history.in_thread(call, ticket)
        if (since is None or line.at >= since) and (until is None or line.at <= until)
    ]
    earlier = max(0, ticket.message_count - len(rows)) if more and before is None else len(rows) if more else 0
    theirs = [one.message.id for one in shown if one.side == "theirs"]
    return Thread(
        _entries(shown, lines),
        earlier,
        rows[0]["sequence"] if more else None,
        rows[-1]["id"] if rows else None,
        theirs[-1] if theirs else None,
    )


def _entries(shown: Sequence[Shown], lines: Sequence[Line]) -> list[Entry]:
    found: list[Entry] = []
    mixed: list[Shown | Line] = sorted([*shown, *lines], key=_at)
    today = ""
    for item in mixed:
        at = _at(item)
        day = _day(at)
        if day != today:
            found.append(Entry(at, day=day))
            today = day
        if isinstance(item, Shown):
            found.append(Entry(at, shown=item))
        elif found[-1].lines:
            found[-1].lines.append(item)
        else:
            found.append(Entry(at, lines=[item]))
    return found


def _at(item: Shown | Line) -> datetime:
    return item.message.created_at if isinstance(item, Shown) else item.at


def _day(instant: datetime) -> str:
    local, today = instant.astimezone(formats.zone()).date(), clock.now().astimezone(formats.zone()).date()
    if local == today:
        return _("Today, %(day)s", day=formats.day(instant))
    return formats.day(instant)


def _shown(rows: Sequence[MessageRow]) -> list[Shown]:
    sent = deliveries.of_messages([row["id"] for row in rows])
    messages = message_views.messages(rows)
    return [_one(message, row, sent.get(row["id"], [])) for message, row in zip(messages, rows, strict=True)]


def _one(message: Message, row: MessageRow, sent: Sequence[DeliveryRow]) -> Shown:
    ours = message.direction == "outbound" or message.author.kind in ("user", "system")
    side: Literal["theirs", "ours", "note"] = "note" if message.kind == "note" else "ours" if ours else "theirs"
    framed = row["body_html"] is not None and side == "theirs"
    text = message.body if message.deleted_at is None else ""
    html = texts_of_messages.markdown(text) if message.body_format == "markdown" else texts_of_messages.plain(text)
    return Shown(
        message,
        side,
        html,
        quoted=_quoted(message),
        framed=framed,
        send=_send_state(sent) if side == "ours" else None,
        files=[_file(one) for one in message.attachments if not one.hidden],
        undo=any(one["state"] == "scheduled" for one in sent),
    )


def _quoted(message: Message) -> str:
    """Return the part of a mail behind its visible reply, or the whole text when the reply is not its beginning."""
    whole = message.body_full
    if not whole or message.deleted_at is not None:
        return ""
    rest = whole[len(message.body) :] if whole.startswith(message.body) else whole
    return texts_of_messages.plain(rest)


def _send_state(sent: Sequence[DeliveryRow]) -> SendState | None:
    """Return the state that a person must know first: a failure, then what waits, then the arrival."""
    sends = [one for one in sent if one["operation"] == "send"]
    for one in sends:
        if one["state"] in _FAILED:
            return SendState("failed", one["last_error"] or one["receipt_detail"] or _("unknown reason"))
        if one["receipt"] in ("bounced", "complained"):
            return SendState("failed", one["receipt_detail"] or _("unknown reason"))
    for one in sends:
        if one["state"] == "scheduled" and one["send_at"] is not None:
            return SendState("waits", _("Goes out %(when)s", when=formats.moment(one["send_at"])), one["send_at"])
        if one["state"] in _ON_THE_WAY:
            return SendState("on_the_way", _("On its way"))
    for one in sends:
        if one["receipt"] == "opened" and one["receipt_at"] is not None:
            return SendState("read", _("Read %(when)s", when=formats.time_of_day(one["receipt_at"])))
        if one["receipt"] == "delivered" and one["receipt_at"] is not None:
            return SendState("read", _("Delivered %(when)s", when=formats.time_of_day(one["receipt_at"])))
        if one["state"] == "sent" and one["finished_at"] is not None:
            return SendState("sent", _("Sent %(when)s", when=formats.time_of_day(one["finished_at"])))
    return None


def _file(file: Attachment) -> File:
    released = file.state in ("stored", "uploaded") and scans.is_released(file.scan)
    reason = "" if released else scans.reason(file.scan or "", file.scan_detail) if file.scan else file.reason or ""
    url = links.url(file.id, settings.current()) if released else None
    return File(file.filename, rules.size_in_words(file.size_bytes), url, reason)
