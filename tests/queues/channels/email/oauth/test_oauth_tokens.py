"""Access tokens: kept until shortly before their end, shared by the processes of a desk, and renewed with the newest
refresh token.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from typing import Any

import pytest

from models.channels import accounts, oauth_tokens
from models.channels.accounts import ChannelAccount
from models.kernel import vault
from models.kernel.errors import ConfigurationError, TransientFailure
from models.kernel.storage import database, resealing
from queues.channels.email.oauth import limits, tokens
from tests.desk import Desk
from tests.queues.channels.email.oauth.authority import Authority
from tests.queues.channels.email.oauth.conftest import oauth

pytestmark = pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)


def using(desk: Desk, server: Authority, **changes: Any) -> ChannelAccount:
    with database.connection():
        found = accounts.find("email", "demo")
    return dataclasses.replace(found, config={**found.config, "oauth": oauth(server, **changes)})


def renewals(server: Authority) -> list[str | None]:
    """The refresh tokens of the token requests, in order."""
    return [one.get("refresh_token") for one in server.requests]


def of_another_process(desk: Desk, account: ChannelAccount) -> str:
    """The token as a process gets it that has kept nothing yet."""
    tokens.forget()
    return tokens.access_token(account, desk.settings)


def test_a_token_is_asked_for_once_and_shared_by_the_processes_of_the_desk(desk: Desk, server: Authority) -> None:
    account = using(desk, server)

    first = tokens.access_token(account, desk.settings)
    again = tokens.access_token(account, desk.settings)
    elsewhere = of_another_process(desk, account)

    assert first == again == elsewhere
    assert renewals(server) == ["first-refresh-token"]


def test_a_token_is_renewed_before_it_expires(desk: Desk, server: Authority) -> None:
    account = using(desk, server)
    first = tokens.access_token(account, desk.settings)

    desk.advance(seconds=3600 - limits.early_s - 10)
    still = tokens.access_token(account, desk.settings)
    desk.advance(seconds=20)
    renewed = tokens.access_token(account, desk.settings)

    assert still == first
    assert renewed != first
    assert len(server.requests) == 2


def test_a_token_of_a_short_life_is_used_for_most_of_it(desk: Desk, server: Authority) -> None:
    server.expires_in = "60"  # some servers write the number as text
    account = using(desk, server)
    first = tokens.access_token(account, desk.settings)

    desk.advance(seconds=40)
    still = tokens.access_token(account, desk.settings)
    desk.advance(seconds=10)

    assert still == first
    assert tokens.access_token(account, desk.settings) != first


def test_a_token_that_the_mail_server_refused_is_replaced_at_once_and_only_once(desk: Desk, server: Authority) -> None:
    account = using(desk, server)
    first = tokens.access_token(account, desk.settings)

    second = tokens.access_token(account, desk.settings, refused=first)
    tokens.forget()
    elsewhere = tokens.access_token(account, desk.settings, refused=first)

    assert second != first
    assert elsewhere == second
    assert len(server.requests) == 2


def test_a_replaced_refresh_token_is_kept_and_used_by_every_process(desk: Desk, server: Authority) -> None:
    server.rotates = True
    account = using(desk, server)
    tokens.access_token(account, desk.settings)

    desk.advance(hours=2)
    of_another_process(desk, account)
    desk.advance(hours=2)
    of_another_process(desk, account)

    used = renewals(server)
    assert used[0] == "first-refresh-token"
    assert len(set(used)) == 3
    assert server.refresh  # the newest one is still good


def test_the_database_holds_no_token_in_plain_text_and_a_new_key_reseals_them(desk: Desk, server: Authority) -> None:
    server.rotates = True
    account = using(desk, server)
    token = tokens.access_token(account, desk.settings)

    (row,) = desk.rows("SELECT access_token, refresh_token FROM channel_tokens")
    (access, refresh) = (one for one in resealing.counts() if one.column.startswith("channel_tokens."))

    assert vault.is_sealed(row["access_token"])
    assert vault.is_sealed(row["refresh_token"])
    assert token not in str(row)
    assert (access.current, refresh.current) == (1, 1)


def test_another_configured_refresh_token_takes_the_place_of_the_stored_one(
    desk: Desk, server: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.rotates = True
    account = using(desk, server)
    tokens.access_token(account, desk.settings)
    server.refresh.add("second-refresh-token")
    monkeypatch.setenv("NESTOR_SECRET_TEST_REFRESH", "second-refresh-token")

    tokens.access_token(account, desk.settings)

    assert renewals(server) == ["first-refresh-token", "second-refresh-token"]


def test_a_refused_refresh_token_is_trouble_of_the_account_and_says_what_to_do(desk: Desk, server: Authority) -> None:
    server.refresh.clear()
    account = using(desk, server)

    with pytest.raises(ConfigurationError) as refused:
        tokens.access_token(account, desk.settings)

    assert "invalid_grant: it refuses the refresh token" in refused.value.message
    assert "AADSTS70008" in refused.value.message
    assert "python -m scripts.channels authorize email.demo" in refused.value.message
    assert "desk@example.test" not in refused.value.message
    assert "first-refresh-token" not in refused.value.message


def test_a_refusal_is_not_asked_for_again_by_each_waiting_mail(desk: Desk, server: Authority) -> None:
    server.refresh.clear()
    account = using(desk, server)

    for _ in range(3):
        with pytest.raises(ConfigurationError, match="invalid_grant"):
            tokens.access_token(account, desk.settings)

    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        ((401, {"error": "invalid_client"}), ConfigurationError, "the client_secret is wrong or has expired"),
        ((400, {"error": "unauthorized_client"}), ConfigurationError, "may not use this grant"),
        ((400, {"error": "invalid_scope"}), ConfigurationError, "does not offer these scopes"),
        ((404, {}), ConfigurationError, "refuses the request: 404"),
        ((302, {}), ConfigurationError, "refuses the request: 302"),
        ((400, {"error": "odd", "error_description": "odd words"}), ConfigurationError, "odd words"),
        ((429, {"error": "invalid_grant_rate"}), TransientFailure, "answered 429"),
        ((503, {"error": "temporarily_unavailable"}), TransientFailure, "answered 503"),
        ((500, {}), TransientFailure, "answered 500"),
        ((200, {}), TransientFailure, "no usable access_token"),
        ((200, {"access_token": "a\x01b"}), TransientFailure, "no usable access_token"),
        ((200, {"access_token": ["a"]}), TransientFailure, "no usable access_token"),
    ],
)
def test_each_failure_of_the_authorization_server_is_said_plainly(
    desk: Desk, server: Authority, answer: tuple[int, dict[str, Any]], kind: type[Exception], said: str
) -> None:
    server.fails = answer
    account = using(desk, server)

    with pytest.raises(kind, match=said):
        tokens.access_token(account, desk.settings)


def test_an_authorization_server_that_is_away_is_a_passing_failure(desk: Desk, server: Authority) -> None:
    account = using(desk, server, token_url="http://127.0.0.1:1/token")

    with pytest.raises(TransientFailure, match="the authorization server cannot be reached"):
        tokens.access_token(account, desk.settings)


def test_a_token_that_has_not_expired_serves_while_the_authorization_server_is_away(
    desk: Desk, server: Authority
) -> None:
    account = using(desk, server)
    first = tokens.access_token(account, desk.settings)
    server.fails = (503, {})

    desk.advance(seconds=3600 - limits.early_s + 10)
    early = tokens.access_token(account, desk.settings)
    desk.advance(seconds=limits.early_s)

    assert early == first
    with pytest.raises(TransientFailure, match="answered 503"):
        tokens.access_token(account, desk.settings)


def test_client_credentials_need_no_refresh_token(desk: Desk, server: Authority) -> None:
    account = using(desk, server, grant="client_credentials", refresh_token=None)

    token = tokens.access_token(account, desk.settings)

    assert server.is_valid(token)
    assert server.requests == [
        {
            "grant_type": "client_credentials",
            "client_id": "client-id",
            "client_secret": "client-secret",
            "scope": "mail",
        }
    ]


def test_an_account_without_a_refresh_token_says_how_to_get_one(desk: Desk, server: Authority) -> None:
    account = using(desk, server, refresh_token=None)

    with pytest.raises(ConfigurationError, match="no refresh token yet; get another one by"):
        tokens.access_token(account, desk.settings)

    assert server.requests == []


def test_threads_of_a_process_renew_once(desk: Desk, server: Authority) -> None:
    account = using(desk, server)
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(tokens.access_token(account, desk.settings))) for _ in range(5)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert len(found) == 5
    assert len(set(found)) == 1
    assert len(server.requests) == 1


def test_a_process_waits_for_the_renewal_of_another_one(
    desk: Desk, server: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = using(desk, server)
    tokens.access_token(account, desk.settings)
    desk.advance(hours=2)
    tokens.forget()
    assert oauth_tokens.take_turn("email", "demo")
    looks: list[float] = []

    def other_process_ends(pause_s: float) -> None:
        looks.append(pause_s)
        oauth_tokens.end_turn("email", "demo")

    monkeypatch.setattr(time, "sleep", other_process_ends)
    token = tokens.access_token(account, desk.settings)

    assert server.is_valid(token)
    assert looks == [limits.look_s]
    assert len(server.requests) == 2


def test_tokens_that_could_not_be_stored_are_stored_by_the_next_call(
    desk: Desk, server: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.rotates = True
    account = using(desk, server)
    keep = oauth_tokens.keep

    def away(*args: Any) -> None:
        raise TransientFailure("the database is away")

    monkeypatch.setattr(oauth_tokens, "keep", away)
    token = tokens.access_token(account, desk.settings)
    stored_while_away = desk.rows("SELECT id FROM channel_tokens WHERE access_token IS NOT NULL")
    monkeypatch.setattr(oauth_tokens, "keep", keep)
    again = tokens.access_token(account, desk.settings)

    assert stored_while_away == []
    assert token == again == of_another_process(desk, account)
    assert len(server.requests) == 1
