"""Where a provider's proof could be bent: a signature used for something else, a key being changed, a body being
touched.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from models.channels.accounts import ChannelAccount
from models.kernel import clock
from models.kernel.errors import ConfigurationError, Unauthenticated
from models.ports.inbound import IngressRequest
from queues.channels.email import ingress, providers
from tests.desk import Desk
from tests.queues.channels import golden
from tests.queues.channels.email.providers import recorded
from tests.queues.channels.email.providers.conftest import Post
from tests.queues.channels.email.providers.recorded import NAMES, RIGHT, Fixture, Request, manners

SIGNED = [
    one
    for one in recorded.fixtures("inbound")
    if manners(one.provider).SIGNS and one.provider not in ("mailgun", "ses")
]


def verify(fixture: Fixture, request: Request, monkeypatch: pytest.MonkeyPatch, **config: Any) -> None:
    """The request at the door of the provider's account."""
    for name, value in manners(fixture.provider).secrets().items():
        monkeypatch.setenv(f"NESTOR_SECRET_{name.upper()}", value)
    account = ChannelAccount("email", fixture.provider, 1, recorded.config(fixture.provider) | config)
    headers = {name.lower(): value for name, value in request.headers.items()}
    told = IngressRequest(headers, request.body, request.content_type)
    if not ingress.authenticate(headers, {}, account, golden.settings()):
        ingress.verify(told, account, golden.settings())


def signed(fixture: Fixture, secret: str = RIGHT) -> Request:
    return manners(fixture.provider).signed(fixture.request, secret=secret, at_s=int(clock.now().timestamp()))


@pytest.mark.parametrize("fixture", SIGNED, ids=str)
def test_a_body_that_was_touched_is_not_the_one_that_was_signed(
    fixture: Fixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = signed(fixture)
    verify(fixture, request, monkeypatch)

    for body in (request.body + b" ", request.body[:-1], request.body.replace(b"a", b"b"), b""):
        with pytest.raises(Unauthenticated, match="this webhook needs the channel account's secret"):
            verify(fixture, replace(request, body=body), monkeypatch)


@pytest.mark.parametrize("fixture", SIGNED, ids=str)
def test_headers_that_are_no_signature_are_refused_in_the_same_words(
    fixture: Fixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = signed(fixture)

    for value in (
        "",
        "x",
        "é" * 20,
        "t=,v1=",
        "v1,",
        ",".join(["v1"] * 10_000),
        "1" * 5_000,
        "-1",
        "1e9",
        "٣" * 10,
    ):
        for name in [one for one in request.headers if not one.startswith("X-Envelope")]:
            with pytest.raises(Unauthenticated, match="this webhook needs the channel account's secret"):
                verify(fixture, replace(request, headers=request.headers | {name: value}), monkeypatch)


def test_mailguns_token_is_good_for_one_event_and_its_exact_repeats(desk: Desk, post: Post) -> None:
    delivered, bounced = recorded.one("mailgun/delivered.json"), recorded.one("mailgun/bounced.json")
    caught: list[Request] = []

    def catch(request: Request) -> Request:
        caught.append(request)
        return request

    def bounced_under_its_signature(request: Request) -> Request:
        signature = json.loads(caught[0].body)["signature"]
        return replace(request, body=json.dumps(json.loads(request.body) | {"signature": signature}).encode())

    first = post(delivered, change=catch)
    repeat = post(delivered, change=lambda request: caught[0])
    forged = post(bounced, change=bounced_under_its_signature)

    assert (first.status_code, repeat.status_code, forged.status_code) == (200, 200, 401)
    assert repeat.json["repeat"] is True
    assert len(desk.rows("SELECT 1 FROM inbox")) == 1


def test_mailguns_window_is_a_quarter_of_an_hour_unless_the_account_says_more(desk: Desk, post: Post) -> None:
    mail = recorded.one("mailgun/inbound.http")

    assert post(mail, age_s=880).status_code == 200
    assert post(mail, age_s=920).status_code == 401
    assert post(mail, age_s=920, config={"replay_window_s": 32_400}).status_code == 200


def test_an_event_of_a_subaccount_passes_by_its_parents_signature(desk: Desk, post: Post) -> None:
    def of_a_subaccount(request: Request) -> Request:
        document = json.loads(request.body)
        signature = document["signature"]
        document["signature"] = signature | {
            "parent-signature": signature["signature"],
            "signature": "1" * 64,
        }
        return replace(request, body=json.dumps(document).encode())

    assert post(recorded.one("mailgun/delivered.json"), change=of_a_subaccount).status_code == 200


def test_svix_keys_can_be_changed_without_losing_an_event(monkeypatch: pytest.MonkeyPatch) -> None:
    fixture = recorded.one("resend/delivered.json")
    old, new = "the-old-key", "the-new-key"
    keys = " ".join("whsec_" + base64.b64encode(key.encode()).decode() for key in (old, new))
    config = {"signing_key": {"secret": "two_keys"}}
    monkeypatch.setenv("NESTOR_SECRET_TWO_KEYS", keys)

    for key in (old, new):
        verify(fixture, signed(fixture, key), monkeypatch, **config)
    with pytest.raises(Unauthenticated):
        verify(fixture, signed(fixture, "a-third-key"), monkeypatch, **config)


def test_our_own_signature_may_come_with_two_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    fixture = recorded.one("raw/inbound.eml")
    at = int(clock.now().timestamp())
    digests = [hmac.new(key, f"{at}.".encode() + fixture.request.body, hashlib.sha256) for key in (b"new", b"old")]
    header = f"t={at}," + ",".join(f"v1={digest.hexdigest()}" for digest in digests)
    monkeypatch.setenv("NESTOR_SECRET_RAW_KEY", "old")

    request = replace(fixture.request, headers={"X-Desk-Signature": header})
    config: dict[str, Any] = {"signing_key": {"secret": "raw_key"}, "bearer": None}

    verify(fixture, request, monkeypatch, **config)
    with pytest.raises(Unauthenticated):
        verify(fixture, replace(request, body=b"x"), monkeypatch, **config)


def test_a_token_beside_our_own_signature_is_asked_for_too(monkeypatch: pytest.MonkeyPatch) -> None:
    fixture = recorded.one("raw/inbound.eml")
    at = int(clock.now().timestamp())
    digest = hmac.new(b"a key", f"{at}.".encode() + fixture.request.body, hashlib.sha256).hexdigest()
    monkeypatch.setenv("NESTOR_SECRET_RAW_KEY", "a key")
    signature = {"X-Desk-Signature": f"t={at},v1={digest}"}
    both = {**signature, "Authorization": f"Bearer {RIGHT}"}

    verify(fixture, replace(fixture.request, headers=both), monkeypatch, signing_key={"secret": "raw_key"})
    with pytest.raises(Unauthenticated):
        verify(fixture, replace(fixture.request, headers=signature), monkeypatch, signing_key={"secret": "raw_key"})


def _public(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, encoding: Encoding) -> str:
    told = key.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)
    return told.decode() if encoding is Encoding.PEM else base64.b64encode(told).decode()


def test_sendgrids_key_may_stand_in_pems_frame_and_a_wrong_one_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fixture = recorded.one("sendgrid/delivered.json")
    request = signed(fixture)
    der = base64.b64decode(manners("sendgrid").secrets()["sendgrid_key"])
    pem = f"-----BEGIN PUBLIC KEY-----\n{base64.b64encode(der).decode()}\n-----END PUBLIC KEY-----\n"
    config = {"signing_key": {"secret": "a_key"}}
    monkeypatch.setenv("NESTOR_SECRET_A_KEY", pem)
    verify(fixture, request, monkeypatch, **config)

    for wrong in ("nonsense", _public(rsa.generate_private_key(65537, 2048), Encoding.DER)):
        monkeypatch.setenv("NESTOR_SECRET_A_KEY", wrong)
        with pytest.raises(ConfigurationError, match="signing_key"):
            verify(fixture, request, monkeypatch, **config)
    monkeypatch.setenv("NESTOR_SECRET_A_KEY", _public(ec.generate_private_key(ec.SECP256R1()), Encoding.PEM))
    with pytest.raises(Unauthenticated):
        verify(fixture, request, monkeypatch, **config)


def test_with_a_password_and_a_key_sendgrid_shows_both(monkeypatch: pytest.MonkeyPatch) -> None:
    fixture = recorded.one("sendgrid/inbound.http")
    config = {"basic": {"secret": "sendgrid_basic"}}
    monkeypatch.setenv("NESTOR_SECRET_SENDGRID_BASIC", "user:password")
    given = {"Authorization": "Basic " + base64.b64encode(b"user:password").decode()}
    request = signed(fixture)

    verify(fixture, replace(request, headers=request.headers | given), monkeypatch, **config)
    for headers in (request.headers, given):
        with pytest.raises(Unauthenticated):
            verify(fixture, replace(request, headers=headers), monkeypatch, **config)


# A description names its one proof.
WITHOUT_SECRET_ADDRESS = {"cloudflare", "mailgun", "resend", "described", *providers.with_description()}


@pytest.mark.parametrize("provider", [name for name in NAMES if name not in WITHOUT_SECRET_ADDRESS])
def test_a_secret_address_is_proof_where_a_provider_has_none(provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The function found the account by it (accounts.at_path); SES's topic is looked at all the same."""
    credentials = dict.fromkeys(("basic", "bearer", "signing_key"))
    account = ChannelAccount(
        "email", provider, 1, {"provider": provider, **credentials, "path_id": {"secret": "a_path"}}
    )

    passed = ingress.authenticate({}, {}, account, golden.settings())

    assert passed is (provider != "ses")
    bare = ChannelAccount("email", provider, 1, {"provider": provider, **credentials})
    with pytest.raises(Unauthenticated):
        _knock(bare)


def _knock(account: ChannelAccount) -> None:
    if not ingress.authenticate({}, {}, account, golden.settings()):
        ingress.verify(IngressRequest({}, b"{}"), account, golden.settings())
