"""The first refresh token, by a person's consent: with a device code, or with the address of the browser."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from models.channels.accounts import ChannelAccount
from models.kernel.errors import ConfigurationError
from queues.channels.email.oauth import consent, services
from queues.channels.email.oauth.endpoint import Grant
from tests.queues.channels import golden
from tests.queues.channels.email.oauth.authority import Authority
from tests.queues.channels.email.oauth.conftest import oauth


def asking(server: Authority, **changes: Any) -> ChannelAccount:
    key = oauth(server, refresh_token=None, **changes)
    return dataclasses.replace(golden.EMAIL, config={**golden.EMAIL.config, "oauth": key})


def by_device(server: Authority, **changes: Any) -> tuple[Grant, list[str], list[float]]:
    """The grant, the printed lines, and the pauses between the questions."""
    lines: list[str] = []
    pauses: list[float] = []
    grant = consent.authorize(
        asking(server, device_url=f"{server.url}/devicecode", **changes),
        golden.settings(),
        lines.append,
        lambda prompt: pytest.fail(prompt),
        pause=pauses.append,
    )
    return grant, lines, pauses


def test_a_device_code_is_shown_and_confirmed(server: Authority) -> None:
    server.pending = ["authorization_pending", "slow_down", "authorization_pending"]

    grant, lines, pauses = by_device(server)

    assert grant.refresh_token in server.refresh
    assert lines == [
        "Open https://login.example.test/device in a browser, enter the code ABCD-EFGH, and sign in as"
        " desk@example.test."
    ]
    assert pauses == [5.0, 5.0, 10.0, 10.0]
    assert server.requests[0] == {"client_id": "client-id", "client_secret": "client-secret", "scope": "mail"}
    assert server.requests[1]["grant_type"] == "urn:ietf:params:oauth:grant-type:device_code"


@pytest.mark.parametrize(
    ("errors", "said"),
    [
        (["access_denied"], "the access was refused"),
        (["authorization_pending", "expired_token"], "the code has expired"),
        (["authorization_pending"] * 500, "the code has expired before anybody confirmed it"),
    ],
)
def test_a_device_code_that_nobody_confirms_ends_with_the_reason(
    server: Authority, errors: list[str], said: str
) -> None:
    server.pending = errors

    with pytest.raises(ConfigurationError, match=said):
        by_device(server)


def by_code(server: Authority, answer: Any, **changes: Any) -> Grant:
    """`answer` makes the pasted address from the parameters of the printed one."""
    lines: list[str] = []

    def ask(prompt: str) -> str:
        (address,) = (line for line in lines if line.startswith("https://login.example.test/authorize?"))
        pasted: str = answer(dict(parse_qsl(urlsplit(address).query)))
        return pasted

    account = asking(server, authorize_url="https://login.example.test/authorize", **changes)
    return consent.authorize(account, golden.settings(), lines.append, ask)


def test_the_address_of_the_browser_gives_the_code(server: Authority) -> None:
    asked: dict[str, str] = {}

    def answer(query: dict[str, str]) -> str:
        asked.update(query)
        return f"  {query['redirect_uri']}?state={query['state']}&code=the-code&scope=mail\n"

    grant = by_code(server, answer)

    (request,) = server.requests
    challenge = base64.urlsafe_b64encode(hashlib.sha256(request["code_verifier"].encode()).digest()).rstrip(b"=")
    assert grant.refresh_token in server.refresh
    assert asked["code_challenge"] == challenge.decode()
    assert (asked["login_hint"], asked["scope"]) == ("desk@example.test", "mail")
    assert request["redirect_uri"] == asked["redirect_uri"]


@pytest.mark.parametrize(
    ("tail", "said"),
    [
        ("state=another&code=the-code", "not the address of this consent"),
        ("code=the-code", "not the address of this consent"),
        ("state={state}&error=access_denied", "answered 'access_denied'"),
        ("state={state}", "the address has no code"),
        ("state={state}&code=a-wrong-code", "invalid_grant"),
    ],
)
def test_another_address_is_refused(server: Authority, tail: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        by_code(server, lambda query: f"http://localhost:8976/?{tail.format(**query)}")


def test_a_consent_without_a_refresh_token_is_refused(server: Authority) -> None:
    server.fails = (200, {"access_token": "only-this", "expires_in": 3600})

    with pytest.raises(ConfigurationError, match="gave no refresh token"):
        by_device(server)


def test_client_credentials_need_no_consent(server: Authority) -> None:
    with pytest.raises(ConfigurationError, match="client_credentials needs no consent"):
        by_device(server, grant="client_credentials")


def test_microsoft_uses_the_device_flow_and_google_the_browser_with_a_lasting_token() -> None:
    microsoft, google = services.microsoft("firma.example"), services.google()

    assert microsoft.device_url == "https://login.microsoftonline.com/firma.example/oauth2/v2.0/devicecode"
    assert "offline_access" in microsoft.scopes
    assert (google.device_url, google.consent_parameters["access_type"]) == ("", "offline")
