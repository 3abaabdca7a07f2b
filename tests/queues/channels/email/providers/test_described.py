"""Providers that a description explains: receipts, forms, signatures, and mistakes in a description."""

from __future__ import annotations

import base64
import copy
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from models.channels.accounts import ChannelAccount
from models.kernel.errors import ConfigurationError, Invalid, Unauthenticated, UnsupportedMediaType
from models.ports.inbound import Ignored, IngressRequest, Receipts, ReceivedEvent, Unparseable
from queues.channels.email import ingress, providers
from queues.channels.email.providers.described import shipped
from queues.channels.email.providers.described.checks import problems
from queues.channels.email.providers.port import Mail
from queues.described import limits
from scripts.defs.accounts import check_account
from tests.queues.channels import golden
from tests.queues.channels.email.providers import recorded
from tests.queues.channels.email.providers.manners.described import DESCRIPTION
from tests.queues.channels.email.providers.recorded import RIGHT, SENT_ID

MAIL = "From: ada@example.test\r\nMessage-ID: <1@example.test>\r\nSubject: Printer\r\n\r\nIt burns.\r\n"
HMAC = {"kind": "hmac", "header": "X-Signature"}


def account(**description: Any) -> ChannelAccount:
    """An account with a description of its own."""
    whole = {"title": "Own", "auth": HMAC, "events": [{"mail": "$.mail"}], **description}
    config = {"provider": "described", "signing_key": {"secret": "own_key"}, "bearer": {"secret": "own_key"}}
    return ChannelAccount("email", "own", 1, {**config, "description": whole})


def received(own: ChannelAccount, document: Any, content_type: str = "application/json") -> tuple[ReceivedEvent, ...]:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return ingress.receive(IngressRequest({}, body, content_type, {}), own).events


def parsed(own: ChannelAccount, document: Any, content_type: str = "application/json") -> Any:
    """Return the message that the worker reads from the one event of a request."""
    [event] = received(own, document, content_type)
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return providers.parse(body if event.raw is None else event.raw, event.key.envelope, own)


@pytest.mark.parametrize("name", sorted(providers.with_description()))
def test_a_shipped_description_has_no_mistakes(name: str) -> None:
    assert list(problems(shipped.shipped(name), "")) == []


@pytest.mark.parametrize(
    ("file", "kind", "detail"),
    [
        ("receipt_delivered", "delivered", "250 2.0.0 OK"),
        ("receipt_deferred", "deferred", "451 4.7.1 Try again later"),
        ("receipt_failed", "failed", "550 5.1.1 no such mailbox"),
        ("receipt_bounced", "bounced", ""),
    ],
)
def test_postal_tells_what_became_of_a_mail(file: str, kind: str, detail: str) -> None:
    postal = ChannelAccount("email", "postal", 1, recorded.config("postal"))

    found = parsed(postal, recorded.one(f"postal/{file}.json").request.body)

    assert isinstance(found, Receipts)
    [receipt] = found.items
    assert (receipt.reference, receipt.kind, receipt.recipient) == (SENT_ID, kind, recorded.WHO)
    assert (receipt.detail, receipt.permanent) == (detail, False)


def test_postals_report_about_an_inbound_mail_is_ignored() -> None:
    postal = ChannelAccount("email", "postal", 1, recorded.config("postal"))
    told = json.loads(recorded.one("postal/receipt_failed.json").request.body)
    told["payload"]["message"]["direction"] = "incoming"

    assert isinstance(parsed(postal, told), Ignored)


def test_the_envelope_of_a_mail_is_kept() -> None:
    mailersend = ChannelAccount("email", "mailersend", 1, recorded.config("mailersend"))

    [event] = received(mailersend, recorded.one("mailersend/inbound.json").request.body)

    assert event.key.envelope == {"from": "ada@example.test", "to": "desk@example.test", "provider": "mailersend"}
    assert event.key.event_key.startswith("mid:<printer-1@example.test>")


def test_a_request_with_several_mails_is_several_events() -> None:
    own = account(items="$.mails[*]")

    events = received(own, {"mails": [{"mail": MAIL}, {"mail": MAIL.replace("<1@", "<2@")}, {"mail": ""}]})

    assert [event.key.unreadable for event in events] == [None, None, "the event has no mail at $.mail"]
    assert len({event.key.event_key for event in events}) == 3


def test_a_request_with_too_many_events_is_kept_as_one_that_cannot_be_read() -> None:
    own = account(items="$[*]")

    [event] = received(own, [{"mail": MAIL}] * (limits.items_max + 1))

    assert event.key.unreadable is not None
    assert f"at most {limits.items_max}" in event.key.unreadable


def test_an_empty_list_of_events_is_answered_well() -> None:
    assert received(account(items="$[*]"), []) == ()


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=b"])
def test_the_fields_of_a_form_are_read(kind: str) -> None:
    own = account(
        body="form",
        events=[{"fields": {"from": "$.sender", "subject": "$.subject", "text": "$['body-plain']"}}],
    )
    fields = {"sender": "Ada <ada@example.test>", "subject": "Drücker", "body-plain": "It burns."}
    multipart = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    )
    body = (urlencode(fields) if "urlencoded" in kind else f"{multipart}--b--\r\n").encode()

    found = parsed(own, body, kind)

    assert isinstance(found, Mail)
    assert "Subject: Drücker\r\n".encode() in found.raw
    assert b"From: Ada <ada@example.test>\r\n" in found.raw
    assert found.raw.endswith(b"It burns.")


def test_headers_of_a_description_come_before_the_single_fields() -> None:
    own = account(
        events=[
            {
                "fields": {
                    "from": "$.from",
                    "to": "$.rcpt[*].email",
                    "subject": "$.subject",
                    "text": "$.text",
                    "headers": {"each": "$.headers[*]", "name": "$[0]", "value": "$[1]"},
                }
            }
        ]
    )
    document = {
        "from": "ada@example.test",
        "rcpt": [{"email": "desk@example.test"}, {"email": "bob@example.test"}],
        "subject": "from the field",
        "text": "It burns.",
        "headers": [["Subject", "from the header"], ["In-Reply-To", "<7@example.test>\r\nBcc: eve@example.test"]],
    }

    found = parsed(own, document)

    assert isinstance(found, Mail)
    lines = found.raw.split(b"\r\n\r\n")[0].split(b"\r\n")
    assert b"Subject: from the header" in lines
    assert b"To: desk@example.test, bob@example.test" in lines
    assert b"In-Reply-To: <7@example.test> Bcc: eve@example.test" in lines
    assert not any(line.startswith((b"Bcc", b"Subject: from the field")) for line in lines)


def test_an_event_without_a_rule_fails_or_is_ignored_as_the_description_says() -> None:
    rules = [{"when": {"$.kind": "mail"}, "mail": "$.mail"}]

    with pytest.raises(Unparseable, match="no rule of the description matches"):
        parsed(account(events=rules), {"kind": "other"})
    assert isinstance(parsed(account(events=rules, unmatched="ignored"), {"kind": "other"}), Ignored)


@pytest.mark.parametrize("body", [b"", b"[", b"7", b'{"mail": 7}', b"\xff" * 50, b"[" * 5_000])
def test_a_body_that_cannot_be_read_is_kept_with_the_reason(body: bytes) -> None:
    [event] = received(account(), body)

    assert event.key.unreadable


def test_another_content_type_is_refused_with_the_expected_one() -> None:
    with pytest.raises(UnsupportedMediaType, match="this webhook takes application/json"):
        received(account(), b"{}", "text/plain")


def verify(
    own: ChannelAccount, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str], body: bytes, key: str
) -> None:
    monkeypatch.setenv("NESTOR_SECRET_OWN_KEY", key)
    request = IngressRequest(headers, body, "application/json", {})
    if not ingress.authenticate(headers, {}, own, golden.settings()):
        ingress.verify(request, own, golden.settings())


@pytest.mark.parametrize("form", ["pem", "base64"])
def test_an_rsa_signature_is_checked_by_the_public_key(monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    key = rsa.generate_private_key(65537, 2048)
    own = account(auth={"kind": "rsa", "header": "X-Signature", "encoding": "base64"})
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    public = pem if form == "pem" else base64.b64encode(der).decode()
    signature = base64.b64encode(key.sign(b"{}", padding.PKCS1v15(), SHA256())).decode()

    verify(own, monkeypatch, {"x-signature": signature}, b"{}", public)
    for headers, body in (({"x-signature": signature}, b"{} "), ({"x-signature": "?"}, b"{}"), ({}, b"{}")):
        with pytest.raises(Unauthenticated):
            verify(own, monkeypatch, headers, body, public)


def test_a_key_that_is_no_rsa_key_is_the_operators_to_correct(monkeypatch: pytest.MonkeyPatch) -> None:
    own = account(auth={"kind": "rsa", "header": "X-Signature", "encoding": "base64"})
    curve = ec.generate_private_key(ec.SECP256R1()).public_key()
    wrong = curve.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    for key in ("not a key", wrong):
        with pytest.raises(ConfigurationError, match=r"signing_key: expected .*public RSA key"):
            verify(own, monkeypatch, {"x-signature": "AA=="}, b"{}", key)


def test_a_token_of_a_header_of_the_providers_own_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    own = account(auth={"kind": "bearer", "header": "X-Token", "prefix": "key "})

    verify(own, monkeypatch, {"x-token": f"key {RIGHT}"}, b"{}", RIGHT)
    for headers in ({"x-token": "key wrong"}, {"authorization": f"Bearer {RIGHT}"}, {}):
        with pytest.raises(Unauthenticated):
            verify(own, monkeypatch, headers, b"{}", RIGHT)


def test_a_signature_of_the_time_alone_is_good_for_one_content(monkeypatch: pytest.MonkeyPatch) -> None:
    own = account(auth={**HMAC, "signed": "{timestamp}", "timestamp_header": "X-Time"})
    request = IngressRequest({"x-time": "1"}, json.dumps({"mail": MAIL}).encode(), "application/json", {})

    assert ingress.receive(request, own).nonce is not None
    assert ingress.receive(request, account()).nonce is None


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"events": []}, ".description.events"),
        ({"events": [{"when": {"kind": "mail"}, "mail": "$.mail"}]}, ".description.events[0].when.kind"),
        ({"events": [{"mail": "$.mail["}]}, ".description.events[0].mail"),
        ({"events": [{"mail": "$.a", "mail_base64": "$.b"}]}, ".description.events[0]"),
        ({"events": [{"when": {"$.a": 1}}]}, ".description.events[0]"),
        ({"events": [{"ignore": " "}]}, ".description.events[0].ignore"),
        ({"events": [{"ignore": "x", "envelope": {"to": "$.to"}}]}, ".description.events[0].envelope"),
        ({"events": [{"mail": "$.a", "envelope": {"from": "$$"}}]}, ".description.events[0].envelope.sender"),
        ({"events": [{"fields": {"from": "{{ nobody }}"}}]}, ".description.events[0].fields.sender"),
        (
            {"events": [{"fields": {"from": "$.a", "files": [{"each": "files", "base64": "$.b"}]}}]},
            ".description.events[0].fields.files[0].each",
        ),
        (
            {"events": [{"receipt": {"kind": "delivered", "reference": "$.["}}]},
            ".description.events[0].receipt.reference",
        ),
        ({"items": "mails"}, ".description.items"),
        ({"auth": {"kind": "hmac"}}, ".description.auth.header"),
        ({"auth": {**HMAC, "signed": "{secret}"}}, ".description.auth.signed"),
        ({"auth": {**HMAC, "signed": "{url}{form}"}}, ".description.auth.signed"),
        ({"auth": {**HMAC, "kind": "rsa", "key_format": "hex"}}, ".description.auth.key_format"),
        ({"auth": {"kind": "bearer", "algorithm": "sha1"}}, ".description.auth.algorithm"),
        ({"auth": {"kind": "telepathy"}}, ".description.auth.kind"),
        ({"title": None}, ".description.title"),
    ],
)
def test_a_mistake_in_a_description_is_reported_at_its_place(changes: dict[str, Any], place: str) -> None:
    description = {**copy.deepcopy(DESCRIPTION), **changes}
    config = {**recorded.config("described"), "description": description}
    if description["auth"].get("kind") == "bearer":
        config = {**config, "signing_key": None, "bearer": {"secret": "x"}}

    with pytest.raises(Invalid) as refused:
        check_account(config)

    assert refused.value.problems[0].path == place


@pytest.mark.parametrize(
    ("provider", "keys", "found"),
    [
        ("mailersend", {}, [".signing_key"]),
        ("sparkpost", {}, [".bearer"]),
        ("sparkpost", {"bearer": {"secret": "x"}, "signing_key": {"secret": "x"}}, [".signing_key"]),
        ("postal", {"signing_key": {"secret": "x"}, "basic": {"secret": "x"}}, [".basic"]),
        ("mandrill", {"signing_key": {"secret": "x"}}, []),
        ("mandrill", {"signing_key": {"secret": "x"}, "description": DESCRIPTION}, [".description"]),
        ("described", {}, [".description"]),
        ("described", {"description": DESCRIPTION}, [".signing_key"]),
    ],
)
def test_an_account_has_the_secret_of_its_description_and_no_other(
    provider: str, keys: dict[str, Any], found: list[str]
) -> None:
    base = {"channel": "email", "account": "desk", "address": "desk@example.test", "smtp_url": {"secret": "x"}}
    paths: list[str] = []
    try:
        check_account({**base, "provider": provider, **keys})
    except Invalid as error:
        paths = [one.path for one in error.problems]

    assert paths == found
