"""CSV with a mapping file, and the export of Zendesk, become the same rows as the own form."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from models.imports.formats import mapping_files
from models.imports.jobs import ImportJob
from models.kernel.errors import Invalid
from tests.desk import Desk
from tests.functions.callers import sqlite_only
from tests.models.imports import folders

pytestmark = sqlite_only

CSV_MAPPING = b"""
source: sheet
states: {Erledigt: solved, Offen: open}
defaults: {channel: email, account: demo}
csv:
  - file: tickets.csv
    record: ticket
    delimiter: ";"
    zone: Europe/Berlin
    time_format: "%d.%m.%Y %H:%M"
    columns:
      {id: Nr, title: Betreff, description: Text, state: Status, created_at: Eingang, solved_at: Ende,
       requester_email: Von, requester_name: Name, tags: Schlagworte}
    fields: {product: Produkt}
  - file: messages.csv
    record: message
    columns: {id: id, ticket: ticket, author_kind: by, author_email: email, created_at: at, body: text, kind: kind}
"""


def csv_import(tmp_path: Path, tickets: str, messages: str = "id,ticket,by,email,at,text,kind\n") -> ImportJob:
    (tmp_path / "tickets.csv").write_text(
        "Nr;Betreff;Text;Status;Eingang;Ende;Von;Name;Schlagworte;Produkt\n" + tickets
    )
    (tmp_path / "messages.csv").write_text(messages)
    return folders.run(tmp_path, format_="csv", mapping=mapping_files.read(CSV_MAPPING, "mapping.yaml"))


def test_a_csv_file_becomes_tickets_in_the_zone_of_its_mapping(desk: Desk, tmp_path: Path) -> None:
    job = csv_import(
        tmp_path,
        "7;Ficus;Er welkt.;Erledigt;01.07.2020 12:00;02.07.2020 09:30;Ada@Example.com;Ada;pflanze, eilig;Topf\n",
        "id,ticket,by,email,at,text,kind\n"
        'm1,7,agent,agent@example.test,2020-07-01T11:00:00Z,"Giessen,\nbitte.",reply\n'
        "m2,7,agent,agent@example.test,2020-07-01T11:05:00Z,Dritte Anfrage.,note\n",
    )

    assert folders.problems(job) == []
    made = desk.ticket()
    assert (made.title, made.state, made.tags, made.fields) == (
        "Ficus",
        "solved",
        ["pflanze", "eilig"],
        {"product": "Topf"},
    )
    assert made.created_at == datetime(2020, 7, 1, 10, tzinfo=UTC)
    rows = desk.messages(made)
    assert [(row["body"], row["kind"]) for row in rows] == [
        ("Er welkt.", "reply"),
        ("Giessen,\nbitte.", "reply"),
        ("Dritte Anfrage.", "note"),
    ]
    [person] = desk.rows("SELECT name FROM requesters")
    assert person == {"name": "Ada"}


def test_two_rows_of_one_person_become_one_requester(desk: Desk, tmp_path: Path) -> None:
    row = "{};T;x;Offen;01.07.2020 12:00;;ada@example.com;Ada;;\n"
    job = csv_import(tmp_path, row.format(1) + row.format(2))

    assert job.by_kind == {"requester": {"taken": 1}, "ticket": {"taken": 2}}


def test_a_cell_that_cannot_be_read_is_reported_with_its_row(desk: Desk, tmp_path: Path) -> None:
    job = csv_import(
        tmp_path,
        "1;T;x;Offen;2020-07-01;;ada@example.com;Ada;;\n2;T;x;Offen;01.07.2020 12:00;;ada@example.com;Ada;;\n",
    )

    [problem] = folders.problems(job)
    assert problem.startswith("tickets.csv:2 | refused | created_at | ")
    assert job.by_kind["ticket"] == {"taken": 1}


def test_a_column_that_is_not_there_is_named_with_those_that_are(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "tickets.csv").write_text("a,b\n1,2\n")
    text = b"csv: [{file: tickets.csv, record: ticket, columns: {id: Nr}}]"

    with pytest.raises(Invalid) as refused:
        folders.run(tmp_path, format_="csv", mapping=mapping_files.read(text, "mapping.yaml"))

    assert "expected the column 'Nr', found 'a', 'b'" in str(refused.value.problems[0].message)


def zendesk(folder: Path) -> Path:
    """An export: an answer of the API for people, one ticket a line, files next to them."""

    def write(name: str, content: Any) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content if isinstance(content, str) else json.dumps(content, indent=1))

    at = "2021-03-01T09:00:00Z"
    write(
        "organizations.json",
        {
            "organizations": [
                {"id": 5, "name": "Firma", "domain_names": ["firma.example", "gmail.com"], "created_at": at}
            ],
            "next_page": None,
        },
    )
    agent = {"id": 2, "name": "Nina", "email": "agent@example.test", "role": "agent", "active": True}
    ada = {
        "id": 1,
        "name": "Ada",
        "email": "ada@firma.example",
        "role": "end-user",
        "organization_id": 5,
        "locale": "en-US",
        "created_at": at,
    }
    boss = {"id": 3, "name": "Bo", "email": "bo@firma.example", "role": "end-user"}
    write("users.json", {"users": [agent, ada, boss], "count": 3})
    file = {
        "id": 77,
        "file_name": "leaf.txt",
        "content_type": "text/plain",
        "size": 6,
        "content_url": "https://x.example/",
    }
    mail = {"system": {"message_id": "<zd1@firma.example>"}}
    comments = [
        {
            "id": 11,
            "author_id": 1,
            "public": True,
            "body": "It welts.",
            "html_body": "<p>It <b>welts</b>.<script>x()</script></p>",
            "created_at": at,
            "via": {"channel": "email"},
            "metadata": mail,
            "attachments": [file],
        },
        {
            "id": 12,
            "author_id": 2,
            "public": True,
            "plain_body": "Water it.",
            "body": "x",
            "created_at": "2021-03-01T10:00:00Z",
            "via": {"channel": "web"},
        },
        {
            "id": 13,
            "author_id": 2,
            "public": False,
            "body": "Third time.",
            "created_at": "2021-03-01T10:01:00Z",
            "via": {"channel": "web"},
        },
    ]
    ticket = {
        "id": 4711, "subject": "Ficus", "description": "It welts.", "status": "hold",
        "priority": "urgent", "type": "incident",
        "requester_id": 1, "submitter_id": 1, "assignee_id": 2, "group_id": 9, "email_cc_ids": [3], "tags": ["plant"],
        "via": {"channel": "email"}, "custom_fields": [{"id": 360, "value": "Pot"}, {"id": 361, "value": "x"}],
        "created_at": at, "updated_at": "2021-03-02T09:00:00Z", "comments": comments,
        "satisfaction_rating": {"score": "good", "comment": "Nice."},
    }  # fmt: skip
    other = {
        "id": 4712,
        "subject": "Later",
        "description": "Hello.",
        "status": "closed",
        "priority": None,
        "type": None,
        "requester_id": 3,
        "created_at": at,
        "updated_at": at,
    }
    write(
        "tickets.ndjson",
        f"{json.dumps(ticket)}\n{json.dumps(other)}\n{json.dumps(other | {'id': 4713, 'status': 'odd'})}\n",
    )
    write(
        "comments/4712.json",
        {
            "comments": [
                {
                    "id": 21,
                    "author_id": 3,
                    "public": True,
                    "body": "Hello there.",
                    "created_at": at,
                    "via": {"channel": "api"},
                }
            ]
        },
    )
    write("attachments/77/leaf.txt", "a leaf")
    return folder


def test_an_export_of_zendesk_becomes_tickets_with_people_notes_and_files(desk: Desk, tmp_path: Path) -> None:
    mapping = mapping_files.read(b'fields: {"360": product}\ndefaults: {account: demo}', "mapping.yaml")

    job = folders.run(zendesk(tmp_path / "in"), format_="zendesk", mapping=mapping)

    assert job.by_kind == {
        "organisation": {"taken": 1},
        "user": {"taken": 1},
        "requester": {"taken": 2},
        "ticket": {"taken": 2, "refused": 1},
    }
    first, second = desk.tickets()
    assert (first.number, first.title, first.state, first.priority) == (4711, "Ficus", "open", "urgent")
    assert (first.fields, first.tags, str(first.assignee_id)) == ({"product": "Pot"}, ["plant"], desk.person().id)
    rows = desk.messages(first)
    assert [(row["direction"], row["kind"], row["body"]) for row in rows] == [
        ("inbound", "reply", "It welts."),
        ("outbound", "reply", "Water it."),
        ("outbound", "note", "Third time."),
    ]
    assert "script" not in rows[0]["body_html"]
    assert desk.rows("SELECT filename, state FROM attachments") == [{"filename": "leaf.txt", "state": "stored"}]
    assert desk.rows("SELECT address FROM ticket_participants") == [{"address": "bo@firma.example"}]
    assert desk.rows("SELECT score, comment FROM ratings") == [{"score": 5, "comment": "Nice."}]
    assert (second.state, desk.bodies(second)) == ("closed", ["Hello there."])


def test_what_zendesk_has_and_the_desk_does_not_is_reported(desk: Desk, tmp_path: Path) -> None:
    job = folders.run(
        zendesk(tmp_path / "in"), format_="zendesk", mapping=mapping_files.read(b"source: zd", "mapping.yaml")
    )

    paths = [line.split(" | ")[:3] for line in folders.problems(job)]
    assert paths == [
        ["organizations.json[0]", "left_out", "domains[1]"],
        ["tickets.ndjson:1", "left_out", "group_id"],
        ["tickets.ndjson:1", "left_out", "custom_fields.360"],
        ["tickets.ndjson:1", "left_out", "custom_fields.361"],
        ["tickets.ndjson:1", "left_out", "type"],
        ["tickets.ndjson:3", "refused", "state"],
    ]


def test_an_answer_to_a_mail_of_zendesk_joins_the_ticket(desk: Desk, tmp_path: Path) -> None:
    folders.run(zendesk(tmp_path / "in"), format_="zendesk")

    desk.receive_email("Better now.", sender="Ada <ada@firma.example>", in_reply_to="<zd1@firma.example>")
    desk.run_due()

    assert desk.bodies(desk.tickets()[0])[-1] == "Better now."
