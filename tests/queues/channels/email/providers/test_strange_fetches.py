"""What an event points to may be anything, and what a provider's API answers as well: told, never surprised, never
forgotten.
"""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest

from models.channels.accounts import ChannelAccount
from models.kernel.errors import NestorError, TransientFailure
from models.ports.inbound import Unparseable
from queues.channels.email import fetch
from queues.channels.email.parse import parse
from queues.channels.email.providers import limits
from queues.channels.email.providers.ses import signature
from tests.queues.channels import golden
from tests.queues.channels.email.providers import recorded
from tests.queues.channels.email.providers.fake_api import Answer, FakeApi
from tests.queues.channels.email.providers.recorded import Fixture, manners
from tests.queues.channels.email.providers.test_strange_bodies import ODD, changed, gone, paths

FETCHED = [
    recorded.one(name)
    for name in (
        "brevo/attachment.json",
        "resend/inbound.json",
        "resend/attachment_fields.json",
        "ses/inbound_bucket.json",
    )
]


def fetched(provider: str, document: Any, api: FakeApi) -> bytes | None:
    """What the worker gets for an event, as kept."""
    account = ChannelAccount("email", provider, 1, recorded.config(provider) | {"api_url": api.url})
    found = fetch.fetch(json.dumps(document).encode(), {"provider": provider}, account, golden.settings())
    assert found is None or isinstance(found, bytes)
    return found


@pytest.fixture
def served(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    for provider in ("brevo", "resend", "ses"):
        manners(provider).serve(api, monkeypatch)  # type: ignore[attr-defined]  # those that fetch have it
        for name, value in manners(provider).secrets().items():
            monkeypatch.setenv(f"NESTOR_SECRET_{name.upper()}", value)
    monkeypatch.setattr(signature, "verify", lambda message, account: None)
    return api


def event_of(fixture: Fixture) -> Any:
    document = json.loads(fixture.request.body)
    return document["items"][0] if fixture.provider == "brevo" else document


@pytest.mark.parametrize("fixture", FETCHED, ids=str)
def test_an_event_with_any_value_of_another_kind_is_fetched_or_told(served: FakeApi, fixture: Fixture) -> None:
    document = event_of(fixture)
    assert fetched(fixture.provider, document, served)

    for path in paths(document):
        for odd in (*ODD[::2], gone):
            with contextlib.suppress(NestorError):
                found = fetched(fixture.provider, changed(document, path, odd), served)
                assert found is None or b"\r\n" in found or found == recorded.PLAN


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"[" * 50_000,
        b"\xff",
        b'{"raw": 7}',
        b'{"raw": {"download_url": 7}, "headers": []}',
        b'{"data": [{"download_url": "ftp://x"}, 7], "from": 7}',
    ],
)
def test_an_answer_of_another_kind_still_makes_a_mail_or_says_why(served: FakeApi, body: bytes) -> None:
    for path in [one for one in served.at if one.startswith("/emails/")]:
        served.at[path] = Answer(body=body)

    with contextlib.suppress(Unparseable, TransientFailure):
        found = fetched("resend", event_of(FETCHED[2]), served)
        assert found is not None
        golden.storable(parse(found, {"provider": "resend", "from": "ada@example.test"}, golden.EMAIL))


@pytest.mark.parametrize("fixture", FETCHED, ids=str)
def test_a_provider_that_never_answers_is_asked_again(
    served: FakeApi, fixture: Fixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.kernel.limits.send_read_timeout_s", 0.3)
    for path in served.at:
        served.at[path] = Answer(hang=True)

    with pytest.raises(TransientFailure):
        fetched(fixture.provider, event_of(fixture), served)


@pytest.mark.parametrize("fixture", FETCHED, ids=str)
def test_a_mail_over_the_bound_is_not_read_to_its_end(
    served: FakeApi, fixture: Fixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "mail_bytes_max", 5)

    with pytest.raises(NestorError):
        fetched(fixture.provider, event_of(fixture), served)
