"""Each model declares exactly the table that the migrations make, on both engines.

Queries and statements take names, types and conversions from the models. A column that only one side knows would fail
at the first request that needs it, and perhaps only on PostgreSQL.
"""

from __future__ import annotations

import importlib
from typing import Any

import peewee
import pytest

from models import migrations
from models.kernel.settings import Settings
from models.kernel.storage import database
from models.kernel.storage.dialect import Dialect
from models.kernel.storage.table import EnumField, IdField, InstantField, JsonField, Table
from models.search.tables import TokensField
from tests.architecture.code import modules

for _module in modules("models"):
    if _module.name.endswith(".tables"):
        importlib.import_module(_module.name)

TABLES: list[Any] = sorted(Table.__subclasses__(), key=lambda model: str(model._meta.table_name))

# PostgreSQL counts with sequences.
_SQLITE_ONLY = {"counters"}

# The engines' type names of each field.
_TYPES: dict[type, tuple[set[str], set[str]]] = {
    InstantField: ({"TIMESTAMP WITH TIME ZONE"}, {"TEXT"}),
    IdField: ({"UUID"}, {"TEXT"}),
    JsonField: ({"JSONB", "JSON"}, {"TEXT"}),
    peewee.DoubleField: ({"DOUBLE PRECISION"}, {"DOUBLE PRECISION"}),
    peewee.BlobField: ({"BYTEA"}, {"BLOB"}),
    peewee.BooleanField: ({"BOOLEAN"}, {"BOOLEAN"}),
    peewee.TextField: ({"TEXT"}, {"TEXT"}),
    EnumField: ({"TEXT"}, {"TEXT"}),
    peewee.BigAutoField: ({"BIGINT"}, {"INTEGER"}),
    peewee.BigIntegerField: ({"BIGINT"}, {"BIGINT"}),
    TokensField: ({"TSVECTOR"}, {"TEXT"}),
    peewee.IntegerField: ({"INTEGER"}, {"INTEGER"}),
}


def columns(table: str) -> dict[str, tuple[str, bool]]:
    """Name -> type and whether it may be null, as the engine tells."""
    with database.connection():
        if database.is_postgres():
            rows = database.run(
                "SELECT column_name AS name, data_type AS type, is_nullable = 'YES' AS nullable FROM"
                " information_schema.columns"
                " WHERE table_schema = current_schema() AND table_name = :name",
                name=table,
            )
        else:
            rows = database.run(
                'SELECT name, type, NOT ("notnull" OR pk) AS nullable FROM pragma_table_info(:name)',
                name=table,
            )
    return {row["name"]: (str(row["type"]).upper(), bool(row["nullable"])) for row in rows}


def primary_key(table: str) -> list[str]:
    """The columns of the primary key, in its order, as the engine tells."""
    with database.connection():
        if database.is_postgres():
            rows = database.run(
                "SELECT a.attname AS name FROM pg_index AS i JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND"
                " a.attnum = ANY(i.indkey)"
                " WHERE i.indrelid = to_regclass(:name) AND i.indisprimary ORDER BY"
                " array_position(i.indkey::int2[], a.attnum)",
                name=table,
            )
        else:
            rows = database.run("SELECT name FROM pragma_table_info(:name) WHERE pk > 0 ORDER BY pk", name=table)
    return [row["name"] for row in rows]


def test_every_table_of_the_migrations_has_one_model() -> None:
    statements = [s for m in migrations.available() for s in m.statements(Dialect(postgres=False))]
    made = {s.split()[2] for s in statements if s.startswith("CREATE TABLE ")}

    assert [model._meta.table_name for model in TABLES] == sorted(made)


@pytest.mark.parametrize("model", TABLES, ids=[model._meta.table_name for model in TABLES])
def test_a_model_has_the_columns_of_its_table(desk_environment: Settings, model: Any) -> None:
    if database.is_postgres() and model._meta.table_name in _SQLITE_ONLY:
        assert columns(model._meta.table_name) == {}
        return
    found = columns(model._meta.table_name)
    described = {field.column_name: field for field in model._meta.sorted_fields}

    assert sorted(described) == sorted(found)
    assert {n for n, f in described.items() if f.null} == {n for n, (_, nullable) in found.items() if nullable}
    engine = 0 if database.is_postgres() else 1
    wrong = {
        name: (type(field).__name__, found[name][0])
        for name, field in described.items()
        if found[name][0] not in _TYPES[type(field)][engine]
    }
    assert wrong == {}
    keys = model._meta.primary_key
    named = list(keys.field_names) if isinstance(keys, peewee.CompositeKey) else [keys.column_name]
    assert named == primary_key(model._meta.table_name)


def test_both_engines_get_the_same_tables_and_columns(desk_environment: Settings) -> None:
    """Compared with what the migrations say in words: every CREATE TABLE of the other dialect has
    its counterpart here.
    """
    with database.connection():
        names = database.run(
            "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = current_schema()"
            if database.is_postgres()
            else "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
            " AND name NOT LIKE 'search_tokens%'"  # FTS5's own tables
        )
    here = {row["name"] for row in names}
    made = {
        dialect: {
            statement.split()[2]
            for migration in migrations.available()
            for statement in migration.statements(Dialect(dialect))
            if statement.startswith("CREATE TABLE ")
        }
        for dialect in (True, False)
    }

    assert here == made[database.is_postgres()]
    # SQLite has no sequences and counts in a table.
    assert made[False] - made[True] == {"counters"}
    assert made[True] <= made[False]


def test_every_migration_has_a_number_of_its_own() -> None:
    """Of two files with one number only the first is applied."""
    numbers = [migration.version for migration in migrations.available()]

    assert numbers == list(range(1, len(numbers) + 1))
