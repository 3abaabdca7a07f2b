"""What the rules make of an event, of the fixtures and of what strangers send."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.kernel import limits
from models.ports.inbound import Ignored, InboundMessage, IngressRequest, Unparseable
from queues.channels.webhook import ids, ingress
from queues.channels.webhook.parse import parse
from tests.queues.channels.webhook.conftest import account_of, fixture


def said(raw: bytes, service: str = "chat", form: str = "json", **changes: Any) -> InboundMessage:
    found = parse(raw, {"form": form}, account_of(service, **changes))
    assert isinstance(found, InboundMessage)
    return found


def chat(**changes: Any) -> bytes:
    return json.dumps(json.loads(fixture("chat/said.json")) | changes).encode()


def test_a_chats_message_is_read_whole() -> None:
    message = said(fixture("chat/said.json"))

    assert (message.author_address, message.author_name) == ("chatterbox:42", "Ada Lovelace")
    assert message.conversation_address == message.contact_address == "chatterbox:room-7"
    assert message.body == "The printer is on fire.\n\nPlease hurry & help."
    assert message.external_id is not None
    assert (ids.unscoped(message.external_id), message.references, message.verdict) == ("m-1", (), "pass")
    assert (message.locale, message.edit) == ("en-GB", False)
    assert message.sent_at == datetime(2026, 9, 24, 10, 0, tzinfo=UTC)
    [file] = message.attachments
    assert (file.filename, file.content_type, file.size_bytes) == ("fire.png", "image/png", 2048)
    assert file.provider_id == "https://files.chatterbox.example.com/f/1"


def test_an_edit_names_the_message_that_it_changes() -> None:
    message = said(fixture("chat/changed.json"))

    assert (message.edit, message.body) == (True, "The plotter is on fire.")
    assert message.external_id == said(fixture("chat/said.json")).external_id


def test_an_alert_of_several_is_read_from_its_own_part() -> None:
    account = account_of("alerts")
    received = ingress.receive(IngressRequest({}, fixture("alerts/two_alerts.json"), "application/json"), account)

    firing, over = (parse(event.raw or b"", event.key.envelope, account) for event in received.events)

    assert isinstance(firing, InboundMessage)
    assert (firing.subject, firing.author_name) == ("DiskFull on db-1", "Lookout on db-1")
    assert firing.body == "The disk of db-1 is 97.5 % full.\n\nhttps://wiki.example.com/disk"
    assert firing.details == {"fields": {"severity": "high", "value": 97.5}}
    assert over == Ignored("the alert is over or silenced")


def test_a_form_is_read_with_its_file() -> None:
    message = said(fixture("forms/submission.txt"), "forms", "form")

    assert (message.author_address, message.author_name) == ("formwright:ada@example.com", "Ada Lovelace")
    assert (message.subject, message.body) == ("Contact: Printers", "Why does it burn?\nSince noon.")
    assert message.details["fields"]["topics"] == ["Printers", "Fire"]
    assert (message.verdict, message.conversation_address) == ("none", None)
    assert message.sent_at == datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    assert [(file.filename, file.content) for file in message.attachments] == [("note.txt", b"It burns.")]


def test_a_form_without_its_file_has_none() -> None:
    raw = b"&".join(p for p in fixture("forms/submission.txt").split(b"&") if not p.startswith(b"file_"))

    message = said(raw, "forms", "form")

    assert (message.attachments, "left_out" in message.details) == ((), False)


def test_an_event_that_no_rule_matches_is_reported_and_not_dropped() -> None:
    with pytest.raises(Unparseable, match="no rule of the account matches it"):
        parse(b'{"kind": "danced"}', {}, account_of("chat"))

    assert isinstance(parse(b'{"kind": "danced"}', {}, account_of("chat", unmatched="ignored")), Ignored)


def test_an_event_that_is_ignored_says_why() -> None:
    assert parse(b'{"kind": "typing"}', {}, account_of("chat")) == Ignored("somebody is typing")


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"from": {"robot": False}}, "rule 2: author.address"),
        ({"message": {"id": "m", "files": []}}, "rule 2: text"),
    ],
)
def test_what_is_missing_is_named(changes: dict[str, Any], place: str) -> None:
    with pytest.raises(Unparseable, match=place):
        parse(chat(**changes), {}, account_of("chat"))


def test_true_is_no_number_and_no_text() -> None:
    """`equals: false` must not match 0 or "false"."""
    for robot in (0, "false", None):
        with pytest.raises(Unparseable):
            parse(chat(**{"from": {"id": 1, "robot": robot}}), {}, account_of("chat"))


def test_two_services_with_a_user_of_the_same_name_are_two_people() -> None:
    one = said(chat())
    other = said(chat(), account="babble")

    assert one.author_address != other.author_address


def test_a_message_is_identified_by_its_place_and_an_answer_refers_to_it() -> None:
    first = said(chat(message={"id": "1", "text": "a"}))
    answer = said(chat(message={"id": "2", "text": "b", "answers": "1"}))
    elsewhere = said(chat(message={"id": "1", "text": "a"}, room={"id": "room-8"}))

    assert answer.references == (first.external_id,)
    assert elsewhere.external_id != first.external_id


def test_without_a_thread_a_message_is_identified_by_its_author() -> None:
    rule: dict[str, Any] = {
        "author": {"address": "$.by"},
        "text": "x",
        "message_id": "$.id",
        "references": ["$.to"],
    }

    def found(by: str, **event: str) -> InboundMessage:
        return said(json.dumps({"by": by, **event}).encode(), events=[rule])

    assert found("ada", id="1").external_id != found("bob", id="1").external_id
    assert found("ada", id="2", to="1").references == (found("ada", id="1").external_id,)


def test_long_ids_and_rooms_that_begin_alike_are_not_one() -> None:
    one, other = (said(chat(message={"id": "x" * 500 + end, "text": "a"})) for end in "ab")
    here, there = (said(chat(room={"id": "x" * 500 + end})) for end in "ab")

    assert one.external_id != other.external_id
    assert here.conversation_address != there.conversation_address
    assert len(one.external_id or "") < 220


@pytest.mark.parametrize(
    "url",
    [
        "https://x.example.com/\x00",
        "https://x.example.com/\ud800",
        "javascript:alert(1)",
        "https://a:b@x.example.com/",
        "https://[x/",
        "https://x.example.com/" + "a" * 2_000,
    ],
)
def test_a_url_that_cannot_be_called_is_reported_as_left_out(url: str) -> None:
    message = said(chat(message={"id": "m", "text": "a", "files": [{"href": url, "name": "f"}]}))

    assert message.attachments == ()
    assert message.details["left_out"][0].startswith("f: expected ")


def test_fields_hold_only_what_json_and_utf_8_have() -> None:
    rule: dict[str, Any] = {"author": {"address": "a"}, "text": "x", "fields": {"all": "$.all"}}
    raw = b'{"all": ["\\ud800", "a\\u0000b", NaN, -Infinity, 1e999, 1.5, {"\\udfff": [true, null]}]}'

    message = said(raw, events=[rule])

    assert message.details["fields"] == {
        "all": ["\ufffd", "a\ufffdb", "NaN", "-Infinity", "Infinity", 1.5, {"\ufffd": [True, None]}]
    }


def test_a_hostile_message_is_bounded_and_storable() -> None:
    message = said(
        chat(
            **{
                "from": {
                    "id": "x" * 10_000,
                    "shown": "A\u202eda\x00\n" * 1_000,
                    "robot": False,
                    "language": "../../etc",
                },
                "message": {
                    "id": "m\n1",
                    "text": "<div>" * 50_000 + "a\x00b",
                    "files": [{"href": "", "name": "a/b"}] * 500,
                },
                "at_ms": 10**30,
            }
        )
    )

    assert len(message.author_address) < 300
    assert len(message.author_name) <= limits.name_chars_max
    assert "\x00" not in message.body + message.author_name
    assert "\u202e" not in message.author_name
    assert ids.unscoped(message.external_id or "") == "m 1"
    assert (message.locale, message.sent_at) == (None, None)
    assert message.attachments == ()
    assert len(message.details["left_out"]) == 51


def test_files_that_are_no_base64_are_named_as_left_out() -> None:
    raw = fixture("forms/submission.txt").replace(b"SXQgYnVybnMu", b"%%%")

    assert said(raw, "forms", "form").details["left_out"] == ["note.txt: not base64"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["id", "kind", "from", "message", "text", "files", "href", "robot", "room"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(json_values)
def test_no_event_surprises_the_parser(value: Any) -> None:
    raw = json.dumps({"kind": "said", "from": {"id": 1, "robot": False}, "message": value}).encode()

    try:
        found = parse(raw, {}, account_of("chat"))
    except Unparseable:
        return
    assert isinstance(found, InboundMessage | Ignored)


@given(st.binary(max_size=300))
def test_no_bytes_surprise_the_parser(raw: bytes) -> None:
    for service, form in (("chat", "json"), ("forms", "form")):
        try:
            parse(raw, {"form": form}, account_of(service))
        except Unparseable:
            continue
