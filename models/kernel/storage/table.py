"""The base of all tables: one peewee model per table declares each column's type, nullability and conversion.

Composed queries read through the models. Hand-written statements take column lists (`selected`) and conversions
(`converted`, `from_row`) from the same declarations, so a column is declared once and both engines return the same
Python values. `tests/architecture/test_schema.py` compares every model with the table that the migrations make.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, Self, TypeVar, overload
from uuid import UUID

import peewee

from models.kernel import clock
from models.kernel.storage import database
from models.kernel.storage.batch import as_json, from_json

_V = TypeVar("_V")
_R = TypeVar("_R")

if TYPE_CHECKING:
    # peewee's fields are generic for type checkers only. The overloads give `null=True` columns an optional type.
    class InstantField(peewee.Field[_V]):
        @overload
        def __new__(cls, *, null: Literal[True], **options: Any) -> InstantField[datetime | None]: ...
        @overload
        def __new__(cls, *, null: Literal[False] = ..., **options: Any) -> InstantField[datetime]: ...
        def __new__(cls, **options: Any) -> Any: ...

    class IdField(peewee.Field[_V]):
        @overload
        def __new__(cls, *, null: Literal[True], **options: Any) -> IdField[UUID | None]: ...
        @overload
        def __new__(cls, *, null: Literal[False] = ..., **options: Any) -> IdField[UUID]: ...
        def __new__(cls, **options: Any) -> Any: ...

    class JsonField(peewee.Field[_V]):
        def __new__(cls, **options: Any) -> JsonField[Any]: ...
        def __getitem__(self, key: str | int) -> Any: ...

else:

    class InstantField(peewee.Field):
        """An aware UTC instant: timestamptz on PostgreSQL, text of fixed width on SQLite."""

        field_type = "TIMESTAMPTZ"

        def python_value(self, value):
            return database.instant(value)

    class IdField(peewee.Field):
        """A UUIDv7 (RFC 9562): uuid on PostgreSQL, its text on SQLite."""

        field_type = "UUID"

        def db_value(self, value):
            return None if value is None else str(value)

        def python_value(self, value):
            return value if value is None or isinstance(value, UUID) else UUID(value)

    class JsonField(peewee.JSONField):
        """A JSON value: jsonb (or json) on PostgreSQL, text on SQLite. `field[key]` composes a path into it."""

        def __init__(self, **options):
            super().__init__(dumps=as_json, **options)

        def python_value(self, value):
            return from_json(value)


class EnumField(peewee.TextField):
    """A text column whose values are members of a StrEnum."""

    def __init__(self, kind: type[StrEnum], **options: Any) -> None:
        self._kind = kind
        super().__init__(**options)

    def db_value(self, value: Any) -> str | None:
        return None if value is None else str(value)

    def python_value(self, value: Any) -> StrEnum | None:
        return None if value is None else self._kind(value)


class Table(peewee.Model):
    """One row of a table. Changing an attribute writes nothing; commands write with statements.

    `sealed` names the columns that the vault encrypts (models/kernel/vault.py); such a table has the primary key `id`.
    """

    sealed: ClassVar[tuple[str, ...]] = ()

    class Meta:
        database = database.proxy
        legacy_table_names = False

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        """Return the column names in the order of their declaration."""
        return tuple(field.column_name for field in cls._meta.sorted_fields)

    @classmethod
    def selected(cls, alias: str = "") -> str:
        """Return the column list for a hand-written SELECT or RETURNING, each name behind `alias` and a dot if one is
        given.
        """
        prefix = f"{alias}." if alias else ""
        return ", ".join(prefix + name for name in cls.columns())

    @classmethod
    def converted(cls, row: Mapping[str, Any]) -> database.Row:
        """Return a copy of `row` in which each value of a column of this table has its Python type. Other values stay
        as they are.
        """
        converters = _converters(cls)
        return {
            name: convert(value) if (convert := converters.get(name)) is not None else value
            for name, value in row.items()
        }

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """Return the row object of a hand-written statement's result; `row` holds all columns."""
        converters = _converters(cls)
        made = cls(__no_default__=True)
        made.__data__ = {
            attribute: convert(row[name]) if (convert := converters.get(name)) is not None else row[name]
            for attribute, name in _attributes(cls)
        }
        return made

    def row(self) -> database.Row:
        """Return all columns and their Python values, for an insert or a comparison."""
        data = self.__data__
        return {field.column_name: data.get(field.name) for field in self._meta.sorted_fields}


class RowView(Generic[_R]):
    """Some columns of a table as a frozen dataclass, for rows that leave their area without the rest (hashes, secrets).

    The dataclass's fields are named like columns; a name that the table does not have is an error at import.
    """

    def __init__(self, made: type[_R], table: type[Table]) -> None:
        self._made, self._table = made, table
        self._names = tuple(spec.name for spec in dataclasses.fields(made))  # type: ignore[arg-type]  # callers pass dataclasses
        unknown = set(self._names) - set(table.columns())
        assert not unknown, f"{table.__name__} has no column {', '.join(sorted(unknown))}"

    @property
    def fields(self) -> tuple[Any, ...]:
        """Return the columns, for a composed SELECT or RETURNING."""
        return tuple(self._table._meta.columns[name] for name in self._names)

    def selected(self, alias: str = "") -> str:
        """Return the column list for a hand-written statement."""
        prefix = f"{alias}." if alias else ""
        return ", ".join(prefix + name for name in self._names)

    def read(self, row: Mapping[str, Any]) -> _R:
        """Return the dataclass from a hand-written statement's row."""
        return self._made(**self._table.converted(row))

    def all(self, query: Any) -> list[_R]:
        """Return the dataclasses from a composed query's rows."""
        return [self._made(**row) for row in query.dicts()]


@lru_cache(maxsize=128)
def _converters(table: type[Table]) -> dict[str, Callable[[Any], Any]]:
    """Column name -> conversion, for the columns whose values the two drivers return differently."""
    kinds = (IdField, InstantField, JsonField, EnumField, peewee.BooleanField, peewee.BlobField)
    return {name: field.python_value for name, field in table._meta.columns.items() if isinstance(field, kinds)}


@lru_cache(maxsize=128)
def _attributes(table: type[Table]) -> tuple[tuple[str, str], ...]:
    """Attribute and column name of each column."""
    return tuple((field.name, field.column_name) for field in table._meta.sorted_fields)


def for_update(query: Any) -> Any:
    """Return the composed query with FOR UPDATE. SQLite needs none: a transaction that writes is alone."""
    assert database.in_transaction(), "a row lock ends with the transaction"
    return query.for_update() if database.is_postgres() else query


def first(query: Any) -> database.Row | None:
    """Return the first row of a composed query as a dict, or None."""
    row = query.dicts().first()
    return None if row is None else dict(row)


def newest_first(query: Any, at: Any, key: Any, *, before: tuple[datetime, UUID] | None, limit: int) -> Any:
    """Return a page of a composed query by keyset: rows before the cursor position (`at`, `key`), newest first."""
    if before is not None:
        instant, row_id = before
        query = query.where((at < instant) | ((at == instant) & (key < row_id)))
    return query.order_by(at.desc(), key.desc()).limit(limit)


def now() -> Any:
    """Return the database's clock in a composed query (the program's on SQLite), moved by the test clock's shift."""
    return now_plus(0.0)


def now_plus(seconds: float) -> Any:
    """Return the database's clock plus `seconds` in a composed query."""
    if not database.is_postgres():
        return peewee.fn.now_plus(seconds)
    shift_s = seconds + clock.shift().total_seconds()
    return peewee.SQL("(now() + %s * interval '1 second')", (shift_s,))


def member_text(column: Any, name: str) -> Any:
    """Return the SQL of a member of a JSON column as text, on either engine."""
    if database.is_postgres():
        return peewee.fn.jsonb_extract_path_text(column, name)
    return peewee.fn.json_extract(column, f"$.{name}")
