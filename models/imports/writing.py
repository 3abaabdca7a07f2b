"""Write records in batches: each batch is a transaction, each record a savepoint of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Literal
from uuid import UUID

import msgspec
import peewee

from models.blobs import commands as blobs
from models.imports import form, limits, people, tickets
from models.imports.bundles import Bundle
from models.imports.context import Context
from models.imports.items import Item
from models.imports.problems import Problem, Refused
from models.kernel.errors import TooLarge
from models.kernel.storage.savepoint import savepoint

Outcome = Literal["taken", "known", "refused"]
KINDS: Final = ("organisation", "user", "requester", "ticket", "link")
_WRITERS: Final[dict[type[form.Record], Callable[[Context, Any], UUID]]] = {
    form.Organisation: people.write_organisation,
    form.User: people.write_user,
    form.Requester: people.write_requester,
    form.Ticket: tickets.write_ticket,
    form.Link: tickets.write_link,
}


def store_files(context: Context, items: Sequence[Item], bundle: Bundle) -> None:
    """Store the files of the records' messages, outside of any transaction. A dry run only looks for them.

    Records that the desk has already are skipped. A missing or wrong file is noted when its record is written.
    """
    context.files.clear()
    records = [one.record for one in items if isinstance(one.record, form.Ticket)]
    paths = {file.path: file for one in records for message in one.messages for file in message.files if file.path}
    for path, file in paths.items():
        if context.dry_run:
            if (size := bundle.size_of(path)) is not None and size <= limits.file_bytes_max:
                context.files[path] = blobs.Stored(file.sha256 or "", size, file.content_type)
            continue
        with bundle.open_file(path) as stream:
            if stream is None:
                continue
            try:
                stored = blobs.keep(blobs.pieces(stream), bytes_max=limits.file_bytes_max)
            except TooLarge:
                continue
        if file.sha256 in (None, stored.sha256):
            context.files[path] = stored


def take(context: Context, item: Item) -> tuple[Outcome, list[Problem]]:
    """Write one record; return its outcome and its problems. Joins the caller's transaction."""
    record = item.record
    context.notes.clear()
    if record is None:
        return "refused", list(item.problems)
    kind = kind_of(record)
    if context.sources.find(kind, record.id) is not None:
        return "known", []
    if isinstance(record, form.Ticket):
        _note_missing_files(context, record)
    try:
        _write(context, kind, record)
    except Refused as refused:
        return "refused", list(refused.problems)
    return "taken", [*item.problems, *context.notes]


def _write(context: Context, kind: str, record: form.AnyRecord) -> None:
    try:
        with savepoint():
            context.sources.remember(kind, record.id, _WRITERS[type(record)](context, record))
    except peewee.IntegrityError:
        # Another transaction took the number, an id or an address at this moment.
        if isinstance(record, form.Ticket):
            record = msgspec.structs.replace(record, number=None)
        try:
            with savepoint():
                context.sources.remember(kind, record.id, _WRITERS[type(record)](context, record))
        except peewee.IntegrityError:
            raise Refused(Problem("", "a row that another writer made meanwhile", "a repeated import")) from None


def kind_of(record: form.AnyRecord) -> str:
    """Return the word of the record's kind."""
    tag = type(record).__struct_config__.tag
    assert isinstance(tag, str), "each kind of record has a tag"
    return tag


def _note_missing_files(context: Context, record: form.Ticket) -> None:
    for at, message in enumerate(record.messages):
        for index, file in enumerate(message.files):
            if file.path is not None and file.path not in context.files:
                context.leave_out(
                    f"messages[{at}].files[{index}]",
                    "no such file, a larger one, or one with another hash",
                    f"a file of at most {limits.file_bytes_max} bytes next to the records, with the hash of the record",
                )
