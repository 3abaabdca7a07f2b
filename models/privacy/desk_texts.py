"""Addresses of an erased person in texts that belong to the desk: filters, macros, saved replies, drafts.

The texts stay, because they are the work of the staff. An address inside is replaced by `[erased]` and not removed: a
view without its `requester_address` would show the tickets of everybody.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from models.bulk.tables import BulkChange
from models.drafts.tables import Draft
from models.kernel.storage import database
from models.kernel.storage.table import JsonField, Table, for_update
from models.kernel.text import ERASED
from models.macros.tables import Macro
from models.privacy.register.columns import TABLES
from models.privacy.rows import Person
from models.saved_replies.tables import SavedReply
from models.ticket_lists.views.tables import TicketView
from models.undo.tables import Undo

# Tables with columns that the register calls `without_addresses`.
HOLDERS: Final[tuple[type[Table], ...]] = (BulkChange, Draft, Macro, SavedReply, TicketView)


def remove_addresses(person: Person) -> None:
    """Replace the person's addresses in the texts of the desk. Joins the caller's transaction.

    Acts of others' tickets that hold an address can be undone no more: the undo would write the address again.
    """
    addresses = sorted({address for mine in person.addresses.values() for address in mine})
    for address in addresses:
        for table in HOLDERS:
            _replace_in(table, address)
    for address in filter(_is_distinct, addresses):
        Undo.delete().where(_holds(Undo.act, address)).execute()


def _replace_in(table: type[Table], address: str) -> None:
    for column in _columns(table):
        for row in database.rows(for_update(table.select().where(_holds(column, address)))):
            before = row[column.name]
            after = without(before, address)
            if after == before:
                continue
            changes: dict[Any, Any] = {column: after}
            if "version" in row:
                changes[table._meta.fields["version"]] = row["version"] + 1
            mine = [table._meta.fields[name] == row[name] for name in _key(table)]
            table.update(changes).where(*mine).execute()


def _key(table: type[Table]) -> list[str]:
    key: Any = table._meta.primary_key
    return list(getattr(key, "field_names", ())) or [key.name]


def _columns(table: type[Table]) -> Iterator[Any]:
    for name, entry in TABLES[str(table._meta.table_name)].items():
        if entry.without_addresses:
            yield table._meta.columns[name]


def _holds(column: Any, address: str) -> Any:
    """Return the condition that a column holds an address, in any case, also within a longer text."""
    if isinstance(column, JsonField):
        return column.cast("text").contains(json.dumps(address, ensure_ascii=False)[1:-1])
    return column.contains(address)


def without(value: Any, address: str) -> Any:
    """Return a value without an address: `[erased]` stands in the place of each.

    Inside a longer text, only an address that cannot be a part of another word or number is found: the id of a chat can
    be the number of an order as well.
    """
    if isinstance(value, dict):
        return {name: without(one, address) for name, one in value.items()}
    if isinstance(value, list):
        return [without(one, address) for one in value]
    if not isinstance(value, str):
        return value
    if value.casefold() == address.casefold():
        return ERASED
    if not _is_distinct(address):
        return value
    alone = rf"(?<![\w.+%-]){re.escape(address)}(?![\w-]|\.\w)"
    return re.sub(alone, ERASED, value, flags=re.IGNORECASE)


def _is_distinct(address: str) -> bool:
    """Return True for an address that no ordinary text contains by chance: one of a mail, or a telephone number."""
    return "@" in address or address.startswith("+")
