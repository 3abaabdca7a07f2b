"""The commands of a move, as an operator runs them."""

from __future__ import annotations

import json
from pathlib import Path

from models.imports import limits
from tests.desk import Desk
from tests.functions.callers import sqlite_only
from tests.models.imports import folders
from tests.models.imports.test_importing import ADA, ticket
from tests.scripts.verbs import run_verb

pytestmark = sqlite_only


def test_an_import_prints_its_rate_and_writes_its_report_and_a_repetition_takes_nothing(
    desk: Desk, tmp_path: Path
) -> None:
    records = [ADA, *(ticket(f"t{number}") for number in range(limits.batch_records))]
    folder = folders.written(tmp_path / "in", [*records, ticket("bad", state="frozen")])
    whole = run_verb("importing", str(folder), "--dry-run")
    report = tmp_path / "report.ndjson"

    done = run_verb("importing", str(folder), "--report", str(report))
    again = run_verb("importing", str(folder))

    assert (whole.returncode, done.returncode, again.returncode) == (1, 1, 1)
    assert "tickets a minute" in done.stdout
    assert f"ticket: 1 refused, {limits.batch_records} taken" in done.stdout
    assert f"ticket: {limits.batch_records} known, 1 refused" in again.stdout
    [problem] = [json.loads(line) for line in report.read_text().splitlines()]
    assert (problem["place"], problem["path"]) == (f"desk.ndjson:{limits.batch_records + 2}", "state")
    assert len(desk.tickets()) == limits.batch_records


def test_an_export_holds_every_ticket_and_goes_into_an_empty_folder_only(desk: Desk, tmp_path: Path) -> None:
    desk.receive_email("Hello")
    desk.run_due()

    done = run_verb("exporting", str(tmp_path / "out"))
    again = run_verb("exporting", str(tmp_path / "out"))

    assert done.returncode == 0, done.stderr
    kinds = [json.loads(line)["kind"] for line in (tmp_path / "out" / "desk.ndjson").read_text().splitlines()]
    assert kinds.count("ticket") == 1
    assert (again.returncode, "empty folder" in again.stderr) == (1, True)
