"""A recorded event reaches the desk as its provider would have sent it."""

from __future__ import annotations

import email
import json
from functools import partial
from pathlib import Path

import pytest

from models.kernel.errors import ConfigurationError
from scripts import replay
from tests.desk import Desk
from tests.scripts.verbs import run_verb
from tests.services.ports import free_port

UPDATE = {
    "update_id": 1001,
    "message": {
        "message_id": 5,
        "date": 1760000000,
        "chat": {"id": 42, "type": "private", "first_name": "Ada"},
        "from": {"id": 42, "is_bot": False, "first_name": "Ada", "language_code": "en"},
        "text": "The printer is on fire.",
    },
}
MAIL = (
    b"From: Ada <ada@example.com>\r\nTo: desk@example.test\r\nSubject: Printer\r\n"
    b"Message-ID:\r\n <1@example.com>\r\nDate: Mon, 05 Oct 2026 10:00:00 +0000\r\n\r\nMessage-ID: of the body\r\n"
)
RAW = {"telegram": json.dumps(UPDATE).encode(), "email": MAIL}


@pytest.mark.parametrize("channel", ["telegram", "email"])
def test_a_replayed_event_becomes_a_ticket_and_a_second_replay_is_a_repeat(
    desk: Desk, served: str, channel: str
) -> None:
    taken = replay.post(served, channel, "demo", RAW[channel], secret="demo-secret")
    before = replay.fate(served, taken["event_id"], api_key="demo-key", wait_s=0)
    desk.run_due()
    after = replay.fate(served, taken["event_id"], api_key="demo-key", wait_s=5)
    again = replay.post(served, channel, "demo", RAW[channel], secret="demo-secret")

    assert before["status"] == "stored"
    assert after["status"] == "processed"
    assert after["ticket_id"] == str(desk.ticket().id)
    assert again == {"event_id": taken["event_id"], "repeat": True}


@pytest.mark.parametrize("channel", ["telegram", "email"])
def test_with_a_new_key_the_same_fixture_is_a_new_event(desk: Desk, served: str, channel: str) -> None:
    renew = partial(replay.of_channel(channel).with_new_key, None)

    first, second = (replay.post(served, channel, "demo", renew(RAW[channel]), secret="demo-secret") for _ in range(2))

    assert not second["repeat"]
    assert first["event_id"] != second["event_id"]


def test_the_command_prints_the_answer_and_the_events_fate(desk: Desk, served: str, tmp_path: Path) -> None:
    fixture = tmp_path / "update.json"
    fixture.write_bytes(RAW["telegram"])

    done = run_verb("replay", "telegram", str(fixture), "--url", served, "--wait", "0")

    event_id = desk.rows("SELECT id FROM inbox")[0]["id"]
    assert done.stdout.splitlines() == [f"taken as event {event_id}", "stored"]
    assert done.returncode == 1, "nobody ran the task within the wait"


def test_a_wrong_secret_is_reported_in_the_desks_own_words(served: str) -> None:
    with pytest.raises(replay.ReplayFailed, match=r"/webhooks/telegram/demo answered 401: "):
        replay.post(served, "telegram", "demo", RAW["telegram"], secret="a guess")


def test_a_desk_that_does_not_run_is_one_clear_sentence(tmp_path: Path) -> None:
    fixture = tmp_path / "update.json"
    fixture.write_bytes(RAW["telegram"])
    url = f"http://127.0.0.1:{free_port()}"

    done = run_verb("replay", "telegram", str(fixture), "--url", url)

    assert done.returncode == 1
    assert done.stderr == (
        f"nestor: nothing answers at {url}/webhooks/telegram/demo: "
        "start the desk with ./scripts/run, or name it with --url\n"
    )


def test_a_fixture_is_found_by_its_name_with_or_without_its_ending(tmp_path: Path) -> None:
    folder = tmp_path / "telegram" / "fixtures"
    folder.mkdir(parents=True)
    (folder / "text_message.json").write_text("{}")

    found = {replay.find_fixture("telegram", name, tmp_path) for name in ("text_message", "text_message.json")}

    assert found == {folder / "text_message.json"}


def test_a_fixture_that_is_missing_is_reported_with_the_existing_ones(tmp_path: Path) -> None:
    folder = tmp_path / "telegram" / "fixtures"
    folder.mkdir(parents=True)
    (folder / "text_message.json").write_text("{}")

    with pytest.raises(ConfigurationError, match=r"no file or telegram fixture 'photo'; there are text_message\.json"):
        replay.find_fixture("telegram", "photo", tmp_path)


def test_a_name_that_several_fixtures_share_is_not_guessed(tmp_path: Path) -> None:
    folder = tmp_path / "email" / "fixtures"
    for sub in ("bounces", "replies"):
        (folder / sub).mkdir(parents=True)
        (folder / sub / "gmail.eml").write_text("")

    with pytest.raises(ConfigurationError, match=r"several fixtures .* bounces/gmail\.eml, replies/gmail\.eml"):
        replay.find_fixture("email", "gmail", tmp_path)


def test_a_mail_gets_a_new_message_id_and_keeps_every_other_byte() -> None:
    renewed = replay.of_channel("email").with_new_key(None, MAIL)

    new_id = email.message_from_bytes(renewed)["Message-ID"]
    assert "replay.example" in new_id
    assert renewed.replace(f"Message-ID: {new_id}".encode(), b"Message-ID:\r\n <1@example.com>") == MAIL


def test_a_mail_without_a_message_id_gets_one() -> None:
    renewed = replay.of_channel("email").with_new_key(None, b"From: a@example.com\n\nHello\n")

    assert renewed.startswith(b"Message-ID: <replay.")
    assert renewed.endswith(b"\nFrom: a@example.com\n\nHello\n")
