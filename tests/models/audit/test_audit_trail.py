"""The audit trail on both engines: entries, refused changes, retention, CSV."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import peewee
import pytest

from models.audit import callers, entries, queries, retention
from models.audit.actions import AuditAction, Outcome
from models.audit.tables import AuditRetention
from models.identity.rules import Role
from models.kernel import clock
from models.kernel.errors import Invalid
from models.kernel.settings import Settings
from models.kernel.storage import database

OBJECT = UUID("01890000-0000-7000-8000-000000000001")
ALL = queries.Filters()


@pytest.fixture
def trail(migrated_database_url: str) -> Any:
    """A migrated database of either engine, bound to this process."""
    database.configure(Settings(database_url=migrated_database_url))
    before = clock.shift()
    yield
    clock.set_shift(before)


def record(action: AuditAction = AuditAction.user_created, **details: Any) -> None:
    with database.connection(), database.transaction():
        entries.record(action, "user", OBJECT, **details)


def found(filters: queries.Filters = ALL) -> list[queries.Entry]:
    with database.connection():
        return queries.page(filters, before=None, limit=100)


@pytest.mark.usefixtures("trail")
def test_an_entry_names_the_caller_the_object_and_the_values() -> None:
    with callers.calling("192.0.2.7", "curl/8", kind="anonymous"):
        callers.identify("user", str(OBJECT))
        record(before={"role": Role.agent, "active": True}, after={"role": Role.admin, "active": True})

    [entry] = found()

    assert (entry.actor_kind, entry.actor_id, entry.address, entry.user_agent) == (
        "user",
        str(OBJECT),
        "192.0.2.7",
        "curl/8",
    )
    assert (entry.action, entry.outcome) == (AuditAction.user_created, Outcome.done)
    assert (entry.object_kind, entry.object_id) == ("user", str(OBJECT))
    assert (entry.before, entry.after) == ({"role": "agent", "active": True}, {"role": "admin", "active": True})


@pytest.mark.usefixtures("trail")
def test_an_entry_disappears_with_the_transaction_of_its_action() -> None:
    def act_and_fail() -> None:
        with database.connection(), database.transaction():
            entries.record(AuditAction.user_created, "user", OBJECT)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        act_and_fail()

    assert found() == []


@pytest.mark.parametrize(
    "value", ["Ada Lovelace", "ada @ example", "a\nb", "x" * 101, {"name": "Ada"}, ["Ada Lovelace"], b"ada"]
)
@pytest.mark.usefixtures("trail")
def test_a_text_that_can_name_a_person_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="audit entry: name"):
        record(after={"name": value})

    assert found() == []


@pytest.mark.parametrize("statement", ["UPDATE audit_entries SET action = 'x'", "DELETE FROM audit_entries"])
@pytest.mark.usefixtures("trail")
def test_the_database_refuses_to_change_and_to_delete_entries(statement: str) -> None:
    record()

    with pytest.raises(peewee.DatabaseError, match="append-only"), database.connection(), database.transaction():
        database.execute(statement)

    assert len(found()) == 1


@pytest.mark.usefixtures("trail")
def test_sqlite_refuses_to_replace_an_entry() -> None:
    if database.is_postgres():
        return  # PostgreSQL has no REPLACE
    record()
    [entry] = found()

    with pytest.raises(peewee.DatabaseError, match="append-only"), database.connection(), database.transaction():
        database.execute(
            "REPLACE INTO audit_entries (serial, at, action, outcome, actor_kind, object_kind)"
            " VALUES (:serial, '2026-01-01', 'signed_in', 'done', 'system', 'user')",
            serial=entry.serial,
        )

    assert found() == [entry]


@pytest.mark.usefixtures("trail")
def test_postgresql_refuses_to_truncate_entries() -> None:
    if not database.is_postgres():
        return  # SQLite has no TRUNCATE
    record()

    with pytest.raises(peewee.DatabaseError, match="append-only"), database.connection(), database.transaction():
        database.execute("TRUNCATE audit_entries")

    assert len(found()) == 1


@pytest.mark.usefixtures("trail")
def test_a_retention_deletes_whole_months_and_stays_on_record() -> None:
    clock.set_shift(datetime(2026, 1, 20, tzinfo=UTC) - datetime.now(UTC))
    record(AuditAction.signed_in)
    clock.set_shift(datetime(2026, 2, 3, tzinfo=UTC) - datetime.now(UTC))
    record(AuditAction.signed_out)
    clock.set_shift(datetime(2026, 8, 1, tzinfo=UTC) - datetime.now(UTC))

    with database.connection():
        deleted = retention.delete_before(datetime(2026, 2, 17, tzinfo=UTC), started_by="ops")

    assert deleted == 1
    assert [entry.action for entry in found()] == [AuditAction.signed_out]
    with database.connection():
        [kept] = database.rows(AuditRetention.select())
    assert (kept["started_by"], kept["deleted"], kept["before"]) == ("ops", 1, datetime(2026, 2, 1, tzinfo=UTC))
    with pytest.raises(peewee.DatabaseError, match="append-only"), database.connection(), database.transaction():
        database.execute("DELETE FROM audit_entries")


@pytest.mark.usefixtures("trail")
def test_a_retention_refuses_recent_months() -> None:
    with pytest.raises(Invalid, match="at least 90 days"):
        retention.delete_before(clock.now(), started_by="ops")


@pytest.mark.usefixtures("trail")
def test_filters_select_by_action_object_outcome_and_time() -> None:
    now = clock.now()
    record(AuditAction.signed_in)
    record(AuditAction.access_refused, outcome=Outcome.refused, reason="forbidden")

    assert [e.action for e in found(queries.Filters(outcome=Outcome.refused))] == [AuditAction.access_refused]
    assert [e.action for e in found(queries.Filters(action=AuditAction.signed_in))] == [AuditAction.signed_in]
    assert len(found(queries.Filters(object_id=str(OBJECT)))) == 2
    assert found(queries.Filters(object_id="another")) == []
    assert found(queries.Filters(since=now + timedelta(hours=1))) == []
    assert found(queries.Filters(until=now - timedelta(hours=1))) == []


@pytest.mark.usefixtures("trail")
def test_all_entries_are_read_in_batches() -> None:
    for _ in range(5):
        record()

    serials = [entry.serial for entry in queries.everything(ALL, batch=2)]

    assert len(serials) == 5
    assert serials == sorted(serials, reverse=True)


@pytest.mark.usefixtures("trail")
def test_csv_disarms_formulas_of_a_strangers_header() -> None:
    with callers.calling("192.0.2.7", '=cmd|"/c calc"!A1', kind="anonymous"):
        record()

    [header, row] = csv.reader(io.StringIO(queries.as_csv(found())))

    assert dict(zip(header, row, strict=True))["user_agent"] == '\'=cmd|"/c calc"!A1'
