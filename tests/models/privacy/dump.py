"""All rows of the database as text, and the rows in which a text stands."""

from __future__ import annotations

from typing import Any

import peewee

from models.kernel.storage import database
from models.kernel.storage.table import Table
from models.privacy.register.columns import TABLES
from models.privacy.register.treatments import Treatment

Rows = dict[str, dict[str, dict[str, str]]]


def everything() -> Rows:
    """Table -> primary key -> column -> value as text."""
    found: Rows = {}
    with database.connection():
        for model in Table.__subclasses__():
            name = str(model._meta.table_name)
            if name == "counters" and database.is_postgres():
                continue
            key: Any = model._meta.primary_key
            keys = list(key.field_names) if isinstance(key, peewee.CompositeKey) else [key.column_name]
            rows = database.run("SELECT * FROM " + name)
            found[name] = {
                "|".join(str(row[key]) for key in keys): {column: _text(value) for column, value in row.items()}
                for row in rows
            }
    return found


def _text(value: Any) -> str:
    return bytes(value).decode("utf-8", "replace") if isinstance(value, bytes | memoryview) else str(value)


def places(rows: Rows, *markers: str) -> set[str]:
    """`table.column` of every value that holds one of the markers, without the columns that the register keeps."""
    return {
        f"{table}.{column}"
        for table, found in rows.items()
        for row in found.values()
        for column, value in row.items()
        if any(marker.lower() in value.lower() for marker in markers) and not _is_kept(table, column)
    }


def _is_kept(table: str, column: str) -> bool:
    entry = TABLES.get(table, {}).get(column)
    return entry is not None and entry.treatment is Treatment.kept
