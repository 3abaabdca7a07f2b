"""The key `oauth` of an account's file: a mistake is reported at its place."""

from __future__ import annotations

from typing import Any

import pytest

from models.channels.accounts import ChannelAccount
from models.kernel.errors import Invalid
from queues.channels.email.imap.mailbox import server_of
from queues.channels.email.writing.relay import relay_of
from scripts.defs.accounts import check_account
from tests.queues.channels import golden

SECRET = {"secret": "a_secret"}
MICROSOFT = {"service": "microsoft", "tenant": "firma.example", "client_id": "an-id", "client_secret": SECRET}
GOOGLE = {"service": "google", "client_id": "an-id", "client_secret": SECRET, "refresh_token": SECRET}
BASE: dict[str, Any] = {"channel": "email", "account": "desk", "address": "desk@firma.example", "provider": "imap"}


def problems(oauth: dict[str, Any], **keys: Any) -> list[str]:
    config = {key: value for key, value in {**BASE, "oauth": oauth, **keys}.items() if value is not None}
    try:
        check_account(config)
    except Invalid as error:
        return [one.path for one in error.problems]
    return []


@pytest.mark.parametrize(
    ("oauth", "keys", "found"),
    [
        (MICROSOFT, {}, []),
        ({**MICROSOFT, "grant": "client_credentials"}, {}, []),
        (GOOGLE, {}, []),
        ({**GOOGLE, "grant": "client_credentials", "refresh_token": None}, {}, [".oauth.grant"]),
        ({**MICROSOFT, "grant": "client_credentials", "refresh_token": SECRET}, {}, [".oauth.refresh_token"]),
        (
            {**MICROSOFT, "grant": "client_credentials", "client_secret": None},
            {},
            [".oauth.client_secret"],
        ),
        ({"service": "google", "grant": "service_account", "service_account": SECRET}, {}, []),
        ({"service": "google", "grant": "service_account"}, {}, [".oauth.service_account"]),
        ({**GOOGLE, "service_account": SECRET}, {}, [".oauth.service_account"]),
        ({**MICROSOFT, "client_id": None}, {}, [".oauth.client_id"]),
        (
            {**GOOGLE, "grant": "service_account", "service_account": SECRET},
            {},
            [".oauth.client_id", ".oauth.client_secret", ".oauth.refresh_token"],
        ),
        ({**MICROSOFT, "tenant": None}, {}, [".oauth.tenant"]),
        ({**GOOGLE, "tenant": "firma.example"}, {}, [".oauth.tenant"]),
        ({"client_id": "an-id"}, {"imap_url": SECRET, "smtp_url": SECRET}, [".oauth.token_url"]),
        (
            {"client_id": "an-id", "token_url": "https://login.firma.example/token"},
            {},
            [".imap_url", ".smtp_url"],
        ),
        (
            {"client_id": "an-id", "token_url": "https://login.firma.example/token"},
            {"imap_url": SECRET, "smtp_url": SECRET},
            [],
        ),
        ({**MICROSOFT, "token_url": "http://login.firma.example/token"}, {}, [".oauth.token_url"]),
        ({**MICROSOFT, "token_url": "http://127.0.0.1:9/token"}, {}, []),
        ({**MICROSOFT, "use_for": ["imap"]}, {}, [".smtp_url"]),
        ({**MICROSOFT, "use_for": ["imap"]}, {"smtp_url": SECRET}, []),
        (MICROSOFT, {"provider": "raw", "bearer": SECRET, "outbound": "resend", "api_key": SECRET}, [".oauth"]),
    ],
)
def test_a_mistake_in_the_key_is_reported_at_its_place(
    oauth: dict[str, Any], keys: dict[str, Any], found: list[str]
) -> None:
    assert problems({key: value for key, value in oauth.items() if value is not None}, **keys) == found


@pytest.mark.parametrize(
    ("oauth", "imap", "smtp"),
    [
        (MICROSOFT, ("outlook.office365.com", 993, True), ("smtp.office365.com", 587, False)),
        (GOOGLE, ("imap.gmail.com", 993, True), ("smtp.gmail.com", 587, False)),
    ],
)
def test_a_service_brings_its_mail_servers(
    oauth: dict[str, Any], imap: tuple[str, int, bool], smtp: tuple[str, int, bool]
) -> None:
    account = ChannelAccount("email", "desk", 1, {**BASE, "oauth": oauth})

    server, relay = server_of(account, golden.settings()), relay_of(account, golden.settings())

    assert (server.host, server.port, server.tls) == imap
    assert (relay.host, relay.port, relay.tls) == smtp
    for bearer in (server.bearer, relay.bearer):
        assert bearer is not None
        assert (bearer.user, bearer.mechanism) == ("desk@firma.example", "XOAUTH2")
