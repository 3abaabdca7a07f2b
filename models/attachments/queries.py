"""Read attachments."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from models.attachments import links, rules
from models.blobs import commands as blobs
from models.channels.accounts import ChannelAccount
from models.kernel import database
from models.kernel.errors import NotFound
from models.kernel.settings import Settings
from models.ports.outbound import OutgoingAttachment

_COLUMNS = (
    "SELECT a.id, a.ticket_id, a.message_id, a.position, a.filename, a.content_type, a.size_bytes, a.sha256,"
    " a.inline, a.hidden,"
    " a.content_id, a.provider_id, a.state, a.reason, a.created_at, a.uploaded_by, b.content_type AS sniffed_type,"
    " b.object_key"
    " FROM attachments AS a LEFT JOIN blobs AS b ON b.sha256 = a.sha256"
)


def get(attachment_id: UUID) -> dict[str, Any]:
    """One attachment with `sniffed_type` and `object_key` (null without bytes). Raises NotFound."""
    row = database.one(f"{_COLUMNS} WHERE a.id = :id", id=attachment_id)
    if row is None:
        raise NotFound(f"there is no attachment {attachment_id}")
    return _shaped(row)


def of_messages(message_ids: Sequence[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    """Message -> its attachments in order, in one statement however many messages there are."""
    if not message_ids:
        return {}
    names, values = database.in_list("id", message_ids)
    found: dict[UUID, list[dict[str, Any]]] = {}
    for row in database.run(f"{_COLUMNS} WHERE a.message_id IN {names} ORDER BY a.position, a.id", values):
        shaped = _shaped(row)
        found.setdefault(shaped["message_id"], []).append(shaped)
    return found


def _shaped(row: dict[str, Any]) -> dict[str, Any]:
    """The row with the types of both engines made one."""
    ids = {name: UUID(str(row[name])) if row[name] else None for name in ("id", "ticket_id", "message_id")}
    flags = {name: bool(row[name]) for name in ("inline", "hidden")}
    return {**row, **ids, **flags, "created_at": database.instant(row["created_at"])}


def outgoing(message_id: UUID, account: ChannelAccount) -> tuple[OutgoingAttachment, ...]:
    """The files that go out with a message; their bytes are read in the sender, by `open()`.

    `provider_id`: by which this account's provider knows the same bytes, from whatever message they came or went with.
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
        if row["object_key"] is not None
    )


def _provider_names(hashes: Sequence[str], account: ChannelAccount) -> dict[str, str]:
    """Hash -> the newest name that the account's provider has for those bytes."""
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
    """Content-ID -> a link that shows the picture, for `cid:` in a message's HTML.

    Empty unless FILES_URL is an origin of its own: on the console's, nothing of a stranger's is shown in place.
    """
    if not links.has_own_origin(config):
        return {}
    return {
        row["content_id"]: links.url(row["id"], config, inline=True)
        for row in of_messages([message_id]).get(message_id, [])
        if row["content_id"] and row["state"] == "stored" and row["sniffed_type"] in rules.SHOWN_IN_PLACE
    }
