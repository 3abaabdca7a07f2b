"""Mails that warn users of a change of their account say so, whatever an admin writes into the desk's texts."""

from __future__ import annotations

from typing import Any

import pytest

from models.channels.accounts import ChannelAccount
from models.desk_mail import texts
from models.kernel.storage import database
from models.publishing import translations
from tests.desk import Desk

pytestmark = pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)

VALUES: dict[str, object] = {
    "name": "Ute",
    "desk": "Werkstatt",
    "channel": "telegram",
    "network": "192.0.2.0/24",
    "factor": "a passkey",
    "issuer": "https://id.example",
    "left": 3,
}


def account(**own: Any) -> ChannelAccount:
    return ChannelAccount("email", "demo", 1, {"texts": own})


@pytest.mark.usefixtures("database_engine")
def test_there_are_warnings() -> None:
    assert {"password_changed", "address_changed", "new_device", "second_factor_removed"} <= texts.WARNINGS
    assert "invitation" not in texts.WARNINGS


@pytest.mark.parametrize("kind", sorted(texts.WARNINGS))
@pytest.mark.parametrize("locale", ["en", "ru"])
def test_a_replaced_warning_keeps_the_built_in_statement(desk: Desk, kind: str, locale: str) -> None:
    with database.connection():
        _, built_in = texts.subject_and_text(account(), kind, locale, VALUES)
        _, replaced = texts.subject_and_text(account(**{kind: {locale: "All is well."}}), kind, locale, VALUES)

    statement = built_in.partition("\n\n")[2]
    assert replaced == f"All is well.\n\n{statement}"
    assert built_in.count(statement) == 1
    assert "{" not in replaced


def test_a_warning_in_a_language_of_the_desk_keeps_the_statement_in_a_language_that_the_program_has(desk: Desk) -> None:
    with database.connection():
        _, body = texts.subject_and_text(
            account(password_changed={"de": "Alles ist gut."}), "password_changed", "de", VALUES
        )

    assert body.startswith("Alles ist gut.\n\n")
    assert "your password was changed. If this was not you, tell your administrator at once." in body


def test_other_mails_say_what_the_desk_says(desk: Desk) -> None:
    with database.connection():
        _, body = texts.subject_and_text(account(invitation={"en": "Go: {link}"}), "invitation", "en", {"link": "L"})

    assert body == "Go: L"


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("new_device", "Somebody signed in.", "expected {network} in this text"),
        ("password_reset", "Reset it within {minutes} minutes.", "expected {link} in this text"),
        ("invitation", "Welcome, {name}!", "expected {link} in this text"),
        ("second_factor_removed", "Hello {name}.", "expected {factor} in this text"),
        ("notice", "News.", "expected {details}, {text} in this text"),
        ("password_changed", "\u200b", "visible character"),
        ("password_changed_subject", "\u2060", "visible character"),
        ("notice_of_assigned", "\u200b", "visible character"),
    ],
)
def test_a_text_that_lacks_what_its_reader_needs_is_refused(desk: Desk, name: str, text: str, expected: str) -> None:
    found = [one.message for one in translations.text_problems({name: {"de": text}})]

    assert len(found) == 1
    assert expected in found[0]


def test_the_built_in_texts_have_all_that_is_required(desk: Desk) -> None:
    for kind in texts.TEXTS:
        assert list(translations.text_problems({kind: texts.bodies_of(kind)})) == []
        assert list(translations.text_problems({f"{kind}_subject": texts.subjects_of(kind)})) == []
