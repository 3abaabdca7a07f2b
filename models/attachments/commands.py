"""Commands that store and erase the files of messages: files of inbound events, and uploads."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from uuid import UUID

from models.attachments import rules, scans
from models.attachments.tables import Attachment
from models.blobs import commands as blobs
from models.channels.accounts import ChannelAccount
from models.idempotency import commands as idempotency
from models.kernel import clock, limits
from models.kernel.errors import FieldProblem, Invalid, TooLarge
from models.kernel.ids import new_id
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.kernel.storage.batch import as_json
from models.ports.inbound import AttachmentInfo, InboundMessage
from models.tasks.payloads import FetchAttachment
from models.tickets.ticket_change import TicketChange


def store_contents(parsed: InboundMessage, account: ChannelAccount) -> InboundMessage:
    """Put the contents of a parsed message into the blob store; return the message with hashes instead of bytes.

    Call this outside of any transaction. A file above the account's size limit is listed, and its bytes stay in the raw
    event. Raises BlobStoreAway. A repeated call has no further effect.
    """
    if all(info.content is None for info in parsed.attachments):
        return parsed
    most = bytes_max(account)
    return replace(parsed, attachments=tuple(_stored(info, most) for info in parsed.attachments))


def bytes_max(account: ChannelAccount) -> int:
    """Return the size limit for the files of this account's messages."""
    return int(account.config.get("attachment_bytes_max", 25 * limits.MIB))


def _stored(info: AttachmentInfo, most: int) -> AttachmentInfo:
    if info.content is None:
        return info
    try:
        kept = blobs.keep(blobs.pieces(io.BytesIO(info.content)), bytes_max=most)
    except TooLarge:
        reason = f"larger than the {rules.size_in_words(most)} that this account keeps; it is in the received event"
        return replace(info, content=None, sha256=None, refused="too_large", reason=reason)
    return replace(info, content=None, sha256=kept.sha256, size_bytes=kept.size_bytes)


def record(
    change: TicketChange,
    message_id: UUID,
    infos: Sequence[AttachmentInfo],
    *,
    account: ChannelAccount,
    part_id: str | None,
    first_position: int = 0,
) -> list[UUID]:
    """Write the rows of a message's files, after the message's own row. A file that is still at the provider gets a
    task that fetches it. `part_id`: the provider's id of the message, or of the part of an album.

    Joins the caller's transaction. A file whose provider key is stored already is not fetched again.
    """
    known = _known(account, infos)
    ids = []
    for position, info in enumerate(infos, start=first_position):
        found = known.get(info.provider_key or "") if info.sha256 is None else None
        if found is not None:
            info = replace(info, sha256=found[0], size_bytes=found[1], refused=None, reason=None)
        state, reason = rules.state_of(info)
        attachment_id = new_id()
        ids.append(attachment_id)
        change.batch.insert(
            "attachments",
            {
                "id": attachment_id,
                "ticket_id": change.ticket.id,
                "message_id": message_id,
                "position": position,
                "filename": rules.file_name(info.filename),
                "content_type": rules.media_type(info.content_type),
                "size_bytes": info.size_bytes,
                "sha256": info.sha256,
                "inline": info.inline,
                "hidden": info.hidden,
                "content_id": info.content_id,
                "provider_channel": account.channel,
                "provider_account": account.name,
                "provider_id": info.provider_id,
                "provider_key": info.provider_key,
                "state": state,
                "reason": reason,
                "created_at": change.at,
                "part_id": part_id,
            },
        )
        if info.sha256 is not None:
            scans.request(info.sha256)
        if state == "pending":
            change.enqueue(
                FetchAttachment(attachment_id=attachment_id),
                key=None,
                dedupe_key=f"fetch:{attachment_id}",
            )
    return ids


def replace_edited(
    change: TicketChange, message_id: UUID, parsed: InboundMessage, *, account: ChannelAccount, is_album: bool
) -> list[UUID] | None:
    """Put the files of an edit in the place of the files that the edited part of the message had; those stay as an
    earlier version.

    Returns the ids of the replaced files; an edit that adds a first file to a text replaces none. Returns None for an
    edit with the same files, or without files. Joins the caller's transaction.
    """
    if not parsed.attachments:
        # Telegram has no edit that only removes a file, and a service may leave unchanged files out.
        return None
    rows = database.run(
        "SELECT id, position, part_id, provider_id, provider_key, sha256, filename, content_type, size_bytes, inline"
        " FROM attachments WHERE message_id = :id AND replaced_at IS NULL ORDER BY position",
        id=message_id,
    )
    current = [Attachment.converted(row) for row in rows]
    # A file of an earlier release has no part: of an album, it is not known which part an edit changes.
    before = [row for row in current if row["part_id"] == parsed.external_id or (not row["part_id"] and not is_album)]
    names_before = {row["provider_key"] or row["provider_id"] or row["sha256"] for row in before}
    if names_before == {info.provider_key or info.provider_id or info.sha256 for info in parsed.attachments}:
        return None
    first = before[0]["position"] if before else len(current)
    if before:
        names, values = database.in_list("id", [row["id"] for row in before])
        database.execute(f"UPDATE attachments SET replaced_at = :now WHERE id IN {names}", values, now=change.at)
    record(change, message_id, parsed.attachments, account=account, part_id=parsed.external_id, first_position=first)
    kept = [(row["position"], _listed(row)) for row in current if row not in before]
    added = [(first, info.as_json()) for info in parsed.attachments]
    listed = [one for _, one in sorted([*kept, *added], key=lambda pair: pair[0])]
    database.execute("UPDATE messages SET attachments = :listed WHERE id = :id", listed=as_json(listed), id=message_id)
    return [row["id"] for row in before]


def _known(account: ChannelAccount, infos: Sequence[AttachmentInfo]) -> dict[str, tuple[str, int]]:
    """Return the hash and size of the files that were fetched before, by provider key."""
    keys = sorted({info.provider_key for info in infos if info.provider_key and info.sha256 is None})
    if not keys:
        return {}
    names, values = database.in_list("key", keys)
    rows = database.run(
        "SELECT provider_key, sha256, size_bytes FROM attachments WHERE provider_channel = :channel AND"
        " provider_account = :account"
        f" AND provider_key IN {names} AND sha256 IS NOT NULL AND state = 'stored'",
        values,
        channel=account.channel,
        account=account.name,
    )
    return {row["provider_key"]: (row["sha256"], row["size_bytes"]) for row in rows}


def upload(
    parts: Iterable[bytes],
    *,
    filename: str,
    content_type: str,
    by: str,
    content_id: str | None = None,
    key: str | None = None,
    fingerprint: Callable[[str], str] = str,
) -> UUID:
    """Store a file that a person or program uploads for a later message. Call this outside of any transaction.

    `by`: the only principal who can use the upload. `content_id`: the text shows the file as an inline picture.
    `key`: the Idempotency-Key of the request; a repeat returns the first upload. `fingerprint` of the SHA-256 of the
    bytes recognises the request. Raises Invalid for an empty file, TooLarge, BlobStoreAway, IdempotencyKeyReused.
    """
    rest = iter(parts)
    first = next(rest, b"")
    if not first:
        raise Invalid([FieldProblem("/file", "expected a file of at least one byte as the body")])
    kept = blobs.keep(itertools.chain([first], rest), bytes_max=limits.upload_bytes_max)
    attachment_id = new_id()
    with database.transaction():
        if key is not None:
            stored = idempotency.take(by, key, request_hash=fingerprint(kept.sha256))
            if stored is not None:
                return UUID(stored.body)
            idempotency.store(by, key, idempotency.StoredAnswer(201, {}, str(attachment_id)))
        database.execute(
            "INSERT INTO attachments (id, position, filename, content_type, size_bytes, sha256, inline, hidden,"
            " state, created_at,"
            " uploaded_by, content_id) VALUES (:id, 0, :filename, :type, :size, :sha256, :inline, :no, 'uploaded',"
            " :now, :by, :cid)",
            id=attachment_id,
            filename=rules.file_name(filename),
            type=rules.media_type(content_type),
            size=kept.size_bytes,
            sha256=kept.sha256,
            inline=content_id is not None,
            cid=content_id,
            no=False,
            now=clock.now(),
            by=by,
        )
        scans.request(kept.sha256)
    return attachment_id


def use(ids: Sequence[UUID], *, ticket_id: UUID, message_id: UUID, by: str, first_position: int = 0) -> None:
    """Make uploads the files of a message, in this order. Joins the caller's transaction.

    Raises Invalid for an upload that is unknown, belongs to another principal, is used already, or was not released by
    the malware scanner.
    """
    if len(set(ids)) != len(ids):
        raise Invalid([FieldProblem("/attachments", "expected each upload once")])
    for index, attachment_id in enumerate(ids):
        taken = database.execute(
            "UPDATE attachments SET ticket_id = :ticket, message_id = :message, position = :position, state = 'stored'"
            " WHERE id = :id AND state = 'uploaded' AND uploaded_by = :by",
            ticket=ticket_id,
            message=message_id,
            position=first_position + index,
            id=attachment_id,
            by=by,
        )
        if taken.rowcount == 0:
            raise Invalid(
                [FieldProblem(f"/attachments/{index}", "expected an upload of yours that no message has yet")]
            )
    scans.refuse_held(message_id)
    _list(message_id)


def copy(ids: Sequence[UUID], *, ticket_id: UUID, message_id: UUID) -> None:
    """Make stored files of a ticket files of another message of it as well, in this order. Joins the caller's
    transaction.

    Raises Invalid for a file that is not stored in the ticket, and for one that the malware scanner did not release.
    """
    query = Attachment.select().where(
        Attachment.id.in_(list(ids)),
        Attachment.ticket_id == ticket_id,
        Attachment.state == "stored",
        Attachment.replaced_at.is_null(),
    )
    known = {row["id"]: row for row in database.rows(query)}
    chosen = list(dict.fromkeys(ids))
    problems = [
        FieldProblem(f"/files/{index}", "expected the id of a stored file of this ticket")
        for index, one in enumerate(chosen)
        if one not in known
    ]
    if problems:
        raise Invalid(problems)
    names = ("ticket_id", "filename", "content_type", "size_bytes", "sha256", "state")
    for position, one in enumerate(chosen):
        same = {name: known[one][name] for name in names}
        Attachment.insert(
            **same,
            id=new_id(),
            message_id=message_id,
            position=position,
            inline=False,
            hidden=False,
            created_at=clock.now(),
        ).execute()
    scans.refuse_held(message_id)
    _list(message_id)


def _list(message_id: UUID) -> None:
    """Copy the list of files into the message's row. The copy is for counting; readers use the table."""
    rows = database.run(
        "SELECT filename, content_type, size_bytes, sha256, inline, provider_id FROM attachments WHERE message_id"
        " = :id AND replaced_at IS NULL ORDER BY position",
        id=message_id,
    )
    listed = [_listed(row) for row in rows]
    database.execute("UPDATE messages SET attachments = :listed WHERE id = :id", listed=as_json(listed), id=message_id)


def _listed(row: database.Row) -> JsonObject:
    """Return a file as the message's own list has it."""
    names = ("filename", "content_type", "size_bytes", "sha256", "provider_id")
    return {**{name: row[name] for name in names}, "inline": bool(row["inline"])}


def remember_names(message_id: UUID, account: ChannelAccount, names: Sequence[tuple[str, str]]) -> None:
    """Store the provider's names for the files that it was sent, as (hash, name). Joins the caller's transaction.

    A later message refers to the name, and the same bytes are not uploaded again.
    """
    for sha256, name in names:
        database.execute(
            "UPDATE attachments SET provider_channel = :channel, provider_account = :account, provider_id = :name"
            " WHERE message_id = :id AND sha256 = :sha256 AND state = 'stored'",
            channel=account.channel,
            account=account.name,
            name=name,
            id=message_id,
            sha256=sha256,
        )


def erase(message_ids: Sequence[UUID]) -> int:
    """Erase the names, types and hashes of these messages' files. The next garbage collection deletes the bytes that no
    other row uses.

    Joins the caller's transaction. Returns the number of files. The rows stay, so the conversation shows that there
    were files.
    """
    if not message_ids:
        return 0
    names, values = database.in_list("id", message_ids)
    erased = database.run(
        "UPDATE attachments SET filename = 'erased', content_type = 'application/octet-stream', size_bytes = 0,"
        " sha256 = NULL,"
        " content_id = NULL, provider_id = NULL, provider_key = NULL, part_id = NULL, state = 'erased',"
        " reason = 'erased on request',"
        f" uploaded_by = NULL WHERE message_id IN {names} AND state <> 'erased' RETURNING message_id",
        values,
    )
    for message_id in {Attachment.converted(row)["message_id"] for row in erased}:
        _list(message_id)
    return len(erased)
