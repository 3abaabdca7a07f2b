"""An import: whole records or none, once, with past instants, and without any reaction of the desk."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from models.events.following import consumers
from models.imports import bundles, jobs, limits
from models.imports.formats import mapping as mappings
from models.imports.formats import mapping_files
from models.imports.jobs import ImportRunning
from models.kernel.storage import database
from models.numbers import consumer as numbers
from models.privacy import erasure
from models.requesters import commands as requesters
from models.search.index import consumer as search
from models.tickets.tables import Ticket
from queues.import_html import sanitise
from tests.desk import Desk
from tests.models.imports import folders

ADA = {
    "kind": "requester",
    "id": "u1",
    "name": "Ada",
    "addresses": [{"channel": "email", "address": "Ada@Example.com"}],
    "created_at": "2019-05-01T08:00:00Z",
}


def ticket(id_: str = "t1", **more: Any) -> dict[str, Any]:
    """A solved ticket of 2020: a mail and the agent's answer."""
    return {
        "kind": "ticket",
        "id": id_,
        "title": "Ficus leaves",
        "created_at": "2020-02-03T10:00:00Z",
        "solved_at": "2020-02-04T10:00:00Z",
        "state": "solved",
        "requester": "u1",
        "channel": "email",
        "account": "demo",
        "messages": [
            {
                "id": f"{id_}-m1",
                "author": {"kind": "requester", "id": "u1", "name": "Ada"},
                "created_at": "2020-02-03T10:00:00Z",
                "body": "My ficus loses its leaves.",
                "external_id": f"<{id_}@old.example>",
            },
            {
                "id": f"{id_}-m2",
                "author": {"kind": "agent", "email": "agent@example.test", "name": "Nina"},
                "created_at": "2020-02-03T12:00:00Z",
                "body": "Water it.",
            },
        ],
    } | more


def imported(desk: Desk, tmp_path: Path, *records: dict[str, Any] | str, **how: Any) -> jobs.ImportJob:
    return folders.run(folders.written(tmp_path / "in", records), **how)


def test_a_ticket_keeps_its_instants_and_nothing_reacts_to_it(desk: Desk, tmp_path: Path) -> None:
    job = imported(desk, tmp_path, ADA, ticket())

    desk.run_due()
    [made] = desk.tickets()
    assert folders.problems(job) == []
    assert (job.state, job.taken, job.refused) == ("finished", 2, 0)
    assert made.created_at == datetime(2020, 2, 3, 10, tzinfo=UTC)
    assert made.first_response_at == datetime(2020, 2, 3, 12, tzinfo=UTC)
    assert made.solved_at == datetime(2020, 2, 4, 10, tzinfo=UTC)
    assert [row["body"] for row in desk.messages(made)] == ["My ficus loses its leaves.", "Water it."]
    assert (desk.sent, desk.timers(), desk.deliveries(made)) == ([], [], [])
    assert desk.tasks() == []


def test_the_events_have_past_instants_and_the_last_one_names_the_import(desk: Desk, tmp_path: Path) -> None:
    job = imported(desk, tmp_path, ADA, ticket())

    [made] = desk.tickets()
    events = desk.events(made)
    assert [(one["event_type"], one["occurred_at"].year) for one in events[:-1]] == [
        ("ticket_created", 2020),
        ("message_received", 2020),
        ("message_added", 2020),
        ("ticket_state_changed", 2020),
    ]
    assert events[-1]["event_type"] == "ticket_imported"
    assert events[-1]["payload"]["source_id"] == "t1"
    assert [one["sequence"] for one in events] == [1, 2, 3, 4, 5]
    assert {one["causation_id"] for one in events} == {f"import:{job.id}"}


def test_an_import_of_the_same_records_changes_nothing(desk: Desk, tmp_path: Path) -> None:
    imported(desk, tmp_path, ADA, ticket())
    again = imported(desk, tmp_path, ADA, ticket())

    assert (again.taken, again.known, again.refused) == (0, 2, 0)
    assert len(desk.tickets()) == 1


def test_an_answer_to_an_old_mail_joins_the_imported_ticket(desk: Desk, tmp_path: Path) -> None:
    imported(desk, tmp_path, ADA, ticket())

    desk.receive_email("It lives!", sender="Ada <ada@example.com>", in_reply_to="<t1@old.example>")
    desk.run_due()

    [made] = desk.tickets()
    assert [row["body"] for row in desk.messages(made)][-1] == "It lives!"
    assert made.state == "open"


def test_the_numbers_and_the_search_know_an_imported_ticket(desk: Desk, tmp_path: Path) -> None:
    with database.transaction():
        consumers.ensure([numbers.CONSUMER, search.CONSUMER])
    imported(desk, tmp_path, ADA, ticket())

    while consumers.step(numbers.CONSUMER) or consumers.step(search.CONSUMER):
        pass

    [fact] = desk.rows("SELECT created_day, response_s, resolved_day FROM ticket_facts")
    assert fact == {"created_day": "2020-02-03", "response_s": 7200, "resolved_day": "2020-02-04"}
    [document] = desk.rows("SELECT count(*) AS n FROM search_documents")
    assert document["n"] == 1


def test_a_number_is_kept_if_it_is_free_and_mapped_if_not(desk: Desk, tmp_path: Path) -> None:
    job = imported(desk, tmp_path, ADA, ticket("t1", number=500), ticket("t2", number=500))
    later = desk.create_ticket()

    first, second, third = (one.number for one in sorted(desk.tickets(), key=lambda one: one.number))
    assert (first, second, third) == (500, 501, later.number)
    assert [line.split(" | ")[1:3] for line in folders.problems(job)] == [["left_out", "number"]]
    assert desk.events(_by_number(desk, 501))[-1]["payload"]["former_number"] == 500


def _by_number(desk: Desk, number: int) -> Ticket:
    return next(one for one in desk.tickets() if one.number == number)


def test_bad_lines_are_reported_with_place_and_reason_and_the_others_are_taken(desk: Desk, tmp_path: Path) -> None:
    late = ticket("t3") | {"messages": [ticket()["messages"][0], {"id": "x"}]}
    job = imported(
        desk,
        tmp_path,
        ADA,
        "{nonsense",
        ticket("t1", state="frozen"),
        ticket("t2", requester="nobody"),
        late,
        ticket("t4", wrong=1),
        ticket("t5", team="gardeners"),
        ticket("t6", account="gone"),
        ticket("t7"),
    )

    assert (job.taken, job.refused) == (2, 7)
    assert [one.title for one in desk.tickets()] == ["Ficus leaves"]
    assert len(desk.rows("SELECT id FROM messages")) == 2
    found = folders.problems(job)
    assert found[0].startswith("desk.ndjson:2 | refused")
    assert found[1] == (
        "desk.ndjson:3 | refused | state | one of: closed, new, open, solved, waiting_on_requester | 'frozen'"
    )
    assert found[2].startswith("desk.ndjson:4 | refused | requester | the id of a requester")
    assert found[3].startswith("desk.ndjson:5 | refused | messages[1]")
    assert "wrong" in found[4]
    assert found[5].startswith("desk.ndjson:7 | refused | team | one of: ")
    assert found[6] == "desk.ndjson:8 | refused | account | one of: demo | 'gone'"


def test_a_report_shows_no_words_of_people(desk: Desk, tmp_path: Path) -> None:
    secret = ticket("t1", requester="ada@secret.example", assignee="eva@secret.example")
    job = imported(desk, tmp_path, ADA, secret, ticket("t2", assignee="eva@secret.example", title="x" * 500))

    shown = "\n".join(folders.problems(job))
    assert job.problems == 3
    assert "secret" not in shown
    assert "xxx" not in shown


def test_a_dry_run_reports_the_same_and_writes_nothing(desk: Desk, tmp_path: Path) -> None:
    records = (ADA, ticket("t1"), ticket("t2", state="frozen"), ticket("t3", requester="nobody"))
    dry = imported(desk, tmp_path, *records, dry_run=True)
    assert (desk.tickets(), desk.rows("SELECT * FROM import_sources")) == ([], [])

    real = imported(desk, tmp_path, *records)

    assert (dry.taken, dry.refused, dry.by_kind) == (real.taken, real.refused, real.by_kind)
    assert folders.problems(dry) == folders.problems(real)


def test_an_import_that_was_killed_goes_on_after_its_last_batch(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "batch_records", 2)
    records = [ADA, *(ticket(f"t{number}") for number in range(5))]
    folder = folders.written(tmp_path / "in", records)
    job, first = folders.begin(folder)
    assert first.step()
    assert first.step()

    second = jobs.Run(folders.ended(job.id), bundles.of_path(folder), sanitise=sanitise)
    while second.step():
        pass

    done = folders.ended(job.id)
    assert (done.state, done.position, done.taken, done.known) == ("finished", 6, 6, 0)
    assert len(desk.tickets()) == 5
    assert first.step() is False


def test_one_import_runs_at_a_time_and_a_cancelled_one_stops(desk: Desk, tmp_path: Path) -> None:
    folder = folders.written(tmp_path / "in", [ADA, ticket()])
    job, run = folders.begin(folder)

    with pytest.raises(ImportRunning):
        folders.begin(folder)
    desk.command(jobs.cancel, job.id)

    assert run.step() is False
    assert (folders.ended(job.id).state, desk.tickets()) == ("cancelled", [])


def test_an_address_that_the_desk_knows_is_the_same_person(desk: Desk, tmp_path: Path) -> None:
    known = desk.command(requesters.find_or_create, "email", "ada@example.com", name="Ada L.")

    imported(desk, tmp_path, ADA | {"addresses": [*ADA["addresses"], _telegram("77")]}, ticket())

    [made] = desk.tickets()
    assert made.requester_id == known.id
    assert desk.command(requesters.find, "telegram", "77").name == "Ada L."


def _telegram(address: str) -> dict[str, str]:
    return {"channel": "telegram", "address": address}


def test_an_erasure_covers_an_imported_person_and_a_repeated_import_does_not_bring_them_back(
    desk: Desk, tmp_path: Path
) -> None:
    imported(desk, tmp_path, ADA, ticket())
    [made] = desk.tickets()
    assert made.requester_id is not None
    desk.command(erasure.erase, made.requester_id, actor=desk.person("admin"))

    again = imported(desk, tmp_path, ADA, ticket())
    other = folders.run(tmp_path / "in", mapping=mappings.Mapping(source="other"))

    assert again.known == 2
    assert (other.taken, other.refused) == (0, 2)
    [made] = desk.tickets()
    assert "ficus" not in repr([made.title, *desk.messages(made), *desk.events(made)]).lower()


def test_html_is_cleaned_and_a_missing_file_leaves_its_place_and_a_reason(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "in" / "files").mkdir(parents=True)
    (tmp_path / "in" / "files" / "leaf.txt").write_text("a leaf")
    one = ticket()
    one["messages"][0] |= {
        "body_html": "<p>Hi<script>steal()</script></p>",
        "files": [
            {"filename": "leaf.txt", "content_type": "text/plain", "path": "files/leaf.txt"},
            {"filename": "gone.txt", "path": "files/gone.txt"},
            {"filename": "passwd", "path": "../../../../etc/passwd"},
        ],
    }
    job = imported(desk, tmp_path, ADA, one)

    [made] = desk.tickets()
    first = desk.messages(made)[0]
    assert "script" not in first["body_html"]
    rows = desk.rows("SELECT filename, state, reason, size_bytes FROM attachments ORDER BY position")
    assert [(row["filename"], row["state"]) for row in rows] == [
        ("leaf.txt", "stored"),
        ("gone.txt", "failed"),
        ("passwd", "failed"),
    ]
    assert [line.split(" | ")[2] for line in folders.problems(job)] == ["messages[0].files[1]", "messages[0].files[2]"]


def test_a_mapping_gives_the_words_of_the_desk(desk: Desk, tmp_path: Path) -> None:
    text = b"source: old\nstates: {done: solved}\npriorities: {P1: urgent}\ndefaults: {account: demo}\n"
    one = ticket(state="done", priority="P1")
    del one["account"]
    job = imported(desk, tmp_path, ADA, one, mapping=mapping_files.read(text, "mapping.yaml"))

    [made] = desk.tickets()
    assert (made.state, made.priority, made.account, job.source) == ("solved", "urgent", "demo", "old")
