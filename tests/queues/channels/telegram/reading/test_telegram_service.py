"""Service messages: which messages are nobody's, and which are a person's although their kind is unknown."""

from __future__ import annotations

import json
from typing import Any

import pytest

from models.ports.inbound import AddressMove, Ignored, InboundMessage
from queues.channels.telegram.parse import parse
from tests.queues.channels import golden

CHAT = 7


def read(**content: Any) -> Any:
    base = {"message_id": 5, "chat": {"id": CHAT, "type": "private"}, "from": {"id": 7, "is_bot": False}, "date": 1}
    return parse(json.dumps({"update_id": 1, "message": {**base, **content}}).encode(), {}, golden.TELEGRAM)


@pytest.mark.parametrize(
    "name",
    ["community_member_added", "sticker_pack_removed", "chat_theme_changed", "stage_started", "member_tag_updated"],
)
@pytest.mark.parametrize("value", [True, {}, {"user": {"id": 7}}, None], ids=str)
def test_an_unknown_kind_that_is_named_by_what_happened_is_ignored_with_its_name(name: str, value: Any) -> None:
    assert read(**{name: value}) == Ignored(f"service message: {name} (an unknown kind)")


@pytest.mark.parametrize("name", ["new_chat_theme", "left_chat_community", "delete_chat_background"])
def test_a_new_kind_of_a_known_family_is_ignored_with_its_name(name: str) -> None:
    found = read(**{name: {}})

    assert isinstance(found, Ignored)
    assert found.reason.startswith(f"service message: {name} (")


def test_several_unknown_kinds_are_all_named() -> None:
    found = read(stage_started={}, speaker_invited={})

    assert found == Ignored("service message: speaker_invited, stage_started (an unknown kind)")


@pytest.mark.parametrize(
    "content",
    [
        {"text": "Help", "seat_added": {}},
        {"caption": "Help", "seat_added": {}},
        {"photo": [{"file_id": "f", "file_unique_id": "u"}], "seat_added": {}},
        {"location": {"latitude": 1.5, "longitude": 2.5}, "seat_added": {}},
        {"hologram": {}},
        {"hologram": {}, "seat_added": {}},
        {"added": {}},
        {"set": {}},
        {},
    ],
    ids=lambda one: "+".join(one) or "nothing",
)
def test_a_persons_content_is_never_taken_for_a_service_message(content: dict[str, Any]) -> None:
    assert isinstance(read(**content), InboundMessage)


@pytest.mark.parametrize("name", ["migrate_to_chat_id", "migrate_from_chat_id"])
@pytest.mark.parametrize("value", [CHAT, "-100", None, {}, 2**80])
def test_a_migration_that_moves_nothing_is_ignored_with_its_kind(name: str, value: Any) -> None:
    found = read(**{name: value})

    assert isinstance(found, Ignored)
    assert found.reason.startswith(f"service message: {name} (")


def test_a_migration_moves_the_address() -> None:
    assert read(migrate_to_chat_id=-1009) == AddressMove("7", "-1009")


@pytest.mark.parametrize(
    ("value", "body"),
    [
        ({"data": '{"floor": 3}', "button_text": "Choose"}, '[web app data (Choose): {"floor": 3}]'),
        ({"data": "two\nlines"}, "[web app data: two\nlines]"),
        ({"data": ""}, "[web app data: empty]"),
        ({"data": 7, "button_text": ["x"]}, "[web app data: empty]"),
        ("no object", "[web app data: empty]"),
    ],
)
def test_the_data_of_a_web_app_is_a_message(value: Any, body: str) -> None:
    found = read(web_app_data=value)

    assert (found.body, found.details["kind"]) == (body, "web_app_data")
