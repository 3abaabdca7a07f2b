"""Who is calling: access tokens and API keys."""

import base64
import dataclasses
import hmac
import json
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from models.events.commands import Actor
from models.identity import api_keys, commands, queries
from models.identity.api_keys import ApiKeyTaken
from models.identity.rules import Role
from models.identity.sign_in import token_keys, tokens
from models.identity.sign_in.tokens import SessionEnded, TokenExpired, authenticate
from models.kernel import clock, limits, secret_keys
from models.kernel.errors import ConfigurationError, Invalid, NotFound, Unauthenticated
from models.kernel.ids import new_id
from models.kernel.settings import Settings
from models.kernel.storage import database
from tests.models.identity.conftest import PASSWORD, MovableClock, People

ROOT = Actor("user", "root", "Root")


def claims_of(people: People, token: str) -> dict[str, Any]:
    public = token_keys.signing_pair(people.settings).public
    return jwt.decode(token, public, ["EdDSA"], issuer="nestor", audience=people.settings.public_url)


def signed_by_the_desk(people: People, claims: dict[str, Any]) -> str:
    pair = token_keys.signing_pair(people.settings)
    return jwt.encode(claims, pair.private, "EdDSA", headers={"kid": pair.published["kid"]})


def test_an_access_token_says_who_and_until_when_and_no_role(people: People) -> None:
    user = people.user()

    claims = claims_of(people, people.sign_in().access_token)

    assert claims.keys() == {"iss", "aud", "typ", "sub", "sid", "iat", "exp"}
    assert (claims["iss"], claims["typ"], claims["sub"]) == ("nestor", "access", str(user.id))
    assert claims["exp"] - claims["iat"] == limits.access_token_s


def test_a_principal_knows_its_permissions_its_actor_and_its_key(people: People) -> None:
    user = people.user(role="accountant")

    principal = authenticate(people.sign_in().access_token, people.settings)

    assert principal.permissions == {"paid_tasks_read", "ledger_read", "ledger_manage"}
    assert principal.actor == Actor("user", str(user.id), "Ada")
    assert principal.key == f"user:{user.id}"


def test_an_expired_access_token_is_told_to_be_refreshed(people: People, moving_clock: MovableClock) -> None:
    people.user()
    pair = people.sign_in()
    moving_clock.advance(seconds=limits.access_token_s + 1)

    with pytest.raises(TokenExpired) as caught:
        authenticate(pair.access_token, people.settings)

    assert (caught.value.code, caught.value.http_status) == ("token_expired", 401)


@pytest.mark.parametrize(
    "change",
    [
        {"typ": "refresh"},
        {"iss": "other"},
        {"aud": "https://another-desk.test"},
        {"aud": None},
        {"sid": 7},
        {"sub": "x"},
        {"exp": None},
        {"exp": float("inf")},
        {"exp": float("nan")},
        {"exp": "Infinity"},
        {"exp": "99999999999"},
        {"exp": True},
        {"exp": [99999999999]},
    ],
)
def test_a_token_with_other_claims_is_refused(people: People, change: dict[str, Any]) -> None:
    people.user()
    claims = {**claims_of(people, people.sign_in().access_token), **change}
    signed = signed_by_the_desk(people, claims)

    with pytest.raises(Unauthenticated, match="not an access token"):
        authenticate(signed, people.settings)


def hmac_signed(claims: dict[str, Any], header: dict[str, Any], key: bytes) -> str:
    """A token with any header, which PyJWT would refuse to make."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims)]
    signature = hmac.new(key, b".".join(parts), "sha256").digest()
    return b".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()


def test_the_published_keys_verify_an_access_token_and_contain_no_secret(people: People) -> None:
    people.user()
    token = people.sign_in().access_token
    settings = rotated(people, people.settings.signing_key())

    keys = token_keys.published(settings)

    assert [sorted(key) for key in keys] == [["alg", "crv", "kid", "kty", "use", "x"]] * 2
    found = jwt.PyJWKSet.from_dict({"keys": keys})[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, found, ["EdDSA"], issuer="nestor", audience=people.settings.public_url)
    assert claims["typ"] == "access"
    assert people.settings.signing_key() not in json.dumps(keys)


def test_a_token_of_the_previous_release_is_valid_until_it_expires(people: People) -> None:
    user = people.user()
    claims = claims_of(people, people.sign_in().access_token)
    key = people.settings.signing_key()

    for headers in ({"kid": secret_keys.key_id(key)}, {}):
        assert authenticate(jwt.encode(claims, key, "HS256", headers=headers), people.settings).id == user.id


def test_a_token_signed_by_another_key_or_not_at_all_is_refused(people: People) -> None:
    people.user()
    claims = claims_of(people, people.sign_in().access_token)
    public = token_keys.published(people.settings)[0]

    for forged in (
        jwt.encode(claims, "some other key of more than thirty-two characters", "HS256"),
        jwt.encode(claims, "", "none"),
        jwt.encode(claims, people.settings.signing_key() * 2, "HS512"),
        jwt.encode(claims, Ed25519PrivateKey.generate(), "EdDSA", headers={"kid": public["kid"]}),
        jwt.encode(claims, Ed25519PrivateKey.generate(), "EdDSA"),
        # The public key as a secret: the algorithm must come with the key, never from the token alone.
        hmac_signed(claims, {"alg": "HS256", "kid": public["kid"]}, base64.urlsafe_b64decode(public["x"] + "=")),
        hmac_signed(claims, {"alg": "HS256"}, public["x"].encode()),
        hmac_signed(claims, {"alg": "EdDSA", "kid": public["kid"]}, people.settings.signing_key().encode()),
    ):
        with pytest.raises(Unauthenticated, match="not an access token"):
            authenticate(forged, people.settings)


def rotated(people: People, *accepted: str, key: str = "the next key of more than thirty-two characters") -> Settings:
    return dataclasses.replace(people.settings, secret_key=key, secret_keys_accepted=",".join(accepted))


def test_an_access_token_names_its_key_and_an_accepted_key_still_verifies(people: People) -> None:
    user = people.user()
    pair = people.sign_in()
    old = people.settings.signing_key()

    after = rotated(people, old)

    assert jwt.get_unverified_header(pair.access_token)["kid"] != old
    assert authenticate(pair.access_token, after).id == user.id
    fresh = commands.refresh(pair.refresh_token, settings=after)
    assert jwt.get_unverified_header(fresh.access_token)["kid"] == token_keys.published(after)[0]["kid"]
    assert authenticate(fresh.access_token, after).id == user.id
    with pytest.raises(Unauthenticated):
        authenticate(pair.access_token, rotated(people))
    with pytest.raises(Unauthenticated):
        authenticate(fresh.access_token, people.settings)


def test_a_process_accepts_the_next_key_before_it_signs_with_it(people: People) -> None:
    user = people.user()
    after = rotated(people, people.settings.signing_key())
    pair = commands.sign_in("ada@example.test", PASSWORD, client="192.0.2.1", settings=after)

    before = dataclasses.replace(people.settings, secret_keys_accepted=after.signing_key())

    assert authenticate(pair.access_token, before).id == user.id


def test_a_stolen_refresh_token_of_an_accepted_key_still_ends_the_session(
    people: People, moving_clock: MovableClock
) -> None:
    people.user()
    stolen = people.sign_in().refresh_token
    after = rotated(people, people.settings.signing_key())
    second = commands.refresh(stolen, settings=after)
    commands.refresh(second.refresh_token, settings=after)
    moving_clock.advance(seconds=limits.refresh_repeat_s + 1)

    with pytest.raises(SessionEnded, match="used before"):
        commands.refresh(stolen, settings=after)


@pytest.mark.parametrize("algorithm", ["HS256", "EdDSA"])
@pytest.mark.parametrize("kid", ["", "0" * 16, "../../etc/passwd", 7, ["x"]])
def test_a_token_that_names_another_key_is_refused(people: People, kid: Any, algorithm: str) -> None:
    people.user()
    claims = claims_of(people, people.sign_in().access_token)
    header = {"alg": algorithm, "typ": "JWT", "kid": kid}
    forged = hmac_signed(claims, header, people.settings.signing_key().encode())

    with pytest.raises(Unauthenticated, match="not an access token"):
        authenticate(forged, people.settings)


def test_a_token_of_one_user_with_the_session_of_another_is_refused(people: People) -> None:
    user = people.user()
    people.user("bob@example.test")
    session_id = authenticate(people.sign_in("bob@example.test").access_token, people.settings).session_id
    assert session_id is not None

    with pytest.raises(SessionEnded):
        authenticate(tokens.access_token(user.id, session_id, people.settings), people.settings)


@pytest.mark.parametrize("bearer", ["", "x", "a.b.c", "..", "nst_unknown", "ж", "\ud800", "\ud800..", "x" * 9000])
def test_nonsense_is_refused_with_a_sentence(people: People, bearer: str) -> None:
    with pytest.raises(Unauthenticated, match="bearer token is n"):
        authenticate(bearer, people.settings)


def test_without_a_signing_key_nothing_is_signed(people: People) -> None:
    people.user()

    with pytest.raises(ConfigurationError, match="SECRET_KEY"):
        commands.sign_in("ada@example.test", "a parrot named Kea", client="192.0.2.1", settings=Settings())


def test_either_kind_of_token_costs_one_statement(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    people.user()
    bearers = [
        people.sign_in().access_token,
        people.key("robot", "agent", None)[1],
    ]
    authenticate(bearers[1], people.settings)  # notes the use, which the next minute does not
    statements: list[str] = []
    real = database.execute

    def execute(statement: str, *parameters: Any, **named: Any) -> Any:
        statements.append(statement)
        return real(statement, *parameters, **named)

    monkeypatch.setattr(database, "execute", execute)

    for bearer in bearers:
        authenticate(bearer, people.settings)

    assert len(statements) == 2


def test_an_api_key_is_shown_once_and_kept_as_a_hash(people: People) -> None:
    record, key = people.key("robot", "manager", None)

    assert key.startswith("nst_")
    assert len(key) == len("nst_") + 43
    assert record.prefix == key[:12]
    assert (record.name, record.role, record.created_by) == ("robot", Role.manager, "Root")
    assert key not in str(database.run("SELECT * FROM api_keys"))
    assert queries.get_api_key(record.id) == record


def test_an_api_key_is_a_principal_of_its_own(people: People) -> None:
    record, key = people.key("robot", "manager", None)

    principal = authenticate(key, people.settings)

    assert (principal.kind, principal.id, principal.session_id) == ("api_key", record.id, None)
    assert principal.key == f"api_key:{record.id}"
    assert principal.actor == Actor("api_key", str(record.id), "robot")


def test_the_demo_key_is_as_given_and_can_be_made_once(people: People) -> None:
    record = api_keys.create_public("demo-key", "demo", owner_id=people.admin().id, actor=ROOT)

    assert record.prefix == "demo"
    assert authenticate("demo-key", people.settings).id == record.id
    with pytest.raises(ApiKeyTaken):
        api_keys.create_public("demo-key", "demo", owner_id=people.admin().id, actor=ROOT)


def test_a_revoked_key_is_refused_from_then_on(people: People) -> None:
    record, key = people.key("robot", "agent", None)

    revoked = api_keys.revoke(record.id, actor=ROOT)
    again = api_keys.revoke(record.id, actor=ROOT)

    assert revoked.revoked_at is not None
    assert again == revoked
    with pytest.raises(Unauthenticated, match="has been revoked"):
        authenticate(key, people.settings)
    told = people.history("api_key", record.id)
    assert [(event["event_type"], event["sequence"]) for event in told] == [
        ("api_key_created", 1),
        ("api_key_revoked", 2),
    ]


def test_an_expired_key_is_refused_and_says_since_when(people: People, moving_clock: MovableClock) -> None:
    expires_at = clock.now() + timedelta(days=1)
    _, key = people.key("robot", "agent", expires_at)
    authenticate(key, people.settings)

    moving_clock.advance(days=1, seconds=1)

    with pytest.raises(Unauthenticated, match=f"expired at {clock.rfc3339(expires_at)}"):
        authenticate(key, people.settings)


def test_a_key_needs_a_name_a_role_and_a_future(people: People) -> None:
    with pytest.raises(Invalid) as caught:
        people.key("", "king", clock.now())

    assert [problem.path for problem in caught.value.problems] == ["name", "role", "expires_at"]


def test_a_key_that_does_not_exist_is_not_found(people: People) -> None:
    with pytest.raises(NotFound):
        api_keys.revoke(new_id(), actor=ROOT)
    with pytest.raises(NotFound):
        queries.get_api_key(new_id())


def test_pages_of_keys_follow_each_other_newest_first(people: People) -> None:
    made = [people.key(f"robot {n}", "agent", None)[0] for n in range(3)]

    first = queries.page_of_api_keys(limit=2)
    second = queries.page_of_api_keys(limit=2, before=(first[-1].created_at, first[-1].id))

    assert [record.id for record in (*first, *second)] == [record.id for record in reversed(made)]
