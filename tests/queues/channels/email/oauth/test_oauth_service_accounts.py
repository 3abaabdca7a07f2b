"""Google service accounts: an assertion signed by the account's key in place of a secret and a consent."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from models.channels.accounts import ChannelAccount
from models.kernel import clock
from models.kernel.errors import ConfigurationError
from queues.channels.email.oauth import tokens
from tests.desk import Desk
from tests.queues.channels import golden
from tests.queues.channels.email.oauth.authority import Authority
from tests.queues.channels.email.oauth.conftest import oauth

pytestmark = pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)
KEY = rsa.generate_private_key(65537, 2048)


def key_file(**changes: Any) -> str:
    pem = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    document = {
        "type": "service_account",
        "client_email": "desk@project.iam.gserviceaccount.example",
        "private_key_id": "key-1",
        "private_key": pem,
    }
    return json.dumps({**document, **changes})


@pytest.fixture
def account(server: Authority, monkeypatch: pytest.MonkeyPatch) -> ChannelAccount:
    server.public_key = KEY.public_key()
    monkeypatch.setenv("NESTOR_SECRET_TEST_KEY", key_file())
    key = oauth(
        server,
        grant="service_account",
        service_account={"secret": "test_key"},
        client_id=None,
        client_secret=None,
        refresh_token=None,
    )
    return dataclasses.replace(golden.EMAIL, config={**golden.EMAIL.config, "oauth": key})


def test_a_service_account_acts_for_the_mailbox(desk: Desk, server: Authority, account: ChannelAccount) -> None:
    token = tokens.access_token(account, desk.settings)

    [claims] = server.claims
    now = clock.now().timestamp()
    assert server.is_valid(token)
    assert (claims["iss"], claims["sub"], claims["scope"]) == (
        "desk@project.iam.gserviceaccount.example",
        "desk@example.test",
        "mail",
    )
    assert abs(claims["iat"] - now) < 60
    assert claims["exp"] - claims["iat"] == 3600


def test_each_renewal_signs_anew(desk: Desk, server: Authority, account: ChannelAccount) -> None:
    first = tokens.access_token(account, desk.settings)
    desk.advance(hours=2)
    second = tokens.access_token(account, desk.settings)

    assert first != second
    assert server.claims[1]["iat"] - server.claims[0]["iat"] >= 7200


def test_a_key_that_google_does_not_know_is_trouble_of_the_account(
    desk: Desk, server: Authority, account: ChannelAccount
) -> None:
    server.public_key = rsa.generate_private_key(65537, 2048).public_key()

    with pytest.raises(ConfigurationError, match=r"invalid_grant.*Invalid JWT Signature"):
        tokens.access_token(account, desk.settings)


@pytest.mark.parametrize(
    "value",
    ["", "[", "[]", "{}", key_file(private_key=""), key_file(private_key="not a key"), key_file(client_email=7)],
)
def test_a_faulty_key_file_is_reported_without_its_content(
    desk: Desk, server: Authority, account: ChannelAccount, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("NESTOR_SECRET_TEST_KEY", value)

    with pytest.raises(ConfigurationError, match="service_account: ") as refused:
        tokens.access_token(account, desk.settings)

    assert "PRIVATE KEY" not in refused.value.message
    assert server.requests == []
