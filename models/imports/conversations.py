"""The rows of an imported ticket's messages: their files, and the ids by which an answer to an old mail joins the
ticket.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from models.attachments import rules, scans
from models.attachments.tables import Attachment
from models.conversations import unanswered
from models.conversations.tables import Message, MessageReference
from models.imports import form
from models.imports.context import Context
from models.imports.problems import Refused, size
from models.kernel import limits as kernel_limits
from models.kernel.ids import new_id, parse_id
from models.kernel.storage.database import Row
from models.ports import channel_facts
from models.tickets.tables import Ticket

_rows_max = 200  # of one statement; a message has 33 columns, and SQLite takes 32,766 parameters


def message_rows(context: Context, record: form.Ticket, ticket: Ticket) -> list[Row]:
    """Return the rows of the messages in their order. Raises Refused."""
    people = _requesters(context, record)
    ids = _ids(record)
    rows = [
        _row(context, ticket, f"messages[{index}]", index + 1, one, ids[index], people)
        for index, one in enumerate(record.messages)
    ]
    for row in rows:
        if row["deleted_at"] is None:
            unanswered.note(ticket, row, at=row["created_at"])
    return rows


def _requesters(context: Context, record: form.Ticket) -> dict[str, UUID]:
    wanted = {one.author.id for one in record.messages if one.author.kind == "requester" and one.author.id}
    return context.sources.find_all("requester", wanted)


def _ids(record: form.Ticket) -> list[UUID]:
    """The ids of the messages: the source's where they are UUIDs that no message has."""
    wanted = [parse_id(one.id) for one in record.messages]
    known = [one for one in wanted if one is not None]
    taken: set[UUID] = set()
    for start in range(0, len(known), 500):
        found = Message.select(Message.id).where(Message.id.in_(known[start : start + 500]))
        taken |= {row.id for row in found}
    ids: list[UUID] = []
    for one in wanted:
        ids.append(new_id() if one is None or one in taken else one)
        taken.add(ids[-1])
    return ids


def _row(
    context: Context,
    ticket: Ticket,
    path: str,
    sequence: int,
    one: form.Message,
    message_id: UUID,
    people: dict[str, UUID],
) -> Row:
    is_inbound = one.author.kind in ("requester", "api") if one.direction is None else one.direction == "inbound"
    channel = one.channel or ticket.channel
    if one.account is not None:
        context.account(channel, one.account, f"{path}.account")
    else:
        context.check_channel(channel, f"{path}.channel")
    author_id = _author_id(context, path, one.author, people)
    clean = context.sanitise(one.body_html) if one.body_html is not None else None
    return {
        "id": message_id,
        "ticket_id": ticket.id,
        "sequence": sequence,
        "direction": "inbound" if is_inbound and one.kind != "note" else "outbound",
        "kind": one.kind,
        "author_kind": one.author.kind,
        "author_id": author_id,
        "author_name": one.author.name,
        "subject": one.subject,
        "body": one.body,
        "body_full": one.body_full,
        "body_format": one.body_format,
        "body_html": None if clean is None else clean.html,
        "body_html_remote": None if clean is None else clean.remote,
        "channel": channel,
        "account": one.account,
        "external_id": one.external_id,
        "in_reply_to": one.in_reply_to,
        "automatic": one.automatic,
        "by_machine": one.by_machine,
        "attachments": [_listed(context, file) for file in one.files],
        "created_at": one.created_at,
        "edited_at": one.edited_at,
        "details": one.details,
        "copies": one.copies,
        "reactions": one.reactions,
        "verdict": one.verdict,
        "deleted_at": one.deleted_at,
    }


def _author_id(context: Context, path: str, author: form.Author, people: dict[str, UUID]) -> UUID | None:
    if author.kind == "requester" and author.id is not None:
        if author.id not in people:
            context.leave_out(f"{path}.author.id", size(author.id), "the id of a requester; the name stays")
        return people.get(author.id)
    if author.kind == "agent" and author.email is not None:
        user_id = context.user(author.email)
        if user_id is None:
            context.leave_out(f"{path}.author.email", size(author.email), "the address of a user; the name stays")
        return user_id
    return None


def _listed(context: Context, file: form.File) -> Row:
    """The file as the message's own list has it."""
    stored = context.files.get(file.path or "")
    return {
        "filename": rules.file_name(file.filename),
        "content_type": rules.media_type(file.content_type),
        "size_bytes": stored.size_bytes if stored else file.size_bytes,
        "sha256": stored.sha256 if stored else None,
        "provider_id": None,
        "inline": file.inline,
    }


def insert(rows: Sequence[Row]) -> None:
    """Insert the messages."""
    for start in range(0, len(rows), _rows_max):
        Message.insert_many(rows[start : start + _rows_max]).execute()


def insert_files(context: Context, record: form.Ticket, rows: Sequence[Row]) -> None:
    """Insert the files of the messages. A file without bytes keeps its place and the reason."""
    found = []
    for row, one in zip(rows, record.messages, strict=True):
        for position, file in enumerate(one.files):
            stored = context.files.get(file.path or "")
            reason = None if stored else file.reason or "the import had no bytes of this file"
            found.append(
                _listed(context, file)
                | {
                    "id": new_id(),
                    "ticket_id": row["ticket_id"],
                    "message_id": row["id"],
                    "position": position,
                    "hidden": file.hidden,
                    "content_id": file.content_id,
                    "state": "stored" if stored else "failed",
                    "reason": None if reason is None else reason[: kernel_limits.error_chars_max],
                    "created_at": row["created_at"],
                }
            )
    for start in range(0, len(found), _rows_max):
        Attachment.insert_many(found[start : start + _rows_max]).execute()
    for sha256 in {row["sha256"] for row in found if row["sha256"]}:
        scans.request(sha256)


def insert_references(context: Context, record: form.Ticket, ticket: Ticket, rows: Sequence[Row]) -> None:
    """Insert the ids by which an answer finds the ticket. An id that another ticket has stays there."""
    found = {}
    for index, (row, one) in enumerate(zip(rows, record.messages, strict=True)):
        ids = [*([one.external_id] if one.external_id else []), *one.references]
        if not ids:
            continue
        account = _account_of_references(context, row, f"messages[{index}].external_id")
        for external_id in ids if account is not None else ():
            found[(row["channel"], account, external_id)] = {
                "channel": row["channel"],
                "account": account,
                "external_id": external_id,
                "ticket_id": ticket.id,
                "message_id": row["id"],
                "created_at": row["created_at"],
            }
    values = list(found.values())
    for start in range(0, len(values), _rows_max):
        MessageReference.insert_many(values[start : start + _rows_max]).on_conflict_ignore().execute()


def _account_of_references(context: Context, row: Row, path: str) -> str | None:
    """The account of a message's ids. Global ids (Message-ID of mails) are found from every account."""
    if row["account"] is not None:
        return str(row["account"])
    try:
        account = context.account(row["channel"], None, path)
    except Refused:
        account = None
    if account is not None and channel_facts.of(account.channel).message_ids_are_global:
        return account.name
    context.leave_out(path, "a message id without an account", "an account of the channel, so that answers are found")
    return None
