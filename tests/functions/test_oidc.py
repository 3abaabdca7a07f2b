"""Sign in by an OpenID provider: a real one, and one that lies."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from functions.http import oidc_issuer
from models.credentials import oidc_provider
from models.kernel import clock, limits
from tests.desk import Desk
from tests.functions.callers import Caller, problem, sqlite_only
from tests.functions.openid_provider import (
    CLIENT_ID,
    LyingProvider,
    configure,
    consent,
    finish,
    lying_provider,
    new_ec_key,
    real_provider,
    start,
)
from tests.servers import Say

pytestmark = sqlite_only
ADMIN = {
    "sub": "idp-7",
    "email": "agent@example.test",
    "email_verified": True,
    "name": "Olga",
    "groups": ["it", "desk"],
}
STRANGER = {"sub": "idp-8", "email": "new@example.test", "email_verified": True, "name": "Nina New", "groups": ["desk"]}
UNVERIFIED = {"sub": "idp-9", "email": "admin@example.test", "email_verified": False, "groups": ["desk"]}
OUTSIDER = {"sub": "idp-10", "email": "admin@elsewhere.test", "email_verified": True, "groups": ["chess"]}


@pytest.fixture
def provider(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[LyingProvider]:
    with lying_provider() as found:
        configure(monkeypatch, found.issuer)
        yield found


def test_a_user_signs_in_at_a_real_provider(
    gateway: Any, stranger: Caller, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with real_provider(ADMIN, STRANGER, UNVERIFIED, OUTSIDER) as issuer:
        more = {"OIDC_ROLES": "it=manager, desk=agent", "OIDC_CREATE_USERS": "true", "OIDC_DOMAINS": "example.test"}
        configure(monkeypatch, issuer, **more)

        def sign_in(subject: Any) -> Any:
            begun = start(stranger)
            back = consent(begun["authorization_url"], subject["sub"])
            return stranger.post("/v1/auth/oidc/tokens", {"challenge": begun["challenge"], **back})

        linked, again, made, unverified, outsider = map(sign_in, (ADMIN, ADMIN, STRANGER, UNVERIFIED, OUTSIDER))
    desk.run_due()

    me = Caller(gateway, again.json["access_token"]).read("/v1/me")
    assert (linked.status_code, linked.headers["cache-control"]) == (201, "no-store")
    assert (me["name"], me["role"]) == ("Olga Agent", "manager")
    assert Caller(gateway, made.json["access_token"]).read("/v1/me")["name"] == "Nina New"
    problem(unverified, 401, "oidc_refused")
    problem(outsider, 401, "oidc_refused")
    assert [row["subject"] for row in desk.rows("SELECT subject FROM oidc_links ORDER BY subject")] == [
        "idp-7",
        "idp-8",
    ]
    assert "A sign-in was linked at Nestor demo desk" in [sent.message.subject for sent in desk.sent]


def test_a_response_counts_once(stranger: Caller, provider: LyingProvider) -> None:
    begun = start(stranger)
    body = {"challenge": begun["challenge"], **provider.authorize(begun["authorization_url"])}

    first = stranger.post("/v1/auth/oidc/tokens", body)
    replayed = stranger.post("/v1/auth/oidc/tokens", body)

    assert first.status_code == 201
    problem(replayed, 401, "challenge_ended")


def test_the_response_of_another_sign_in_is_refused(stranger: Caller, provider: LyingProvider) -> None:
    """An attacker who sends the own response to a victim would sign the victim in as the attacker."""
    attackers = start(stranger)
    foreign = provider.authorize(attackers["authorization_url"])
    calls = len(provider.server.got)

    refused = finish(stranger, provider, state=foreign["state"])
    with_attackers_challenge = stranger.post("/v1/auth/oidc/tokens", {"challenge": "nsc_unknown", **foreign})

    problem(refused, 401, "oidc_refused")
    problem(with_attackers_challenge, 401, "challenge_ended")
    assert len(provider.server.got) == calls, "a refused state costs no call of the provider"


def test_a_late_response_is_refused(stranger: Caller, provider: LyingProvider, desk: Desk) -> None:
    begun = start(stranger)
    desk.advance(seconds=limits.challenge_s + 1)

    late = stranger.post(
        "/v1/auth/oidc/tokens", {"challenge": begun["challenge"], **provider.authorize(begun["authorization_url"])}
    )

    problem(late, 401, "challenge_ended")


def in_s(seconds: float) -> int:
    return int((clock.now() + timedelta(seconds=seconds)).timestamp())


WRONG_CLAIMS: list[dict[str, Any]] = [
    {"nonce": "of another sign-in"},
    {"nonce": None},
    {"nonce": 7},
    {"aud": "another client"},
    {"aud": None},
    {"aud": ["another client"]},
    {"aud": [CLIENT_ID, "another client"]},
    {"aud": [CLIENT_ID, "another client"], "azp": "another client"},
    {"azp": "another client"},
    {"iss": "https://evil.test"},
    {"iss": None},
    {"exp": -120.0},
    {"exp": None},
    {"exp": "9999999999"},
    {"exp": True},
    {"exp": float("inf")},
    {"exp": float("nan")},
    {"iat": 3600.0},
    {"nbf": 3600.0},
    {"sub": None},
    {"sub": ""},
    {"sub": "x" * 256},
    {"sub": "a\x00b"},
]


@pytest.mark.parametrize("claims", WRONG_CLAIMS, ids=str)
def test_a_token_with_a_wrong_claim_is_refused(
    stranger: Caller, provider: LyingProvider, desk: Desk, claims: dict[str, Any]
) -> None:
    instants = {name: in_s(value) for name, value in claims.items() if value in (-120.0, 3600.0)}
    provider.claims |= claims | instants

    refused = finish(stranger, provider)

    problem(refused, 401, "oidc_refused")
    assert desk.rows("SELECT * FROM oidc_links") == []
    assert desk.rows("SELECT * FROM sessions") == []


def test_several_audiences_are_accepted_when_the_token_was_issued_to_the_desk(
    stranger: Caller, provider: LyingProvider
) -> None:
    provider.claims |= {"aud": ["another client", CLIENT_ID], "azp": CLIENT_ID}

    assert finish(stranger, provider).status_code == 201


def test_an_unsigned_token_is_refused(stranger: Caller, provider: LyingProvider) -> None:
    provider.algorithm, provider.signing_key = "none", None

    problem(finish(stranger, provider), 401, "oidc_refused")


def test_a_token_signed_with_the_public_key_as_a_secret_is_refused(stranger: Caller, provider: LyingProvider) -> None:
    """The old confusion of algorithms: the attacker knows the public key, and HS256 would take it as a secret."""
    provider.algorithm, provider.signing_key = "HS256", "the text of the public key, of more than 32 bytes"

    problem(finish(stranger, provider), 401, "oidc_refused")


def test_a_token_signed_with_another_key_is_refused(stranger: Caller, provider: LyingProvider) -> None:
    provider.algorithm, provider.signing_key = "ES256", new_ec_key()
    of_another_kind = finish(stranger, provider)
    provider.key_id = "unknown"
    of_unknown_id = finish(stranger, provider)

    problem(of_another_kind, 401, "oidc_refused")
    problem(of_unknown_id, 401, "oidc_refused")


@pytest.mark.parametrize("token", ["", "a.b.c", "x" * 40_000, "eyJhbGciOiJSUzI1NiJ9.e30.", "é.é.é"])
def test_what_is_no_token_is_refused(stranger: Caller, provider: LyingProvider, token: str) -> None:
    provider.token = token or " "

    problem(finish(stranger, provider), 401, "oidc_refused")


def test_a_rotated_key_works_at_once_and_the_withdrawn_one_no_longer(stranger: Caller, provider: LyingProvider) -> None:
    elapsed_s = [0.0]
    issuer = oidc_issuer.issuer_of(oidc_provider.configured())
    issuer.now = lambda: elapsed_s[0]
    withdrawn = provider.signing_key
    assert finish(stranger, provider).status_code == 201
    elapsed_s[0] += limits.oidc_keys_again_s + 1

    provider.keys = {"two": new_ec_key()}
    provider.key_id, provider.algorithm, provider.signing_key = "two", "ES256", provider.keys["two"]
    rotated = finish(stranger, provider)
    provider.key_id, provider.algorithm, provider.signing_key = "one", "RS256", withdrawn
    old = finish(stranger, provider)

    assert rotated.status_code == 201
    problem(old, 401, "oidc_refused")


def test_unknown_key_ids_do_not_make_the_desk_ask_again_and_again(stranger: Caller, provider: LyingProvider) -> None:
    finish(stranger, provider)
    provider.key_id = "unknown"

    for _ in range(5):
        problem(finish(stranger, provider), 401, "oidc_refused")

    assert len([got for got in provider.server.got if got.path == "/keys"]) == 1


def test_the_response_of_another_provider_is_refused(stranger: Caller, provider: LyingProvider) -> None:
    provider.metadata["authorization_response_iss_parameter_supported"] = True

    without = finish(stranger, provider)
    wrong = finish(stranger, provider, iss="https://evil.test")
    right = finish(stranger, provider, iss=provider.issuer)

    problem(without, 401, "oidc_refused")
    problem(wrong, 401, "oidc_refused")
    assert right.status_code == 201


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "https://evil.test"},
        {"token_endpoint": "http://evil.test/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": None},
    ],
)
def test_metadata_of_another_issuer_or_with_unsafe_addresses_is_refused(
    stranger: Caller, provider: LyingProvider, change: dict[str, Any]
) -> None:
    provider.metadata |= change

    problem(stranger.post("/v1/auth/oidc/authorizations"), 401, "oidc_refused")


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (Say(500), 503),
        (Say(429), 503),
        (Say(cut=True), 503),
        (Say(302, headers={"location": "http://127.0.0.1:1/"}), 401),
        (Say(200, body=b"["), 401),
        (Say(200, body=b"[" * 100_000), 401),
        (Say(200, body=b"[]"), 401),
        (Say(200, body=b" " * (limits.oidc_document_bytes_max + 1)), 401),
        (Say(400, body=b'{"error": "invalid_grant"}'), 401),
    ],
)
def test_a_provider_that_fails_is_an_error_of_its_own(
    stranger: Caller, provider: LyingProvider, answer: Say, status: int
) -> None:
    provider.server.answers.append(answer)

    problem(stranger.post("/v1/auth/oidc/authorizations"), status)


def test_a_provider_that_failed_is_left_alone_for_a_moment(stranger: Caller, provider: LyingProvider) -> None:
    """A provider that hangs must not occupy the threads of the desk."""
    provider.server.answers.append(Say(500))
    for _ in range(5):
        problem(stranger.post("/v1/auth/oidc/authorizations"), 503, "oidc_unavailable")

    assert len(provider.server.got) == 1


def test_the_desk_names_itself_as_the_provider_wants(
    stranger: Caller, provider: LyingProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    basic = finish(stranger, provider)
    provider.metadata["token_endpoint_auth_methods_supported"] = ["client_secret_post"]
    configure(monkeypatch, provider.issuer)
    by_post = finish(stranger, provider)

    exchanges = [got for got in provider.server.got if got.path == "/token"]
    assert basic.status_code == by_post.status_code == 201
    assert exchanges[0].headers["authorization"].startswith("Basic ")
    assert b"client_secret" not in exchanges[0].body
    assert "authorization" not in exchanges[1].headers
    assert b"client_secret=secret-of-the-desk" in exchanges[1].body


def test_without_a_provider_there_is_no_such_sign_in(stranger: Caller) -> None:
    problem(stranger.post("/v1/auth/oidc/authorizations"), 404, "oidc_not_configured")
    body = {"challenge": "nsc_x", "state": "x", "code": "x"}
    problem(stranger.post("/v1/auth/oidc/tokens", body), 404, "oidc_not_configured")


@pytest.mark.parametrize("issuer", ["http://id.example.test", "file:///etc", "id.example.test"])
def test_a_provider_without_tls_is_refused(stranger: Caller, monkeypatch: pytest.MonkeyPatch, issuer: str) -> None:
    configure(monkeypatch, issuer)

    assert stranger.post("/v1/auth/oidc/authorizations").status_code in (500, 503)


def test_the_database_knows_neither_state_nor_verifier(stranger: Caller, provider: LyingProvider, desk: Desk) -> None:
    begun = start(stranger)
    back = provider.authorize(begun["authorization_url"])

    stored = str(desk.rows("SELECT * FROM sign_in_challenges"))
    assert begun["challenge"] not in stored
    assert back["state"] not in stored
