"""Queries of attachments."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import cast
from uuid import UUID

from models.attachments import links, rules, scans
from models.attachments.row_types import AttachmentRow
from models.attachments.tables import Attachment
from models.blobs import commands as blobs
from models.channels.accounts import ChannelAccount
from models.kernel.errors import NotFound
from models.kernel.settings import Settings
from models.kernel.storage import database
from models.ports.outbound import OutgoingAttachment

_COLUMNS = (
    "SELECT a.id, a.ticket_id, a.message_id, a.position, a.filename, a.content_type, a.size_bytes, a.sha256,"
    " a.inline, a.hidden,"
    " a.content_id, a.provider_id, a.state, a.reason, a.created_at, a.uploaded_by, a.replaced_at,"
    " b.content_type AS sniffed_type, b.object_key, b.scan_state AS scan, b.scan_detail"
    " FROM attachments AS a LEFT JOIN blobs AS b ON b.sha256 = a.sha256"
)


def get(attachment_id: UUID) -> AttachmentRow:
    """Read one attachment with `sniffed_type` and `object_key` (null without bytes). Raises NotFound."""
    row = database.one(f"{_COLUMNS} WHERE a.id = :id", id=attachment_id)
    if row is None:
        raise NotFound(f"there is no attachment {attachment_id}")
    return cast(AttachmentRow, Attachment.converted(row))


def of_messages(message_ids: Sequence[UUID]) -> dict[UUID, list[AttachmentRow]]:
    """Read the attachments of messages in order, by message, in one statement for any number of messages.

    Files that an edit replaced are not among them.
    """
    return {
        message_id: [row for row in rows if row["replaced_at"] is None]
        for message_id, rows in with_replaced(message_ids).items()
    }


def with_replaced(message_ids: Sequence[UUID]) -> dict[UUID, list[AttachmentRow]]:
    """Read the attachments of messages and of their earlier versions, by message, in one statement."""
    if not message_ids:
        return {}
    names, values = database.in_list("id", message_ids)
    found: dict[UUID, list[AttachmentRow]] = {}
    for row in database.run(f"{_COLUMNS} WHERE a.message_id IN {names} ORDER BY a.position, a.id", values):
        converted = cast(AttachmentRow, Attachment.converted(row))
        message_id = converted["message_id"]
        assert message_id is not None, "the statement selects by message"
        found.setdefault(message_id, []).append(converted)
    return found


def outgoing(message_id: UUID, account: ChannelAccount) -> tuple[OutgoingAttachment, ...]:
    """Read the files to send with a message. The sender reads their bytes by `open()`.

    `provider_id`: the name that this account's provider has for the same bytes, from any earlier message.
    """
    rows = of_messages([message_id]).get(message_id, [])
    names = _provider_names([row["sha256"] for row in rows if row["sha256"]], account)
    return tuple(
        OutgoingAttachment(
            filename=row["filename"],
            content_type=rules.served_type(row["content_type"], row["sniffed_type"]),
            size_bytes=row["size_bytes"],
            sha256=row["sha256"],
            open=partial(blobs.open_key, row["object_key"]),
            inline=row["inline"],
            content_id=row["content_id"],
            provider_id=names.get(row["sha256"]),
        )
        for row in rows
        # A file with bytes has a hash and a detected type, too. One that is held back does not leave the desk.
        if scans.is_released(row["scan"])
        and row["object_key"] is not None
        and row["sha256"] is not None
        and row["sniffed_type"] is not None
    )


def _provider_names(hashes: Sequence[str], account: ChannelAccount) -> dict[str, str]:
    """Read the newest name that the account's provider has for each content hash."""
    if not hashes:
        return {}
    names, values = database.in_list("sha", hashes)
    rows = database.run(
        "SELECT sha256, provider_id FROM attachments WHERE provider_channel = :channel AND provider_account = :account"
        f" AND provider_id IS NOT NULL AND sha256 IN {names} ORDER BY created_at, id",
        values,
        channel=account.channel,
        account=account.name,
    )
    return {row["sha256"]: row["provider_id"] for row in rows}


def cid_links(message_id: UUID, config: Settings) -> dict[str, str]:
    """Return inline links to pictures by Content-ID, for the `cid:` URLs in a message's HTML (RFC 2392).

    The result is empty unless FILES_URL has its own origin: the console's origin never displays received files inline.
    """
    if not links.has_own_origin(config):
        return {}
    return {
        row["content_id"]: links.url(row["id"], config, inline=True)
        for row in of_messages([message_id]).get(message_id, [])
        if row["content_id"]
        and row["state"] == "stored"
        and scans.is_released(row["scan"])
        and row["sniffed_type"] in rules.SHOWN_IN_PLACE
    }
