"""An export that an empty desk imports gives the same export again."""

from __future__ import annotations

import json
from email.message import EmailMessage
from pathlib import Path
from uuid import UUID

from models.infomodel.normal_form import Lookups
from models.regrouping import linking, merging
from models.requesters import organisations
from models.ticket_actions import commands, following
from models.ticket_actions.sorting import time_spent
from models.visibility.sight import DESK
from scripts import defs
from tests.desk import Desk
from tests.fixtures_desk import bind
from tests.models.imports import folders


def _mail_with_file_and_html(desk: Desk) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "Ada <ada@firma.example>", "desk@example.test", "Photo"
    mail["Message-ID"] = "<photo@firma.example>"
    mail.set_content("See the photo.")
    html = '<p onclick="x()">See <b>the</b> <img src="cid:pic"> <img src="https://far.example/a.png"></p>'
    mail.add_alternative(html, subtype="html")
    mail.add_attachment(b"\x89PNG\r\n\x1a\n" + b"0" * 100, maintype="image", subtype="png", filename="photo.png")
    desk.receive_raw("email", mail.as_bytes(), content_type="message/rfc822")


def _fill(desk: Desk) -> None:
    """A desk with mails, chats, notes, files, states, links, a merge and time spent."""
    nothing = Lookups(lambda text: None, lambda text: None)
    names = ["firma.example"]
    desk.command(organisations.create, "Firma", domain_names=names, fields={}, role="admin", lookups=nothing)
    _mail_with_file_and_html(desk)
    desk.receive_telegram("The printer is on fire.")
    desk.receive_email("Is it done?", sender="Bob <bob@example.com>", subject="Second")
    desk.run_due()
    first, chat, second = sorted(desk.tickets(), key=lambda ticket: ticket.number)
    agent = desk.person()
    assert agent.id is not None
    desk.advance(hours=1)
    desk.reply(first, "Thanks.")
    desk.run_due()
    desk.advance(hours=1)
    desk.command(commands.assign, chat.id, UUID(agent.id), actor=agent)
    changes = {"tags": ["vip"], "priority": "high", "fields": {"product": "Printer"}}
    desk.command(commands.update, first.id, changes, expected_version=None, actor=agent)
    desk.command(time_spent.add, first.id, minutes=15, note="Looked.", user_id=UUID(agent.id), actor=agent)
    desk.command(following.follow, first.id, user_id=UUID(agent.id), actor=agent)
    desk.transition(chat, "resolve")
    desk.run_due()
    third = desk.create_ticket("Third", description="By the API.", email="cleo@example.com")
    desk.command(linking.add, first.id, third.id, "blocks", actor=agent, sight=DESK)
    desk.command(merging.merge, second.id, first.id, actor=agent, sight=DESK, confirmed=True)
    desk.run_due()


def test_an_export_of_the_imported_desk_equals_the_export(
    desk: Desk, database_url: str, migrated_database_url: str, tmp_path: Path
) -> None:
    bind(database_url)
    _fill(desk)
    before = folders.export(tmp_path / "first")

    bind(migrated_database_url)
    defs.publish(defs.read_all(demo=True), by="tests")
    job = folders.run(tmp_path / "first", creates_users=True)
    after = folders.export(tmp_path / "second")

    assert folders.problems(job) == []
    assert folders.differences([json.loads(one) for one in before], [json.loads(one) for one in after]) == []
    assert after == before
    kinds = {json.loads(line)["kind"] for line in before}
    assert kinds == {"user", "organisation", "requester", "ticket", "link"}
    files = {path.name: path.read_bytes() for path in (tmp_path / "first" / "files").iterdir()}
    assert files == {path.name: path.read_bytes() for path in (tmp_path / "second" / "files").iterdir()}
    assert files
