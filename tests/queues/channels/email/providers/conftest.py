"""A provider's API that plays along, and a webhook function to post recordings to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from falcon import testing

from models.definitions import store
from models.kernel import clock
from models.kernel.storage import database
from queues.channels.email import providers
from scripts.defs import accounts as accounts_of
from tests.desk import Desk
from tests.queues.channels.email.providers import fake_api, recorded
from tests.queues.channels.email.providers.fake_api import FakeApi
from tests.queues.channels.email.providers.recorded import RIGHT, Fixture, Request, manners

Post = Callable[..., testing.Result]


@pytest.fixture
def api() -> Iterator[FakeApi]:
    """The provider's API."""
    with fake_api.running() as running:
        yield running


@pytest.fixture
def post(desk: Desk, api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> Post:
    """Posts a recording as its provider does, now and with the right secret unless told otherwise; publishes the
    account first.

    `alter` changes the request before it is signed, `change` afterwards; `config` are further keys of the account's
    file.
    """
    from functions.http import runtime
    from functions.webhooks.app import create_app

    monkeypatch.setattr(runtime, "_state", runtime.State(adopted=True))
    client = testing.TestClient(create_app())

    def send(
        fixture: Fixture,
        *,
        secret: str = RIGHT,
        age_s: int = 0,
        alter: Callable[[Request], Request] | None = None,
        change: Callable[[Request], Request] | None = None,
        config: dict[str, Any] | None = None,
    ) -> testing.Result:
        publish(fixture.provider, api, monkeypatch, config or {})
        at_s = int(clock.now().timestamp()) - age_s
        request = fixture.request if alter is None else alter(fixture.request)
        request = manners(fixture.provider).signed(request, secret=secret, at_s=at_s)
        request = request if change is None else change(request)
        return client.simulate_post(
            f"/webhooks/email/{fixture.provider}",
            body=request.body,
            headers={"Content-Type": request.content_type, **request.headers},
            query_string=request.query,
        )

    return send


def publish(provider: str, api: FakeApi, monkeypatch: pytest.MonkeyPatch, config: dict[str, Any]) -> None:
    """The provider's account; its API is ours."""
    serve = getattr(manners(provider), "serve", None)
    if serve is not None:
        serve(api, monkeypatch)
    for name, value in manners(provider).secrets().items():
        monkeypatch.setenv(f"NESTOR_SECRET_{name.upper()}", value)
    keys = recorded.config(provider) | config
    calls = keys.get("bucket") or keys.get("outbound") or "api_url" in providers.declared(provider).inbound_uses
    body = {k: v for k, v in (keys | ({"api_url": api.url} if calls else {})).items() if v is not None}
    accounts_of.check_account(body)
    with database.transaction():
        store.publish("channel", f"email.{provider}", body, source="tests", by="tests")
    store.forget()
