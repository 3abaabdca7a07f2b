"""Messages as JSON: their types, and their conversion from rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from functions.views.representations import copied, same_names
from models.attachments.row_types import AttachmentRow
from models.conversations.queries import Version
from models.conversations.row_types import MessageRow
from models.deliveries.row_types import DeliveryRow
from models.kernel import clock
from models.kernel.errors import FieldProblem, Invalid
from models.kernel.open_json import JsonObject

# A later date is more often a mistake than a plan.
_send_at_max = timedelta(days=366)


def check_send_at(send_at: datetime | None) -> None:
    """Raise Invalid for a time of sending that is too far away."""
    if send_at is not None and send_at > clock.now() + _send_at_max:
        raise Invalid([FieldProblem("/send_at", f"expected a time within {_send_at_max.days} days")])


class Author(msgspec.Struct):
    """The author of a message."""

    kind: str
    id: UUID | None
    name: str


class Editor(msgspec.Struct):
    """The person or program that edited or deleted a message last."""

    kind: str
    id: str | None
    name: str


class Attachment(msgspec.Struct):
    """A file of a message. `content_type` is the type that the sender declares; `sniffed_type` is detected from the
    content.

    `state`: stored, pending (being fetched), too_large, failed, erased, or uploaded (not part of a message yet), with
    the reason.
    `scan`: the malware scanner's verdict: clean, pending, infected, too_large (for the scanner) or failed. It is null
    when the file was not scanned. Only files that are clean or not scanned can be downloaded and sent. `scan_detail`
    names the signature or the reason.
    """

    id: UUID
    filename: str
    content_type: str
    sniffed_type: str | None
    size_bytes: int
    sha256: str | None
    inline: bool
    hidden: bool
    content_id: str | None
    state: str
    reason: str | None
    scan: str | None
    scan_detail: str | None


class LinkedAttachment(Attachment):
    """A file with a signed link to its content. The link expires after minutes. It is null without content, and for a
    file that the malware scanner has not released.
    """

    ticket_id: UUID | None
    message_id: UUID | None
    created_at: datetime
    url: str | None


class DeliveryState(msgspec.Struct):
    """The state of a delivery of a message."""

    id: UUID
    channel: str
    state: str
    send_at: datetime | None


class MessageVersion(msgspec.Struct):
    """An earlier version of an edited message. `attachments` are the files that the edit replaced."""

    body: str
    replaced_at: datetime
    attachments: list[Attachment]


class Copy(msgspec.Struct):
    """A person who received a copy of the mail."""

    name: str
    address: str


class AuthorProof(msgspec.Struct):
    """The evidence for the author of a mail.

    `grade`: proved (a trusted judge passed the From address), unjudged (the mailbox has no judge), or unproved.
    `rests_on` gives the reason. `source`: the header that names the author (from, reply_to, list, header).
    """

    address: str
    grade: str
    rests_on: str
    source: str


class Message(msgspec.Struct):
    """A message. `body` of an inbound mail is the visible reply; `body_full` is the complete text when it differs.
    `automatic` says why the desk does not answer it automatically (auto_reply, bulk, bounce, own), and `by_machine`
    whether a machine wrote it: a person's mail can come by a mailing list.

    `reactions` lists addresses by emoji. `verdict` is the result of the mail's sender authentication (pass, none,
    fail). `author_proof` is null where the channel itself identifies the author. `details` depends on the kind of
    message (forwarded_from, quote, place, reply_to and others). `edited_by` edited or deleted the message last.
    `moved_from`: the ticket in which it was written, if a merge or a split moved it.
    """

    id: UUID
    ticket_id: UUID
    sequence: int
    direction: str
    kind: str
    author: Author
    subject: str | None
    body: str
    body_full: str | None
    body_format: str
    body_html: str | None
    channel: str
    account: str | None
    external_id: str | None
    in_reply_to: str | None
    automatic: str | None
    by_machine: bool
    attachments: list[Attachment]
    deliveries: list[DeliveryState]
    created_at: datetime
    edited_at: datetime | None
    versions: list[MessageVersion]
    copies: list[Copy]
    reactions: dict[str, list[str]]
    verdict: str | None
    deleted_at: datetime | None
    details: JsonObject
    author_proof: AuthorProof | None
    edited_by: Editor | None
    moved_from: UUID | None


class MessagePage(msgspec.Struct):
    """A page of messages."""

    items: list[Message]
    next_cursor: str | None


def messages(rows: Sequence[MessageRow]) -> list[Message]:
    """The messages of one ticket with deliveries, files and earlier versions, read in three statements."""
    from models.attachments import queries as attachments
    from models.conversations import queries as conversations
    from models.deliveries import queries as deliveries

    ids = [row["id"] for row in rows]
    carried, files = deliveries.of_messages(ids), attachments.with_replaced(ids)
    edited = [row for row in rows if row["edited_at"] is not None]
    versions = conversations.versions(edited[0]["ticket_id"]) if edited else {}
    return [
        _message(row, carried.get(row["id"], []), versions.get(row["id"], []), files.get(row["id"], [])) for row in rows
    ]


def _message(
    row: MessageRow,
    deliveries: Sequence[DeliveryRow],
    versions: Sequence[Version],
    files: Sequence[AttachmentRow],
) -> Message:
    made = {
        "author",
        "attachments",
        "deliveries",
        "versions",
        "copies",
        "reactions",
        "details",
        "author_proof",
        "edited_by",
    }
    same = same_names(Message, row, but=made)
    proof = row["details"].get("author_proof")
    return Message(
        author=Author(row["author_kind"], row["author_id"], row["author_name"]),
        attachments=[copied(Attachment, file) for file in files if file["replaced_at"] is None],
        deliveries=[DeliveryState(d["id"], d["channel"], d["state"], d["send_at"]) for d in deliveries],
        versions=[_version(one, files) for one in versions],
        copies=[Copy(one["name"], one["address"]) for one in row["copies"]],
        reactions=row["reactions"],
        details={name: value for name, value in row["details"].items() if name != "author_proof"},
        author_proof=None if proof is None else AuthorProof(**proof),
        edited_by=None if row["edited_by"] is None else Editor(**row["edited_by"]),
        **same,
    )


def _version(version: Version, files: Sequence[AttachmentRow]) -> MessageVersion:
    replaced = [copied(Attachment, file) for file in files if file["id"] in version.replaced_attachments]
    return MessageVersion(version.body, version.replaced_at, replaced)
