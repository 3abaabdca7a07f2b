"""Every channel passes by having a folder: what it must take in. What it sends is `test_conformance_outbound.py`'s
matter.

Requests go to the real webhook function. A channel says in `manners/<channel>.py` how its provider behaves; one that
does not fails here by its name.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from models.inbox import commands as inbox
from models.kernel import limits
from queues import channels, runner
from tests.desk import Desk
from tests.functions.callers import sqlite_only
from tests.queues.channels.every import RIGHT, Manners, Post, each_channel, manners


def folder_of(channel: str) -> Path:
    """The channel's folder; a package can be in several places."""
    return next(Path(place) / channel for place in channels.__path__ if (Path(place) / channel).is_dir())


def stored(desk: Desk) -> list[dict[str, Any]]:
    return desk.rows("SELECT * FROM inbox ORDER BY received_at, id")


def at_rest(desk: Desk) -> bool:
    """Nothing waits, nothing was given up, nobody has a ticket."""
    return desk.tasks("ready", "leased", "dead") == [] and desk.tickets() == []


@each_channel
def test_a_channel_has_all_that_belongs_to_it(channel: str) -> None:
    folder = folder_of(channel)

    for name in ("channel.py", "account.py", "ingress.py", "parse.py", "send.py", "README.md"):
        assert (folder / name).is_file(), name
    assert any((folder / "fixtures").iterdir()), "recorded events"
    declared = channels.get(channel)
    assert declared.operations <= {"send", "edit", "delete"}
    assert "send" in declared.operations
    assert declared.retries_after_unknown >= 0
    assert 0 < declared.ingress.body_bytes_max <= limits.webhook_body_bytes_max
    for needed in ("authenticate", "verify", "receive"):
        assert callable(getattr(declared.ingress, needed))
    assert isinstance(manners(channel), Manners)


@each_channel
def test_a_message_is_accepted_once_it_is_kept_and_becomes_a_ticket(
    post_to_channel: Post, desk: Desk, channel: str
) -> None:
    raw = manners(channel).said("It burns. Горит 🔥", 1)

    result = post_to_channel(channel, raw)

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
    post_to_channel: Post, desk: Desk, channel: str
) -> None:
    raw = manners(channel).said("It burns.", 1)

    first, before = post_to_channel(channel, raw).json, post_to_channel(channel, raw).json
    desk.run_due()
    after = post_to_channel(channel, raw).json
    desk.run_due()

    assert before == after == first | {"repeat": True}
    assert len(stored(desk)) == 1
    assert desk.bodies(desk.ticket()) == ["It burns."]


@each_channel
def test_what_one_person_writes_stays_in_order(post_to_channel: Post, desk: Desk, channel: str) -> None:
    for number in (1, 2, 3):
        post_to_channel(channel, manners(channel).said(f"Part {number}.", number))

    keys = {task["key"] for task in desk.tasks("ready", kind="ingest_event")}
    desk.run_due()

    assert len(keys) == 1
    assert None not in keys
    assert not any(address in key for key in keys for address in ("ada@example.test",))
    assert [text for ticket in desk.tickets() for text in desk.bodies(ticket)] == [
        "Part 1.",
        "Part 2.",
        "Part 3.",
    ]


@each_channel
def test_a_wrong_secret_is_refused_with_the_same_words_as_none(post_to_channel: Post, desk: Desk, channel: str) -> None:
    raws = [manners(channel).said("Let me in.", 1), manners(channel).unknown(), b"nonsense"]

    refused = [
        post_to_channel(channel, raw, secret=secret)
        for raw in raws
        for secret in ("wrong", RIGHT + "x", RIGHT[:-1], RIGHT.upper(), "", None)
    ]

    assert {result.status_code for result in refused} == {401}
    assert len({result.json["detail"] for result in refused}) == 1
    assert stored(desk) == []


@each_channel
def test_an_event_that_the_desk_has_no_use_for_is_kept_and_shown_with_the_reason(
    post_to_channel: Post, desk: Desk, channel: str
) -> None:
    raw = manners(channel).unknown()

    result = post_to_channel(channel, raw)
    desk.run_due()

    assert result.status_code == 200, result.text
    [event] = stored(desk)
    assert (event["status"], bytes(event["raw"])) == (manners(channel).UNKNOWN_IS, raw)
    assert event["reason"]
    assert at_rest(desk)


@each_channel
def test_what_is_none_of_the_providers_is_answered_well_kept_and_can_be_replayed(
    post_to_channel: Post, desk: Desk, channel: str
) -> None:
    raws = manners(channel).malformed()
    assert len(raws) >= 4

    results = [post_to_channel(channel, raw) for raw in raws]
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
    b"\r\n",
    b"\r\n\r\n",
    b"--",
    b'"',
    b"\x00",
    b"=?utf-8?q?=00?=",
    b"\xff",
    b"{",
    b"}",
    b"[",
    b"null",
    b"1e999",
    b"-1",
    b"\xed\xa0\x80",
    b"\\ud800",
    b"\\u0000",
    b"99999999999999999999",
    b'""',
    b"true",
    b"<",
    b"(",
    b":",
    b",",
]


@sqlite_only
@each_channel
def test_every_recording_whole_or_damaged_is_taken_and_comes_to_an_end(
    post_to_channel: Post, desk: Desk, channel: str
) -> None:
    chance = random.Random(2026)
    recordings = [path for path in sorted((folder_of(channel) / "fixtures").rglob("*")) if path.is_file()]
    whole = [path.read_bytes() for path in recordings] + [manners(channel).said("It burns.", 1)]
    rounds = max(2, 100 // len(whole))

    bodies = [*whole, *(damaged(raw, chance) for raw in whole for _ in range(rounds))]
    answers = {post_to_channel(channel, body).status_code for body in bodies}
    for task in desk.tasks("ready", kind="ingest_event"):
        runner.run_task(task["id"])

    assert answers == {200}
    assert desk.tasks("ready", "leased", "dead", kind="ingest_event") == []
    ended = stored(desk)
    assert {event["status"] for event in ended} <= {"processed", "ignored", "failed"}
    assert [event["reason"] for event in ended if "a bug of ours" in (event["reason"] or "")] == []
    assert all(event["reason"] for event in ended if event["status"] != "processed")
