"""Setting a bot up, against the fake Bot API."""

from __future__ import annotations

import pytest
from telegram.error import TelegramError

from models.kernel.errors import ConfigurationError, PermanentFailure, TransientFailure
from queues.channels.telegram.bot_api import setup
from queues.channels.telegram.bot_api.updates import ALLOWED_UPDATES
from scripts.sandbox.client import SandboxProcess

TOKEN = "4343:setup-token"


def test_a_webhook_is_set_shown_and_taken_away(sandbox: SandboxProcess) -> None:
    url = sandbox.bot_api_url

    setup.set_webhook(TOKEN, url, "https://desk.example.test/webhooks/telegram/x", secret_token="s3")
    shown = setup.get_webhook_info(TOKEN, url)
    setup.delete_webhook(TOKEN, url)

    assert shown.url == "https://desk.example.test/webhooks/telegram/x"
    assert set(shown.allowed_updates) == set(ALLOWED_UPDATES)
    assert (shown.max_connections, shown.pending_updates, shown.last_error) == (40, 0, None)
    assert setup.get_webhook_info(TOKEN, url).url == ""
    sent = [entry["raw"] for entry in sandbox.outbox("telegram") if entry["method"] == "setWebhook"]
    assert sent[0]["secret_token"] == "***"


def test_the_bot_says_who_it_is(sandbox: SandboxProcess) -> None:
    me = setup.get_me(TOKEN, sandbox.bot_api_url)

    assert (me.bot_id, me.username, me.reads_groups) == (4343, "nestor_sandbox_bot", False)


def test_the_menu_is_set_for_each_language(sandbox: SandboxProcess) -> None:
    setup.set_my_commands(TOKEN, sandbox.bot_api_url, {"": {"new": "A new question"}, "ru": {"new": "Новый вопрос"}})

    calls = [entry for entry in sandbox.outbox("telegram") if entry["method"] == "setMyCommands"]
    assert [(call["raw"].get("language_code"), call["commands"][0]["description"]) for call in calls] == [
        (None, "A new question"),
        ("ru", "Новый вопрос"),
    ]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("401", ConfigurationError),
        ("400", PermanentFailure),
        ("500", TransientFailure),
        ("429", TransientFailure),
    ],
)
def test_a_refusal_is_one_of_our_errors_and_names_no_token(
    sandbox: SandboxProcess, kind: str, expected: type[Exception]
) -> None:
    sandbox.fail(kind, method="getMe")

    with pytest.raises(expected) as refused:
        setup.get_me(TOKEN, sandbox.bot_api_url)

    assert "setup-token" not in str(refused.value)
    assert isinstance(refused.value.__cause__, TelegramError)
