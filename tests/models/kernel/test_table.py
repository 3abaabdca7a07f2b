"""Models convert what either engine returns, for composed queries and for hand-written statements."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from models.kernel import clock
from models.kernel.ids import new_id
from models.kernel.settings import Settings
from models.kernel.storage import database
from models.kernel.storage.table import now_plus
from models.requesters.tables import Requester
from models.tasks.tables import Timer
from models.tickets.tables import Ticket

AT = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


def insert(name: str, fields: str) -> dict[str, object]:
    row: dict[str, object] = {
        "id": new_id(),
        "name": name,
        "created_at": AT,
        "updated_at": AT,
        "fields": fields,
    }
    with database.transaction():
        database.execute(
            "INSERT INTO requesters (id, name, fields, created_at, updated_at) VALUES (:id, :name, :fields,"
            " :created_at, :updated_at)",
            row,
        )
    return row


def test_composed_and_hand_written_reading_give_the_same_values(desk_environment: Settings) -> None:
    row = insert("Ada", '{"tier": "gold"}')

    with database.connection():
        composed = Requester.get_by_id(row["id"])
        written = Requester.from_row(database.run(f"SELECT {Requester.selected()} FROM requesters")[0])
        partly = Requester.converted(database.run("SELECT id, created_at, 7 AS other FROM requesters")[0])

    assert composed.row() == written.row()
    assert written.id == row["id"]
    assert written.created_at == AT
    assert written.fields == {"tier": "gold"}
    assert written.merged_into is None
    assert partly == {"id": row["id"], "created_at": AT, "other": 7}


def test_a_path_into_a_json_column_is_composed_for_both_engines(desk_environment: Settings) -> None:
    insert("Ada", '{"tier": "gold"}')
    insert("Bo", '{"tier": "tin"}')

    with database.connection():
        found = [one.name for one in Requester.select().where(Requester.fields["tier"] == "gold")]

    assert found == ["Ada"]


def test_a_composed_query_compares_with_the_desk_s_clock(desk_environment: Settings) -> None:
    with database.transaction():
        for name, due_at in (
            ("soon", clock.now() + timedelta(seconds=30)),
            ("late", clock.now() + timedelta(hours=2)),
        ):
            database.execute(
                "INSERT INTO timers (name, kind, queue, payload, due_at) VALUES (:name, 'k', 'q', '{}', :due_at)",
                name=name,
                due_at=due_at,
            )
    clock.set_shift(timedelta(hours=1))
    try:
        with database.connection():
            due = [timer.name for timer in Timer.select().where(Timer.due_at <= now_plus(60))]
    finally:
        clock.set_shift(timedelta(0))

    assert due == ["soon"]


def test_a_new_row_object_has_its_columns_defaults_and_its_own_containers() -> None:
    first, second = Ticket(number=1), Ticket(number=2)

    first.fields["a"] = 1

    assert second.fields == {}
    assert (first.version, first.event_sequence, first.message_count) == (1, 0, 0)
    assert set(first.row()) == set(Ticket.columns())
