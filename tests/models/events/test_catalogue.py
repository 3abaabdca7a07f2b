"""The catalogue names what the desk records, so that everything can be subscribed to by its name."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from models.events import desk_payloads as desk
from models.events import payload
from models.events.catalogue import EVENT_TYPES, VERSION, description
from models.kernel.batch import as_json

_RECORDED = re.compile(r"\.record\(\s*\"([a-z_]+)\"")


def test_every_type_that_a_ticket_records_by_name_can_be_subscribed_to() -> None:
    """A new type needs a line in models/events/catalogue.py: what it means, and what its payload always holds."""
    recorded = {
        name for path in Path("models").rglob("*.py") for name in _RECORDED.findall(path.read_text(encoding="utf-8"))
    }

    assert len(recorded) > 20, "the test finds the calls"
    assert sorted(recorded - EVENT_TYPES.keys()) == []


def test_the_structs_promise_subscribers_what_was_published() -> None:
    """The descriptions and the properties that are always there are a public contract."""
    published = json.loads(Path(__file__).with_name("event_types.json").read_text(encoding="utf-8"))

    derived = {
        name: {"description": description(name), "properties": payload.properties(kind)}
        for name, kind in EVENT_TYPES.items()
    }

    assert derived == published
    assert {kind.version for kind in EVENT_TYPES.values()} == {VERSION}


SESSION = UUID("0193a1b2-0000-7000-8000-000000000001")
AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("event", "bytes_before"),
    [
        (
            desk.UserCreated(email="ada@example.test", name="Ada", role="agent", locale="en"),
            '{"email":"ada@example.test","name":"Ada","role":"agent","locale":"en"}',
        ),
        (
            desk.UserUpdated(changes={"name": {"from": "A", "to": "B"}}, password_changed=False, sessions_ended=2),
            '{"changes":{"name":{"from":"A","to":"B"}},"password_changed":false,"sessions_ended":2}',
        ),
        (desk.UserDeactivated(sessions_ended=1), '{"sessions_ended":1}'),
        (desk.SignedIn(session_id=SESSION, client="x"), f'{{"session_id":"{SESSION}","client":"x"}}'),
        (desk.SignedOut(session_id=SESSION, reason="expired"), f'{{"session_id":"{SESSION}","reason":"expired"}}'),
        (desk.SignInFailed(client="x"), '{"client":"x"}'),
        (
            desk.ApiKeyCreated(name="CI", role="machine", expires_at=AT),
            '{"name":"CI","role":"machine","expires_at":"2026-03-02T09:00:00+00:00"}',
        ),
        (
            desk.ApiKeyCreated(name="CI", role="machine", expires_at=None),
            '{"name":"CI","role":"machine","expires_at":null}',
        ),
        (desk.ApiKeyRevoked(), "{}"),
        (desk.WebhookCreated(event_types=["*"]), '{"event_types":["*"]}'),
        (desk.WebhookUpdated(changed=["url"]), '{"changed":["url"]}'),
        (desk.WebhookSwitchedOff(reason="410"), '{"reason":"410"}'),
        (desk.WebhookSwitchedOn(), "{}"),
        (desk.WebhookSecretRotated(), "{}"),
        (desk.WebhookDeleted(), "{}"),
        (desk.WebhookTested(), "{}"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, msgspec.Struct) else "",
)
def test_a_payload_is_written_byte_for_byte_as_before(event: payload.EventPayload, bytes_before: str) -> None:
    assert as_json(payload.as_mapping(event)) == bytes_before
