"""What an account's file says of its channel holds for what comes in by it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from email.message import EmailMessage

import pytest

from models.kernel.storage import database
from tests.desk import Desk
from tests.models.inbound.conftest import Change


def test_an_account_that_acknowledges_nothing_says_so_in_the_history(desk: Desk, account: Change) -> None:
    account("email.demo", acknowledge=False)

    desk.receive_email("It burns.")
    desk.run_due()

    assert desk.calls == []
    [withheld] = desk.events(desk.ticket(), "automatic_message_withheld")
    assert "acknowledge: false" in withheld["payload"]["reason"]


def test_tickets_of_an_account_get_its_team_and_type(desk: Desk, account: Change) -> None:
    account("email.demo", team="support", ticket_type="problem")

    desk.receive_email("It burns.")
    desk.run_due()

    assert (desk.ticket().team, desk.ticket().type) == ("support", "problem")


def test_who_does_not_tell_a_language_is_written_to_in_the_accounts(desk: Desk, account: Change) -> None:
    account("email.demo", locale="ru")

    desk.receive_email("Горит.")
    desk.run_due()

    assert "Здравствуйте" in desk.sent_bodies()[0]


def test_a_disabled_account_is_not_there_for_its_provider(desk: Desk, account: Change) -> None:
    from models.channels import accounts
    from models.kernel.errors import NotFound

    account("telegram.demo", enabled=False)

    with pytest.raises(NotFound), database.connection():
        accounts.at_path("telegram", "demo", desk.settings)


def test_an_account_with_a_secret_path_is_found_by_it_alone(
    desk: Desk, account: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    from models.channels import accounts
    from models.kernel.errors import NotFound

    monkeypatch.setenv("NESTOR_SECRET_PATH", "unguessable")
    account("telegram.demo", path_id={"secret": "path"})

    with database.connection():
        assert accounts.at_path("telegram", "unguessable", desk.settings).name == "demo"
        with pytest.raises(NotFound):
            accounts.at_path("telegram", "demo", desk.settings)


def test_an_account_may_allow_more_new_tickets_of_one_sender(desk: Desk, account: Change) -> None:
    account("email.demo", new_tickets_per_hour=2)

    for number in range(3):
        desk.receive_email(f"Number {number}", message_id=f"<{number}@x>")
    desk.run_due()

    assert len(desk.tickets()) == 2


def _mail_with_a_file() -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Message-ID"] = "ada@example.com", "desk@example.test", "<big@example.com>"
    mail.set_content("See the file.")
    mail.add_attachment(b"x" * 5_000, maintype="application", subtype="pdf", filename="plan.pdf")
    return mail.as_bytes()


def _event_with_a_file() -> bytes:
    file = {
        "content": base64.b64encode(b"x" * 5_000).decode(),
        "filename": "plan.pdf",
        "content_type": "application/pdf",
    }
    return json.dumps({"id": "1", "from": {"id": "ada"}, "text": "See the file.", "files": [file]}).encode()


@pytest.mark.parametrize(
    ("channel", "raw", "content_type"),
    [
        ("email", _mail_with_a_file, "message/rfc822"),
        ("webhook", _event_with_a_file, "application/json"),
    ],
)
def test_a_message_with_a_file_over_the_accounts_bound_is_a_ticket_that_says_so(
    desk: Desk, account: Change, channel: str, raw: Callable[[], bytes], content_type: str
) -> None:
    account(f"{channel}.demo", attachment_bytes_max=1024)

    event_id = desk.receive_raw(channel, raw(), content_type=content_type)
    desk.run_due()

    assert desk.inbox(event_id)["status"] == "processed"
    assert desk.bodies(desk.ticket())[0] == "See the file."
    [file] = desk.rows("SELECT filename, state, sha256, reason FROM attachments")
    assert (file["filename"], file["state"], file["sha256"]) == ("plan.pdf", "too_large", None)
    assert "larger than the 1 kB" in file["reason"]
