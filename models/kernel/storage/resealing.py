"""Encrypt every sealed column of the database with the current key, after an upgrade or a change of DATA_KEYS."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from models.kernel import imports, limits, vault
from models.kernel.storage import database
from models.kernel.storage.table import Table


@dataclass(frozen=True, slots=True)
class Count:
    """The values of a column by their state: encrypted with the current key, with another one, or plain text."""

    column: str
    current: int = 0
    other: int = 0
    plain: int = 0


def rotate() -> int:
    """Encrypt all values that are not encrypted with the current key; return their number. Safe to repeat.

    Each batch is a transaction of its own. A value that somebody changes meanwhile is left to that change, which
    encrypts with the current key. Raises ConfigurationError if a key is missing.
    """
    changed = 0
    for table, column in _columns():
        while found := _outdated(table, column):
            with database.transaction():
                for row_id, value in found:
                    changed += _encrypt(table, column, row_id, value)
    return changed


def counts() -> list[Count]:
    """Count the values of each sealed column by their state."""
    found = []
    for table, column in _columns():
        field = table._meta.columns[column]
        with database.connection():
            values = [str(row[column]) for row in _filled(table, field).dicts()]
        current = sum(1 for value in values if vault.is_current(value))
        plain = sum(1 for value in values if not vault.is_sealed(value))
        found.append(Count(f"{table._meta.table_name}.{column}", current, len(values) - current - plain, plain))
    return found


def _columns() -> Iterator[tuple[Any, str]]:
    imports.load_all("models", called="tables")
    for table in sorted(Table.__subclasses__(), key=lambda one: str(one._meta.table_name)):
        for column in table.sealed:
            yield table, column


def _filled(table: Any, field: Any) -> Any:
    """The values that hold a secret; the secret of a deleted row is empty."""
    return table.select(table.id, field).where(field.is_null(False) & (field != "")).order_by(table.id)


def _outdated(table: Any, column: str) -> list[tuple[Any, str]]:
    field = table._meta.columns[column]
    with database.connection():
        query = _filled(table, field).where(~field.startswith(vault.current_prefix())).limit(limits.reseal_batch_max)
        return [(row["id"], str(row[column])) for row in query.dicts()]


def _encrypt(table: Any, column: str, row_id: Any, value: str) -> int:
    purpose = vault.purpose(str(table._meta.table_name), column, row_id)
    plaintext = vault.open(purpose, value) if vault.is_sealed(value) else value.encode()
    field = table._meta.columns[column]
    changes = {field: vault.seal(purpose, plaintext)}
    return int(table.update(changes).where((table.id == row_id) & (field == value)).execute())
