"""Every channel passes by having a folder: what it must take in, and what it must make of each way in which a send ends.

Requests go to the real webhook function, sends through the real actor and sender to a server that speaks the provider's protocol. A
channel says in `manners/<channel>.py` how its provider behaves; one that does not fails here by its name.
"""

from __future__ import annotations

import importlib
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from falcon import testing

from models.inbox import commands as inbox
from models.kernel import limits, settings
from queues import channels, runner
from scripts.sandbox.client import SandboxProcess
from tests.desk import Desk
from tests.functions.callers import sqlite_only
from tests.queues.channels.every import NAMES, RIGHT, Manners, Provider, manners

each_channel = pytest.mark.parametrize("channel", NAMES)
FOLDERS = Path(channels.__file__).parent
ADDRESSES = ("ada@example.test", "700100", "ada")  # of who writes, as the channels have them
Post = Callable[..., testing.Result]


@pytest.fixture
def post(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Post:
    """Posts a body to the channel's demo account."""
    from functions import runtime
    from functions.webhooks.app import create_app

    monkeypatch.setattr(runtime, "_state", {"adopted": True, "publisher": None})
    client = testing.TestClient(create_app())

    def send(channel: str, body: bytes, *, secret: str | None = RIGHT) -> testing.Result:
        proof = {} if secret is None else dict(manners(channel).proof(secret))
        headers = {"Content-Type": manners(channel).CONTENT_TYPE, **proof}
        return client.simulate_post(f"/webhooks/{channel}/demo", body=body, headers=headers)

    return send


@pytest.fixture
def provider(
    channel: str, desk: Desk, sandbox: SandboxProcess, post: Post, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Provider]:
    """The channel's provider; Ada has written, her acknowledgement has arrived and is forgotten."""
    monkeypatch.setattr(limits, "send_read_timeout_s", 0.4)
    monkeypatch.setattr(
        channels, "sender", lambda name: importlib.import_module(f"queues.channels.{name}.send")
    )
    with manners(channel).serve(sandbox, monkeypatch) as served:
        settings.current.cache_clear()
        assert post(channel, manners(channel).said("It burns.", 1)).status_code == 200
        desk.run_due()
        assert len(served.taken()) == 1, desk.deliveries(desk.ticket())
        yield served
    settings.current.cache_clear()


def stored(desk: Desk) -> list[dict[str, Any]]:
    return desk.rows("SELECT * FROM inbox ORDER BY received_at, id")


def at_rest(desk: Desk) -> bool:
    """Nothing waits, nothing was given up, nobody has a ticket."""
    return desk.tasks("ready", "leased", "dead") == [] and desk.tickets() == []


def answer(desk: Desk) -> dict[str, Any]:
    """The delivery of the agent's answer."""
    found: dict[str, Any] = desk.deliveries(desk.ticket())[-1]
    return found


def outcomes(desk: Desk) -> list[str]:
    return [attempt["outcome"] for attempt in answer(desk)["attempt_log"]]


# -- what comes in -----------------------------------------------------------------------------------------------


@each_channel
def test_a_channel_has_all_that_belongs_to_it(channel: str) -> None:
    folder = FOLDERS / channel

    for name in ("account.py", "ingress.py", "parse.py", "send.py", "README.md"):
        assert (folder / name).is_file(), name
    assert any((folder / "fixtures").iterdir()), "recorded events"
    able = channels.capabilities(channel)
    assert able.operations <= {"send", "edit", "delete"}
    assert "send" in able.operations
    assert able.retries_after_unknown >= 0
    assert 0 < channels.ingress(channel).body_bytes_max <= limits.webhook_body_bytes_max
    for needed in ("authenticate", "verify", "receive"):
        assert callable(getattr(channels.ingress(channel), needed))
    assert isinstance(manners(channel), Manners)


@each_channel
def test_a_message_is_accepted_once_it_is_kept_and_becomes_a_ticket(
    post: Post, desk: Desk, channel: str
) -> None:
    raw = manners(channel).said("It burns. Горит 🔥", 1)

    result = post(channel, raw)

    assert result.status_code == 200, result.text
    [event] = stored(desk)
    assert (bytes(event["raw"]), event["status"]) == (raw, "stored")
    assert len(desk.tasks("ready", kind="ingest_event")) == 1
    desk.run_due()
    [event] = stored(desk)
    assert (event["status"], event["reason"]) == ("processed", None)
    assert desk.bodies(desk.ticket()) == ["It burns. Горит 🔥"]
    assert desk.ticket().channel == channel


@each_channel
def test_a_repeat_has_no_effect_before_and_after_the_event_was_read(
    post: Post, desk: Desk, channel: str
) -> None:
    raw = manners(channel).said("It burns.", 1)

    first, before = post(channel, raw).json, post(channel, raw).json
    desk.run_due()
    after = post(channel, raw).json
    desk.run_due()

    assert before == after == first | {"repeat": True}
    assert len(stored(desk)) == 1
    assert desk.bodies(desk.ticket()) == ["It burns."]


@each_channel
def test_what_one_person_writes_stays_in_order(post: Post, desk: Desk, channel: str) -> None:
    for number in (1, 2, 3):
        post(channel, manners(channel).said(f"Part {number}.", number))

    keys = {task["key"] for task in desk.tasks("ready", kind="ingest_event")}
    desk.run_due()

    assert len(keys) == 1
    assert None not in keys
    assert not any(address in key for key in keys for address in ADDRESSES if "@" in address)
    assert [text for ticket in desk.tickets() for text in desk.bodies(ticket)] == [
        "Part 1.",
        "Part 2.",
        "Part 3.",
    ]


@each_channel
def test_a_wrong_secret_is_refused_with_the_same_words_as_none(post: Post, desk: Desk, channel: str) -> None:
    raws = [manners(channel).said("Let me in.", 1), manners(channel).unknown(), b"nonsense"]

    refused = [
        post(channel, raw, secret=secret)
        for raw in raws
        for secret in ("wrong", RIGHT + "x", RIGHT[:-1], RIGHT.upper(), "", None)
    ]

    assert {result.status_code for result in refused} == {401}
    assert len({result.json["detail"] for result in refused}) == 1
    assert stored(desk) == []


@each_channel
def test_an_event_that_the_desk_has_no_use_for_is_kept_and_shown_with_the_reason(
    post: Post, desk: Desk, channel: str
) -> None:
    raw = manners(channel).unknown()

    result = post(channel, raw)
    desk.run_due()

    assert result.status_code == 200, result.text
    [event] = stored(desk)
    assert (event["status"], bytes(event["raw"])) == (manners(channel).UNKNOWN_IS, raw)
    assert event["reason"]
    assert at_rest(desk)


@each_channel
def test_what_is_none_of_the_providers_is_answered_well_kept_and_can_be_replayed(
    post: Post, desk: Desk, channel: str
) -> None:
    raws = manners(channel).malformed()
    assert len(raws) >= 4

    results = [post(channel, raw) for raw in raws]
    desk.run_due()
    failed = stored(desk)
    for event in failed:
        desk.command(inbox.replay, event["id"])
    desk.run_due()

    assert {result.status_code for result in results} == {200}, "a 5xx makes a provider send poison for days"
    assert sorted(bytes(event["raw"]) for event in failed) == sorted(raws)
    for event in (*failed, *stored(desk)):
        assert (event["status"], bool(event["reason"])) == ("failed", True), event["raw"]
    assert at_rest(desk)


# -- what goes out -----------------------------------------------------------------------------------------------


@each_channel
def test_an_accepted_answer_has_arrived_once_under_an_id(
    provider: Provider, desk: Desk, channel: str
) -> None:
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
def test_a_throttled_answer_is_sent_later_and_uses_no_attempt_up(
    provider: Provider, desk: Desk, channel: str
) -> None:
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
    monkeypatch.setattr(channels, "retries_after_unknown", lambda account: 1)
    for _ in range(2):
        provider.stay_silent()

    desk.reply(desk.ticket(), "Water it.")
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
def test_a_repeat_that_is_accepted_settles_what_was_unknown(
    provider: Provider, desk: Desk, channel: str
) -> None:
    provider.stay_silent()

    desk.reply(desk.ticket(), "Water it.")
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
    monkeypatch.setattr(channels, "retries_after_unknown", lambda account: 10)
    provider.stay_silent()
    desk.reply(desk.ticket(), "Water it.")
    desk.run_due()

    provider.stay_silent()
    desk.advance(days=2)
    desk.run_due()

    assert len(desk.tasks("dead", kind="send_delivery")) == 1
    assert (answer(desk)["state"], outcomes(desk)) == ("unknown", ["unknown", "unknown"])


# -- anything at all ---------------------------------------------------------------------------------------------


def damaged(raw: bytes, chance: random.Random) -> bytes:
    """The bytes with some lost, doubled, or replaced by what means something to parsers."""
    body = bytearray(raw)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(body) + 1)
        match chance.randrange(4):
            case 0:
                del body[at : at + chance.randint(1, 100)]
            case 1:
                body[at:at] = body[max(0, at - 50) : at]
            case 2:
                body[at : at + 1] = bytes([chance.randrange(256)])
            case _:
                body[at:at] = chance.choice(MEANINGFUL)
    return bytes(body)


MEANINGFUL = [
    b"\r\n", b"\r\n\r\n", b"--", b'"', b"\x00", b"=?utf-8?q?=00?=", b"\xff", b"{", b"}", b"[", b"null", b"1e999", b"-1",
    b"\xed\xa0\x80", b"\\ud800", b"\\u0000", b"99999999999999999999", b'""', b"true", b"<", b"(", b":", b",",
]  # fmt: skip


@sqlite_only
@each_channel
def test_every_recording_whole_or_damaged_is_taken_and_comes_to_an_end(
    post: Post, desk: Desk, channel: str
) -> None:
    chance = random.Random(2026)
    recordings = [path for path in sorted((FOLDERS / channel / "fixtures").rglob("*")) if path.is_file()]
    whole = [path.read_bytes() for path in recordings] + [manners(channel).said("It burns.", 1)]
    rounds = max(2, 100 // len(whole))

    bodies = [*whole, *(damaged(raw, chance) for raw in whole for _ in range(rounds))]
    answers = {post(channel, body).status_code for body in bodies}
    for task in desk.tasks("ready", kind="ingest_event"):
        runner.run_task(task["id"])

    assert answers == {200}
    assert desk.tasks("ready", "leased", "dead", kind="ingest_event") == []
    ended = stored(desk)
    assert {event["status"] for event in ended} <= {"processed", "ignored", "failed"}
    assert [event["reason"] for event in ended if "a bug of ours" in (event["reason"] or "")] == []
    assert all(event["reason"] for event in ended if event["status"] != "processed")
