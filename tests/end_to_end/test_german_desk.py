"""A desk that speaks German only: chats, mails, buttons, the staff group and the desk's own mail."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.channels import accounts, texts
from models.definitions import store
from models.desk_mail import texts as mail_texts
from models.events.commands import SYSTEM
from models.kernel.storage import database
from models.onboarding import commands as onboarding
from models.ports.inbound import Command
from models.staff_chat import ticket_posts
from queues.channels.telegram import reach
from scripts import defs
from tests import german_desk
from tests.desk import Desk
from tests.functions.callers import sqlite_only

pytestmark = sqlite_only


@pytest.fixture
def german(desk: Desk, tmp_path: Path) -> Desk:
    """The desk after German definitions replaced the shipped ones."""
    defs.publish(defs.read_all(german_desk.written(tmp_path / "unsere"), demo=True), by="tests")
    store.forget()
    return desk


def test_a_mail_is_acknowledged_in_german_with_the_desks_name_and_time(german: Desk) -> None:
    german.receive_email("Sie ist kaputt.", sender="Ida <ida@firma.example>", subject="Lampe")
    german.run_due()

    ticket = german.ticket()
    [answer] = german.sent
    assert ticket.state == "neu"
    assert answer.body.startswith("Ihre Anfrage an Werkstatt ist Neu, am ")
    assert answer.body.endswith(("CET.", "CEST."))
    assert answer.message.reply_above == "Bitte antworten Sie oberhalb dieser Zeile"


def test_a_chat_of_a_reader_of_another_language_gets_the_german_texts_of_the_life_cycle(german: Desk) -> None:
    german.receive_telegram("Die Lampe ist kaputt.", locale="fr")
    german.run_due()

    [answer] = german.sent
    assert answer.body.startswith("Ihre Anfrage an Werkstatt")
    assert [button.label for button in answer.message.buttons] == ["Erledigt"]


def test_a_chat_without_a_language_is_greeted_in_german_and_offered_german_only(german: Desk) -> None:
    for name, argument in (("start", ""), ("lang", "ru"), ("lang", "de-AT")):
        german.receive(Command(name, argument, "42", "Ida", "42", "42"), channel="telegram")
        german.run_due()

    greeting, refused, changed = (call.body for call in german.calls)
    assert greeting.startswith("Guten Tag Ida!")
    assert refused == "Senden Sie /lang mit einer von: de"
    assert changed == "Wir schreiben Ihnen auf Deutsch."


def test_the_bots_menu_is_german_for_everybody(german: Desk) -> None:
    with database.connection():
        menu = reach._menu(accounts.find("telegram", "demo"))

    assert menu[""]["new"] == menu["de"]["new"] == "Neues Ticket"
    assert set(menu) == {"", "de"}


def test_the_staff_group_reads_german(german: Desk) -> None:
    ticket = german.create_ticket()

    with database.transaction():
        account = accounts.find("telegram", "demo")
        post = ticket_posts.next_post(account, ticket.id)
        assert post is not None
        post = ticket_posts.begin(account, post)

    assert post.text.startswith(f"Neues Ticket #{ticket.number} ")
    assert [button.label for button in post.buttons] == ["Erledigt"]


def test_a_new_user_is_invited_in_german_by_the_text_of_the_desks_file(german: Desk) -> None:
    with database.transaction():
        user = onboarding.create_user("ute@werkstatt.example", "Ute", None, "agent", actor=SYSTEM)

        account = accounts.find("email", "demo")
        values = {"name": "Ute", "desk": "Werkstatt", "link": "L", "minutes": 60}
        invitation = mail_texts.subject_and_text(account, "invitation", user.locale, values)
        changed, _ = mail_texts.subject_and_text(account, "password_changed", user.locale, values)

    assert user.locale == "de"
    assert invitation == ("Ihr Zugang zu Werkstatt", "Guten Tag Ute, Ihr Passwort: L (60 Minuten)")
    assert changed == "Your password at Werkstatt was changed"


def test_a_text_that_nobody_has_in_german_is_in_english(german: Desk) -> None:
    with database.connection():
        account = accounts.find("telegram", "demo")

        assert texts.text(account, "agent_linked", None, name="Ute").startswith("You are Ute here")
