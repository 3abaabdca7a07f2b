"""/v1/imports: an upload becomes tickets, with a report, for those who may."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from tests.desk import Desk
from tests.functions.callers import Caller, sqlite_only
from tests.models.imports.test_importing import ADA, ticket

pytestmark = sqlite_only


def lines(*records: Any) -> bytes:
    return "\n".join(json.dumps(one) for one in records).encode()


def uploaded(caller: Caller, content: bytes, name: str = "desk.ndjson") -> str:
    result = caller.post(
        "/v1/attachments",
        raw=content,
        query_string=f"filename={name}",
        headers={"Content-Type": "application/octet-stream"},
    )
    assert result.status_code == 201, result.text
    return str(result.json["id"])


def started(caller: Caller, content: bytes, name: str = "desk.ndjson", **more: Any) -> Any:
    return caller.made("/v1/imports", {"attachment_id": uploaded(caller, content, name), **more})


def test_an_upload_becomes_tickets_and_the_report_names_the_others(desk: Desk, machine: Caller) -> None:
    job = started(machine, lines(ADA, ticket("t1"), ticket("t2", state="frozen")))

    assert job["state"] == "running"
    desk.run_due()

    done = machine.read(f"/v1/imports/{job['id']}")
    assert (done["state"], done["taken"], done["refused"]) == ("finished", 2, 1)
    assert done["by_kind"] == {"requester": {"taken": 1}, "ticket": {"taken": 1, "refused": 1}}
    [problem] = machine.read(f"/v1/imports/{job['id']}/problems")["items"]
    assert (problem["place"], problem["record"], problem["found"]) == ("desk.ndjson:3", "ticket t2", "'frozen'")
    assert [one["id"] for one in machine.read("/v1/imports")["items"]] == [job["id"]]
    assert desk.sent == []


def test_a_zip_archive_brings_the_files_of_messages(desk: Desk, machine: Caller) -> None:
    one = ticket()
    one["messages"][0]["files"] = [{"filename": "leaf.txt", "content_type": "text/plain", "path": "files/leaf.txt"}]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("desk.ndjson", lines(ADA, one))
        archive.writestr("files/leaf.txt", "a leaf")

    job = started(machine, packed.getvalue(), "desk.zip")
    desk.run_due()

    assert machine.read(f"/v1/imports/{job['id']}")["problems"] == 0
    [row] = desk.rows("SELECT state, size_bytes FROM attachments WHERE message_id IS NOT NULL")
    assert row == {"state": "stored", "size_bytes": 6}


def test_a_broken_archive_fails_the_import_with_its_reason(desk: Desk, machine: Caller) -> None:
    job = started(machine, b"no archive", "desk.zip")
    desk.run_due()

    done = machine.read(f"/v1/imports/{job['id']}")
    assert done["state"] == "failed"
    assert "zip archive" in done["error"]


def test_a_dry_run_writes_nothing(desk: Desk, machine: Caller) -> None:
    job = started(machine, lines(ADA, ticket()), dry_run=True)
    desk.run_due()

    assert machine.read(f"/v1/imports/{job['id']}")["taken"] == 2
    assert desk.tickets() == []


def test_the_mapping_is_a_part_of_the_request(desk: Desk, machine: Caller) -> None:
    job = started(machine, lines(ADA, ticket(state="done")), mapping={"states": {"done": "solved"}}, source="old")
    desk.run_due()

    assert machine.read(f"/v1/imports/{job['id']}")["source"] == "old"
    assert desk.ticket().state == "solved"


def test_a_foreign_upload_and_a_wrong_mapping_are_refused(desk: Desk, machine: Caller, agent: Caller) -> None:
    theirs = uploaded(agent, lines(ADA))

    foreign = machine.post("/v1/imports", {"attachment_id": theirs})
    wrong = machine.post("/v1/imports", {"attachment_id": uploaded(machine, lines(ADA)), "mapping": {"nonsense": 1}})

    assert (foreign.status_code, foreign.json["errors"][0]["path"]) == (422, "/attachment_id")
    assert (wrong.status_code, wrong.json["errors"][0]["path"]) == (422, "/mapping")


def test_one_import_runs_at_a_time_and_a_cancelled_one_takes_nothing(desk: Desk, machine: Caller) -> None:
    job = started(machine, lines(ADA, ticket()))

    second = machine.post("/v1/imports", {"attachment_id": uploaded(machine, lines(ADA))})
    cancelled = machine.made(f"/v1/imports/{job['id']}/cancellation")
    desk.run_due()

    assert (second.status_code, second.json["code"]) == (409, "import_running")
    assert (cancelled["state"], desk.tickets()) == ("cancelled", [])
