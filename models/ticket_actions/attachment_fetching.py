"""Records the outcome of fetching a file from its provider. Commands join the caller's transaction.

An outcome may be recorded twice (a worker died after the download), so only a file that is still `pending` changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from models.attachments import rules, scans
from models.attachments.tables import Attachment
from models.blobs.commands import Stored
from models.channels import accounts, texts
from models.conversations import messages
from models.conversations.tables import Message
from models.events.commands import SYSTEM
from models.events.payload import UNSET
from models.events.ticket_payloads import AttachmentFailed, AttachmentStored
from models.kernel import clock, limits
from models.kernel.errors import Contention
from models.kernel.storage import database
from models.kernel.storage.batch import as_json
from models.ticket_workflow.acts import automatic_messages
from models.tickets.ticket_change import TicketChange


@dataclass(frozen=True, slots=True)
class Pending:
    """A file that waits at its provider."""

    id: UUID
    ticket_id: UUID
    message_id: UUID
    channel: str
    account: str
    provider_id: str
    size_bytes: int


def pending(attachment_id: UUID) -> Pending | None:
    """Read a file whose bytes are still to be fetched; None when they are not wanted any more."""
    row = database.one(
        "SELECT ticket_id, message_id, provider_channel, provider_account, provider_id, size_bytes FROM attachments"
        " WHERE id = :id AND state = 'pending'",
        id=attachment_id,
    )
    if row is None:
        return None
    row = Attachment.converted(row)
    return Pending(
        attachment_id,
        row["ticket_id"],
        row["message_id"],
        row["provider_channel"],
        row["provider_account"],
        row["provider_id"],
        row["size_bytes"],
    )


def record_stored(file: Pending, kept: Stored) -> None:
    """The bytes are in the blob store."""
    # The ticket's row first, as everybody who changes a ticket does: it also orders two files of one message.
    change = TicketChange.of(file.ticket_id, actor=SYSTEM, causation_id=f"attachment:{file.id}")
    row = database.one(
        "UPDATE attachments SET state = 'stored', reason = NULL, sha256 = :sha256, size_bytes = :size WHERE id = :id"
        " AND state = 'pending' RETURNING position, replaced_at, ticket_id",
        sha256=kept.sha256,
        size=kept.size_bytes,
        id=file.id,
    )
    if row is None:
        return
    _check_ticket(row, file, change)
    scans.request(kept.sha256)
    if row["replaced_at"] is None:
        _list(file.message_id, int(row["position"]), kept)
    change.record(
        AttachmentStored(
            attachment_id=file.id, message_id=file.message_id, size_bytes=kept.size_bytes, sha256=kept.sha256
        )
    )
    change.save()


def record_failed(file: Pending, reason: str) -> None:
    """There are no bytes and never will be; people see why."""
    _end(file, "failed", reason, limit_bytes=None)


def record_too_large(file: Pending, *, limit_bytes: int) -> None:
    """Record that a file is too large, and tell its requester, once per message."""
    reason = f"larger than {rules.size_in_words(limit_bytes)}, which is what comes through here"
    _end(file, "too_large", reason, limit_bytes=limit_bytes)


def _end(file: Pending, state: str, reason: str, *, limit_bytes: int | None) -> None:
    change = TicketChange.of(file.ticket_id, actor=SYSTEM, causation_id=f"attachment:{file.id}")
    row = database.one(
        "UPDATE attachments SET state = :state, reason = :reason WHERE id = :id AND state = 'pending' RETURNING"
        " filename, ticket_id",
        state=state,
        reason=reason.replace("\x00", "�")[: limits.error_chars_max],
        id=file.id,
    )
    if row is None:
        return
    _check_ticket(row, file, change)
    change.record(
        AttachmentFailed(
            attachment_id=file.id,
            message_id=file.message_id,
            state=state,
            reason=reason,
            requester_told=UNSET
            if limit_bytes is None
            else _notify_requester(change, file, row["filename"], limit_bytes),
        )
    )
    change.save()


def _check_ticket(row: database.Row, file: Pending, change: TicketChange) -> None:
    """Raise Contention when the file moved to another ticket, with its message, before its ticket was locked."""
    if Attachment.converted(row)["ticket_id"] not in (file.ticket_id, change.ticket.id):
        raise Contention()


def _notify_requester(change: TicketChange, file: Pending, filename: str, limit_bytes: int) -> bool:
    """Write to the requester unless this message's files were spoken of already; whether they hear of it."""
    before = database.one(
        "SELECT 1 AS found FROM attachments WHERE message_id = :id AND told_at IS NOT NULL",
        id=file.message_id,
    )
    if before is not None or _is_automatic(file.message_id) or automatic_messages.withheld_reason(change) is not None:
        return False
    account = accounts.find(file.channel, file.account)
    size = rules.size_in_words(limit_bytes)
    text = texts.text(account, "file_too_large", _locale(change), filename=filename, limit=size)
    messages.add_reply(change, text, author=("system", None, SYSTEM.name), automatic=True)
    database.execute("UPDATE attachments SET told_at = :now WHERE id = :id", now=clock.now(), id=file.id)
    return True


def _is_automatic(message_id: UUID) -> bool:
    """Return True if the message must not be answered automatically (RFC 3834), whoever wrote it."""
    row = database.one("SELECT automatic FROM messages WHERE id = :id", id=message_id)
    return row is None or row["automatic"] is not None


def _locale(change: TicketChange) -> str | None:
    row = database.one("SELECT locale FROM requesters WHERE id = :id", id=change.ticket.requester_id)
    return None if row is None else row["locale"]


def _list(message_id: UUID, position: int, kept: Stored) -> None:
    """Write the stored size and hash into the message's own list of files."""
    row = database.one("SELECT attachments FROM messages WHERE id = :id FOR_UPDATE", id=message_id)
    assert row is not None, "a file's message is there"
    listed = Message.converted(row)["attachments"]
    if position < len(listed):
        listed[position] |= {"sha256": kept.sha256, "size_bytes": kept.size_bytes}
        database.execute(
            "UPDATE messages SET attachments = :listed WHERE id = :id", listed=as_json(listed), id=message_id
        )
