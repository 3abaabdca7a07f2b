"""The staff's topics against the fake Bot API."""

from __future__ import annotations

import pytest

from models.kernel.errors import ConfigurationError, PermanentFailure, TransientFailure
from models.kernel.settings import Settings
from queues.channels.telegram import staff
from scripts.sandbox.client import SandboxProcess
from tests.queues.channels import golden
from tests.queues.channels.telegram.conftest import SendTo

GROUP = "-1002222222222"


@pytest.fixture
def config(sandbox: SandboxProcess) -> Settings:
    sandbox.make_forum(int(GROUP))
    return golden.settings(telegram_api_url=sandbox.bot_api_url)


def test_a_topic_is_opened_written_to_closed_and_opened_again(
    sandbox: SandboxProcess, config: Settings, send_to: SendTo
) -> None:
    address = staff.open_topic(golden.TELEGRAM, config, GROUP, "#7 Fire")

    outcome = send_to(address=address)
    staff.close_topic(golden.TELEGRAM, config, address)
    staff.close_topic(golden.TELEGRAM, config, address)  # somebody may have done it by hand
    staff.reopen_topic(golden.TELEGRAM, config, address)

    opened, told, closed, reopened = sandbox.outbox("telegram")
    assert address == f"{GROUP}/{opened['topic']['message_thread_id']}"
    assert told["message"]["message_thread_id"] == opened["topic"]["message_thread_id"]
    assert outcome.external_id == f"{GROUP}:{told['message_id']}"
    assert (closed["topic"]["closed"], reopened["topic"]["closed"]) == (True, False)


def test_a_group_without_topics_and_a_place_that_is_none_are_refused(config: Settings) -> None:
    with pytest.raises(PermanentFailure, match="not a forum"):
        staff.open_topic(golden.TELEGRAM, config, "-1009", "#7")
    with pytest.raises(PermanentFailure, match=r"(?i)topic_id_invalid"):
        staff.close_topic(golden.TELEGRAM, config, f"{GROUP}/5")
    with pytest.raises(PermanentFailure, match="no topic's"):
        staff.close_topic(golden.TELEGRAM, config, GROUP)


@pytest.mark.parametrize(
    ("kind", "expected"), [("401", ConfigurationError), ("429", TransientFailure), ("500", TransientFailure)]
)
def test_what_the_provider_can_do_is_one_of_our_errors(
    sandbox: SandboxProcess, config: Settings, kind: str, expected: type[Exception]
) -> None:
    sandbox.fail(kind, method="createForumTopic")

    with pytest.raises(expected):
        staff.open_topic(golden.TELEGRAM, config, GROUP, "#7")


def test_a_message_into_a_topic_that_is_gone_goes_to_the_group(
    sandbox: SandboxProcess, config: Settings, send_to: SendTo
) -> None:
    outcome = send_to(address=f"{GROUP}/5")

    (entry,) = sandbox.outbox("telegram")
    assert outcome.kind == "accepted"
    assert "message_thread_id" not in entry["message"]
