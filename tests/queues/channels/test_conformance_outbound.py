"""Every channel passes by having a folder: what the desk must make of each way in which a send ends.

Answers go through the real actor and sender to a server that speaks the provider's protocol (`manners/<channel>.py`).
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from models.kernel import limits, settings
from models.notices import planning
from scripts.sandbox.client import SandboxProcess
from tests.channel_parts import replace_part
from tests.desk import Desk
from tests.queues.channels.every import Post, Provider, each_channel, manners

ADDRESSES = ("ada@example.test", "700100", "ada")  # of who writes, as the channels have them


@pytest.fixture(autouse=True)
def no_notices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the notice of a failed send, which goes to its author by the same fake mail server, out of these tests."""
    monkeypatch.setattr(planning, "plan", lambda notice_id: None)


@pytest.fixture
def provider(
    channel: str, desk: Desk, sandbox: SandboxProcess, post_to_channel: Post, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Provider]:
    """The channel's provider; Ada has written, her acknowledgement has arrived and is forgotten."""
    replace_part(monkeypatch, "sender", lambda name: importlib.import_module(f"queues.channels.{name}.send"))
    with manners(channel).serve(sandbox, monkeypatch) as served:
        settings.current.cache_clear()
        assert post_to_channel(channel, manners(channel).said("It burns.", 1)).status_code == 200
        desk.run_due()
        assert len(served.taken()) == 1, desk.deliveries(desk.ticket())
        yield served
    settings.current.cache_clear()


@contextmanager
def impatient() -> Iterator[None]:
    """Inside, nobody waits long for an answer; outside, a busy machine has time for one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "send_read_timeout_s", 0.4)
        yield


def answer(desk: Desk) -> dict[str, Any]:
    """The delivery of the agent's answer."""
    found: dict[str, Any] = desk.deliveries(desk.ticket())[-1]
    return found


def outcomes(desk: Desk) -> list[str]:
    return [attempt["outcome"] for attempt in answer(desk)["attempt_log"]]


@each_channel
def test_an_accepted_answer_has_arrived_once_under_an_id(provider: Provider, desk: Desk, channel: str) -> None:
    desk.reply(desk.ticket(), "Water it.")
    desk.run_due()

    assert provider.taken()[1:] == ["Water it."]
    assert (answer(desk)["state"], outcomes(desk)) == ("sent", ["accepted"])
    known = desk.rows(
        "SELECT m.external_id FROM messages AS m JOIN deliveries AS d ON d.message_id = m.id WHERE d.id = :id",
        id=answer(desk)["id"],
    )
    assert known[0]["external_id"], "an answer to it finds its ticket"


@each_channel
def test_a_throttled_answer_is_sent_later_and_uses_no_attempt_up(provider: Provider, desk: Desk, channel: str) -> None:
    provider.throttle()

    desk.reply(desk.ticket(), "Water it.")
    desk.run_due()
    waiting, before = answer(desk), provider.taken()[1:]
    desk.advance(hours=1)
    desk.run_due()

    assert (waiting["state"], before) == ("pending", [])
    assert answer(desk)["state"] == "sent"
    assert provider.taken()[1:] == ["Water it."]
    assert outcomes(desk)[0] in ("throttled", "transient")  # SMTP has one word for both
    assert desk.tasks("dead") == []


@each_channel
def test_a_refused_answer_has_failed_for_people_to_see_and_is_not_tried_again(
    provider: Provider, desk: Desk, channel: str
) -> None:
    provider.refuse()

    desk.reply(desk.ticket(), "Water it.")
    desk.run_due()
    desk.advance(days=2)
    desk.run_due()

    failed = answer(desk)
    assert (failed["state"], outcomes(desk)) == ("failed", ["permanent"])
    assert failed["last_error"]
    assert not any(address in failed["last_error"].split() for address in ADDRESSES)
    assert provider.taken()[1:] == []
    assert [event["payload"]["delivery_id"] for event in desk.events(desk.ticket(), "delivery_failed")] == [
        str(failed["id"])
    ]


@each_channel
def test_an_answer_whose_fate_nobody_knows_is_repeated_as_often_as_the_channel_allows_and_then_shown(
    provider: Provider, desk: Desk, channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_part(monkeypatch, "retries_for", lambda channel: lambda account: 1)
    for _ in range(2):
        provider.stay_silent()

    desk.reply(desk.ticket(), "Water it.")
    with impatient():
        desk.run_due()
        first = outcomes(desk)
        for _ in range(3):
            desk.advance(hours=1)
            desk.run_due()

    assert first == ["unknown"], "it may have arrived: nobody may say that it has not"
    assert (answer(desk)["state"], outcomes(desk)) == ("unknown", ["unknown", "unknown"])
    assert provider.taken()[1:] == ["Water it."] * 2
    assert desk.tasks("ready", "leased") == []


@each_channel
def test_a_repeat_that_is_accepted_settles_what_was_unknown(provider: Provider, desk: Desk, channel: str) -> None:
    provider.stay_silent()

    desk.reply(desk.ticket(), "Water it.")
    with impatient():
        desk.run_due()
    desk.advance(hours=1)
    desk.run_due()

    assert (answer(desk)["state"], outcomes(desk)) == ("sent", ["unknown", "accepted"])
    assert provider.taken()[1:] == ["Water it."] * 2
    assert len(desk.bodies(desk.ticket(), "outbound")) == 2  # the acknowledgement and one answer


@each_channel
def test_what_is_given_up_after_an_unknown_attempt_is_not_called_failed(
    provider: Provider, desk: Desk, channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person who reads "failed" sends it again without a thought."""
    replace_part(monkeypatch, "retries_for", lambda channel: lambda account: 10)
    desk.reply(desk.ticket(), "Water it.")

    with impatient():
        for days in (0, 2):
            provider.stay_silent()
            desk.advance(days=days)
            desk.run_due()

    assert len(desk.tasks("dead", kind="send_delivery")) == 1
    assert (answer(desk)["state"], outcomes(desk)) == ("unknown", ["unknown", "unknown"])
