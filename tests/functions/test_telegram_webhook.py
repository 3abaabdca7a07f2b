"""Telegram's webhook from the request to the ticket: every kind of update, secret addresses, and no token anywhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from falcon import testing

from models.definitions import store
from models.kernel import settings
from models.kernel.storage import database
from tests.desk import Desk
from tests.functions.callers import Caller, problem
from tests.functions.conftest import LogLines

FIXTURES = Path(__file__).resolve().parents[2] / "queues" / "channels" / "telegram" / "fixtures"
TOKEN, SECRET, PATH = (
    "778899:secret-bot-token-of-the-test",
    "secret-header-of-the-test",
    "secret-path-of-the-test",
)
DEMO = {"X-Telegram-Bot-Api-Secret-Token": "demo-secret"}


@pytest.fixture(autouse=True)
def no_bot_api(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are fetched from nowhere: port 9 discards, and nothing listens there."""
    monkeypatch.setenv("TELEGRAM_API_URL", "http://127.0.0.1:9")
    settings.current.cache_clear()


@pytest.fixture
def provider(webhooks: Any) -> Caller:
    return Caller(webhooks)


def recorded(name: str) -> bytes:
    return (FIXTURES / f"{name}.json").read_bytes()


def post(provider: Caller, raw: bytes, path: str = "demo", **headers: str) -> testing.Result:
    return provider.post(
        f"/webhooks/telegram/{path}",
        raw=raw,
        headers={"Content-Type": "application/json"} | (headers or DEMO),
    )


def publish(desk: Desk, name: str, **config: Any) -> None:
    """A bot of the test's own."""
    body = {
        "channel": "telegram",
        "account": name,
        "token": {"secret": "t_token"},
        "secret_token": {"secret": "t_secret"},
    }
    desk.command(store.publish, "channel", f"telegram.{name}", body | config, source="", by="tests")
    store.forget()


@pytest.fixture
def hidden_bot(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> str:
    """The header of a bot whose webhook's address ends in a secret."""
    for variable, value in (("T_TOKEN", TOKEN), ("T_SECRET", SECRET), ("T_PATH", PATH)):
        monkeypatch.setenv(f"NESTOR_SECRET_{variable}", value)
    settings.current.cache_clear()
    publish(desk, "hidden", path_id={"secret": "t_path"})
    return SECRET


def test_every_recorded_update_is_taken_and_becomes_what_it_is(provider: Caller, machine: Caller, desk: Desk) -> None:
    names = sorted(path.stem for path in FIXTURES.iterdir())

    answers = {name: post(provider, recorded(name)) for name in names}
    desk.run_due()

    assert {answer.status_code for answer in answers.values()} == {200}
    # The files of the messages wait for a Bot API server; every update is done.
    assert {task["kind"] for task in desk.tasks("ready", "leased", "dead")} <= {"fetch_attachment"}
    assert desk.tasks("dead") == []
    rows = desk.rows("SELECT event_key, status, reason FROM inbox")
    status = {row["event_key"]: (row["status"], row["reason"]) for row in rows}
    assert len(status) == len(names)
    assert {kind for kind, _ in status.values()} == {"processed", "ignored"}
    assert all(reason for kind, reason in status.values() if kind == "ignored")


def test_a_secret_address_works_and_the_accounts_name_does_not(provider: Caller, desk: Desk, hidden_bot: str) -> None:
    header = {"X-Telegram-Bot-Api-Secret-Token": hidden_bot}

    for wrong in ("hidden", PATH[:-1], PATH + "x", PATH.upper(), TOKEN):
        problem(post(provider, recorded("text_message"), wrong, **header), 404)
    problem(
        post(provider, recorded("text_message"), PATH, **{"X-Telegram-Bot-Api-Secret-Token": "demo-secret"}),
        401,
    )
    assert desk.rows("SELECT 1 FROM inbox") == []
    result = post(provider, recorded("text_message"), PATH, **header)

    assert result.status_code == 200
    (row,) = desk.rows("SELECT account FROM inbox")
    assert row["account"] == "hidden"


def test_neither_the_token_nor_the_secrets_are_logged_or_stored(
    provider: Caller, machine: Caller, desk: Desk, hidden_bot: str, log_lines: LogLines
) -> None:
    for name in (
        "text_message",
        "photo_with_caption",
        "command_status",
        "callback_query_button",
        "bot_blocked",
    ):
        post(provider, recorded(name), PATH, **{"X-Telegram-Bot-Api-Secret-Token": hidden_bot})
    desk.run_due()

    tables = [
        "inbox",
        "tasks",
        "messages",
        "events",
        "deliveries",
        "delivery_attempts",
        "conversations",
        "attachments",
        "definitions",
        "channel_health",
        "identities",
        "tickets",
    ]
    stored = "".join(repr(desk.rows(f"SELECT * FROM {table}")) for table in tables)
    shown = json.dumps([machine.read("/v1/inbox"), machine.read("/v1/tickets")])
    assert "printer" in stored
    for secret in (TOKEN, SECRET, PATH):
        assert secret not in stored
        assert secret not in shown
        assert secret not in "".join(log_lines.lines)


def test_the_press_of_a_button_is_answered_in_the_response_each_time(provider: Caller, desk: Desk) -> None:
    answers = [post(provider, recorded("callback_query_button")) for _ in range(2)]

    for answer in answers:
        assert answer.status_code == 200
        assert answer.json == {"method": "answerCallbackQuery", "callback_query_id": "3006547218339281"}
    assert len(desk.rows("SELECT 1 FROM inbox")) == 1


def test_what_happens_in_a_chat_stays_in_order_whatever_its_kind(provider: Caller, desk: Desk) -> None:
    for name in (
        "text_message",
        "callback_query_button",
        "edited_message",
        "message_reaction",
        "bot_blocked",
    ):
        post(provider, recorded(name))
    post(provider, recorded("group_message"))

    keys = [task["key"] for task in desk.tasks(kind="ingest_event")]
    assert len(set(keys[:5])) == 1
    assert keys[5] != keys[0]


def test_an_album_is_one_message_with_the_caption_of_any_part(provider: Caller, desk: Desk) -> None:
    for name in ("album_first_part", "album_second_part_with_caption", "album_video_part"):
        post(provider, recorded(name))
        desk.run_due()

    ticket = desk.ticket()
    (message,) = [one for one in desk.messages(ticket) if one["direction"] == "inbound"]
    assert message["body"] == "Before and after"
    assert len(message["attachments"]) == 3


def test_an_edit_of_a_picture_without_words_leaves_the_albums_caption(provider: Caller, desk: Desk) -> None:
    for name in ("album_first_part", "album_second_part_with_caption"):
        post(provider, recorded(name))
        desk.run_due()

    message = json.loads(recorded("album_first_part"))["message"]
    post(
        provider,
        json.dumps({"update_id": 5, "edited_message": message | {"edit_date": message["date"] + 9}}).encode(),
    )
    caption = json.loads(recorded("album_second_part_with_caption"))["message"] | {
        "caption": "After",
        "edit_date": 1_793_030_000,
    }
    desk.run_due()
    before = desk.bodies(desk.ticket())
    post(provider, json.dumps({"update_id": 6, "edited_message": caption}).encode())
    desk.run_due()

    assert before == ["Before and after"]
    assert desk.bodies(desk.ticket()) == ["After"]


def test_a_command_makes_no_ticket_and_is_answered(provider: Caller, desk: Desk) -> None:
    post(provider, recorded("command_status"))
    desk.run_due()

    assert desk.tickets() == []
    (row,) = desk.rows("SELECT status, reason FROM inbox")
    assert (row["status"], row["reason"]) == ("processed", "told that there is no ticket")


def test_a_new_ticket_by_command_leaves_the_old_one_as_it_is(provider: Caller, desk: Desk) -> None:
    post(provider, recorded("text_message"))
    post(provider, recorded("command_new_with_text"))
    desk.run_due()

    assert [desk.bodies(ticket)[-1] for ticket in sorted(desk.tickets(), key=lambda one: one.number)] == [
        "Hello, the printer on floor 3 is on fire 🔥\nWhat shall I do?",
        "The lift 🛗 is stuck",
    ]


def test_formats_quotes_and_forwards_are_shown_with_the_message(provider: Caller, machine: Caller, desk: Desk) -> None:
    post(provider, recorded("text_with_entities"))
    post(provider, recorded("reply_with_quote"))
    desk.run_due()

    with database.connection():
        first, second = [one for one in desk.messages(desk.ticket()) if one["direction"] == "inbound"]
    assert "<b>printer</b>" in first["body_html"]
    assert second["details"]["quote"] == "pull the plug"


def said(number: int, person: int, text: str, chat: dict[str, Any], **more: Any) -> bytes:
    """A message of somebody in a chat."""
    sender = {"id": person, "is_bot": False, "first_name": f"Person {person}"}
    message = {
        "message_id": number,
        "date": 1_793_000_000,
        "chat": chat,
        "from": sender,
        "text": text,
        **more,
    }
    return json.dumps({"update_id": number, "message": message}).encode()


@pytest.fixture
def group_bot(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Publishes the bot `groups` with a mode; it shares the demo's secrets."""

    def make(mode: str) -> None:
        monkeypatch.setenv("NESTOR_SECRET_T_TOKEN", "778899:x")
        monkeypatch.setenv("NESTOR_SECRET_T_SECRET", "demo-secret")
        settings.current.cache_clear()
        publish(desk, "groups", groups=mode, bot_username="desk_bot")

    return make


GROUP = {"id": -4000, "type": "group", "title": "Ada & Co"}


def test_people_of_a_group_have_tickets_of_their_own_and_answers_stand_in_the_group(
    provider: Caller, desk: Desk, group_bot: Callable[..., None]
) -> None:
    group_bot("per_user")

    for number, person, text in (
        (1, 7, "The printer burns"),
        (2, 8, "The lift is stuck"),
        (3, 7, "It still burns"),
    ):
        post(provider, said(number, person, text, GROUP), "groups")
    desk.run_due()

    tickets = {tuple(desk.bodies(ticket)): ticket for ticket in desk.tickets()}
    assert tickets.keys() == {("The printer burns", "It still burns"), ("The lift is stuck",)}
    desk.reply(tickets["The lift is stuck",], "Press the bell.")
    desk.run_due()
    answer = desk.sent[-1].message
    assert (answer.body, answer.address, answer.in_reply_to) == ("Press the bell.", "-4000", "-4000:2")


def test_a_group_with_other_topics_is_read_when_it_mentions_the_bot(
    provider: Caller, desk: Desk, group_bot: Callable[..., None]
) -> None:
    group_bot("on_mention")
    mention = [{"type": "mention", "offset": 0, "length": 9}]

    post(provider, said(1, 7, "Good morning", GROUP), "groups")
    post(provider, said(2, 7, "@desk_bot the printer burns", GROUP, entities=mention), "groups")
    desk.run_due()

    assert desk.bodies(desk.ticket()) == ["@desk_bot the printer burns"]


@pytest.mark.parametrize("halves", [("migrate_to", "migrate_from"), ("migrate_from", "migrate_to")])
def test_a_group_keeps_its_ticket_when_it_becomes_a_supergroup(
    provider: Caller, desk: Desk, group_bot: Callable[..., None], halves: tuple[str, str]
) -> None:
    group_bot("per_topic")
    new = GROUP | {"id": -1009, "type": "supergroup"}
    post(provider, said(1, 7, "The printer burns", GROUP), "groups")
    desk.run_due()

    for number, half in enumerate(halves, start=2):
        old_group = half == "migrate_to"
        told = {"migrate_to_chat_id": -1009} if old_group else {"migrate_from_chat_id": -4000}
        post(provider, said(number, 7, "", GROUP if old_group else new, **told), "groups")
        desk.run_due()
    post(provider, said(9, 7, "It still burns", new), "groups")
    desk.run_due()

    assert desk.bodies(desk.ticket()) == ["The printer burns", "It still burns"]
    desk.reply(desk.ticket(), "Water it.")
    desk.run_due()
    assert desk.sent[-1].message.address == "-1009"


def test_a_business_accounts_chat_is_answered_through_its_connection(provider: Caller, desk: Desk) -> None:
    post(provider, recorded("business_message"))
    desk.run_due()

    desk.reply(desk.ticket(), "Until six.")
    desk.run_due()

    assert desk.sent[-1].message.address == "700200@Xk9_connection"
