"""No body makes a provider's ingress or parser raise anything but what the port allows: bytes from strangers, mutated
recordings.
"""

from __future__ import annotations

import contextlib
import copy
import json
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.channels.accounts import ChannelAccount
from models.kernel.errors import UnsupportedMediaType
from models.ports.inbound import IngressRequest, Received, Unparseable
from queues.channels.email import ingress
from queues.channels.email.parse import parse
from queues.channels.email.providers import forms
from queues.channels.email.providers.documents import Unreadable
from queues.channels.email.providers.ses import sns
from tests.queues.channels import golden
from tests.queues.channels.email.providers import recorded
from tests.queues.channels.email.providers.recorded import NAMES, Fixture

KINDS = (
    "inbound",
    "attachment",
    "malformed",
    "unknown",
    "delivered",
    "bounced",
    "complained",
    "deferred",
    "confirmation",
)
RECORDINGS = recorded.fixtures(*KINDS)
DOCUMENTS = [one for one in RECORDINGS if one.path.suffix == ".json"]
CONTENT_TYPES = [
    *("application/json", "message/rfc822", "text/plain", ""),
    *("multipart/form-data; boundary=b", "application/x-www-form-urlencoded"),
]
ODD: list[Any] = [
    *(None, True, 0, -1, 10**400, 1.5, "", "x" * 3_000, "\ud800", "\x00", "a\r\nBcc: eve@example.test"),
    *([], {}, [None], [[]], {"a": {}}, ["x", 7], {"Name": 1}, [{"Name": []}]),
]
gone = object()  # the value is taken away


def account(provider: str) -> ChannelAccount:
    return ChannelAccount("email", provider, 1, recorded.config(provider))


def taken(provider: str, body: bytes, content_type: str) -> None:
    """What the function and the worker do with a request of a provider that has proved itself."""
    headers = {"svix-id": "msg_1"}
    try:
        received: Received = ingress.receive(IngressRequest(headers, body, content_type), account(provider))
    except UnsupportedMediaType:
        return
    for event in received.events:
        key = event.key
        assert 0 < len(key.event_key) <= 200
        assert key.event_key.isprintable()
        assert len(key.ordering_key or "") < 60
        json.dumps(key.envelope).encode()
        if key.unreadable is not None:
            assert key.unreadable
            continue
        with contextlib.suppress(Unparseable):
            golden.storable(parse(body if event.raw is None else event.raw, key.envelope, account(provider)))


@pytest.mark.parametrize("provider", NAMES)
@given(body=st.binary(max_size=300), content_type=st.sampled_from(CONTENT_TYPES))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_of_any_bytes_every_provider_makes_an_event(provider: str, body: bytes, content_type: str) -> None:
    signed = provider in (
        "mailgun",
        "ses",
    )  # what they cannot read has not proved itself, so it does not come so far
    if signed and not _is_document(body):
        return
    taken(provider, body, content_type)
    taken(provider, b'{"data": ' + json.dumps(body.decode("latin-1")).encode() + b"}", content_type)


def _is_document(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except ValueError:
        return False


@pytest.mark.parametrize("fixture", DOCUMENTS, ids=str)
def test_a_document_with_any_value_of_another_kind_is_read_or_told(fixture: Fixture) -> None:
    try:
        document = json.loads(fixture.request.body)
    except ValueError:
        return taken(fixture.provider, fixture.request.body, "application/json")
    inner = isinstance(document, dict) and _is_document(str(document.get("Message", "")).encode())
    for path in paths(document):
        for odd in (*ODD, gone):
            _play(fixture, changed(document, path, odd))
    if inner:
        told = json.loads(document["Message"])
        for path in paths(told):
            for odd in (*ODD[::3], gone):
                _play(fixture, document | {"Message": json.dumps(changed(told, path, odd))})
    return None


@pytest.mark.parametrize("fixture", RECORDINGS, ids=str)
def test_a_recording_with_bytes_lost_doubled_or_changed_is_read_or_told(fixture: Fixture) -> None:
    chance, request = random.Random(7), fixture.request

    for _ in range(60):
        body = bytearray(request.body)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(body) or 1)
            match chance.randrange(4):
                case 0:
                    del body[at : at + chance.randint(1, 200)]
                case 1:
                    body[at:at] = body[max(0, at - 100) : at]
                case 2:
                    body[at : at + 1] = bytes([chance.randrange(256)])
                case _:
                    body[at:at] = chance.choice([b"\r\n", b"--", b'"', b"\x00", b"%", b"=?", b"\xff", b"{"])
        if fixture.provider in ("mailgun", "ses") and not _readable(bytes(body), fixture):
            continue
        taken(fixture.provider, bytes(body), request.content_type)


def _readable(body: bytes, fixture: Fixture) -> bool:
    """Return True if a signature could have been found in it."""
    if fixture.path.suffix == ".json":
        return _is_document(body)
    try:
        forms.read(body)
    except Unreadable:
        return False
    return True


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd)[:20])
def test_of_any_sns_message_it_is_known_whether_it_is_plausible(odd: Any) -> None:
    document = json.loads(recorded.one("ses/inbound.json").request.body)

    for name in document:
        assert sns.plausible(changed(document, (name,), odd), account("ses")) in (False, True)


def _play(fixture: Fixture, document: Any) -> None:
    taken(fixture.provider, json.dumps(document).encode(), fixture.request.content_type)


def paths(document: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in the document."""
    inner = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    return [path for key, value in inner for path in [(*at, key), *paths(value, (*at, key))]]


def changed(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    changed = copy.deepcopy(document)
    place = changed
    for key in path[:-1]:
        place = place[key]
    if value is gone:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return changed
