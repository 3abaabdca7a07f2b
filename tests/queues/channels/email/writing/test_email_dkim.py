"""Our signatures are good to somebody else's verifier (dkimpy), and anything changed on the way is seen."""

from __future__ import annotations

import base64
import dataclasses
import time
from typing import Any

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from models.channels.accounts import ChannelAccount
from queues.channels.email.send import send
from queues.channels.email.writing.build import build
from queues.channels.email.writing.dkim import relaxed_body, signer_of
from scripts.sandbox.client import SandboxProcess
from tests.queues.channels import golden
from tests.queues.channels.email.messages import MESSAGE, file

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ED25519 = ed25519.Ed25519PrivateKey.generate()


def pem(key: Any) -> str:
    return str(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
    )


KEYS = {
    "rsa": pem(RSA),
    "ed25519": pem(ED25519),
    "ed25519 seed": base64.b64encode(ED25519.private_bytes_raw()).decode(),
}


def record(key: str) -> bytes:
    """What DNS would say of the public half (RFC 6376 3.6.1, RFC 8463 4)."""
    if key == "rsa":
        public = RSA.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)
    return b"v=DKIM1; k=ed25519; p=" + base64.b64encode(ED25519.public_key().public_bytes_raw())


def account(**dkim_config: Any) -> ChannelAccount:
    config = {"selector": "desk1", "domain": "example.test", "key": {"secret": "test_dkim"}, **dkim_config}
    return dataclasses.replace(golden.EMAIL, config={**golden.EMAIL.config, "dkim": config})


def signed(**changes: Any) -> bytes:
    signer = signer_of(account(), golden.settings())
    assert signer is not None
    return signer.sign(build(dataclasses.replace(MESSAGE, **changes), account()))


def verifies(mail: bytes, key: str) -> bool:
    asked: list[bytes] = []

    def dns(name: bytes, timeout: int = 5) -> bytes:
        asked.append(name)
        return record(key)

    good = bool(dkim.verify(mail, dnsfunc=dns))
    assert asked == [b"desk1._domainkey.example.test."]
    return good


MAILS: dict[str, dict[str, Any]] = {
    "text": {},
    "blanks": {"body": "a  b \t c   \n\n  d\n\n\n"},
    "empty": {"body": ""},
    "markdown": {"body": "**x** [y](https://z.test)", "body_format": "markdown"},
    "files": {
        "attachments": (file("счёт.pdf", b"\x00\xff" * 5000),),
        "copies": (("Bob", "bob@example.test"),),
    },
    "utf8": {"address": "адa@example.test"},
    "long thread": {"references": tuple(f"<{n}.{'x' * 90}@example.test>" for n in range(12))},
}


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("mail", MAILS)
def test_another_verifier_believes_our_signature(key: str, mail: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NESTOR_SECRET_TEST_DKIM", KEYS[key])

    assert verifies(signed(**MAILS[mail]), key)


@pytest.mark.parametrize("key", ["rsa", "ed25519"])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Subject: ", b"Subject: not "),
        (b"To: Ada", b"To: Eve"),
        (b"From: Nestor", b"From: eve@x.test\r\nFrom: Nestor"),
        (b"MIME-Version", b"Cc: eve@x.test\r\nMIME-Version"),
        (b"The fire", b"The ice"),
    ],
    ids=["subject", "recipient", "second sender", "added copy", "body"],
)
def test_what_is_changed_on_the_way_is_seen(key: str, old: bytes, new: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NESTOR_SECRET_TEST_DKIM", KEYS[key])
    mail = signed()

    changed = mail.replace(old, new, 1)

    assert changed != mail
    assert not verifies(changed, key)


def test_a_relay_may_fold_and_trim(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NESTOR_SECRET_TEST_DKIM", KEYS["rsa"])

    mail = signed().replace(b"To: Ada Lovelace", b"To:  Ada\r\n\tLovelace") + b"\r\n\r\n"

    assert verifies(b"Received: by relay.test\r\n" + mail, "rsa")


def test_the_relay_gets_a_signed_mail(sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NESTOR_SECRET_TEST_DKIM", KEYS["ed25519"])

    outcome = send(
        dataclasses.replace(MESSAGE, body=".\n..dots\n", attachments=(file("a.bin", b"." * 999),)),
        account(),
        golden.settings(),
    )

    (entry,) = sandbox.outbox("email")
    assert outcome.kind == "accepted"
    assert verifies(entry["raw"].encode("latin-1"), "ed25519")


@pytest.mark.parametrize(
    ("config", "key"),
    [
        ({}, "nonsense"),
        ({}, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"),
        ({}, pem(ec.generate_private_key(ec.SECP256R1()))),
        ({"selector": "a b"}, KEYS["rsa"]),
        ({"domain": "x;d=y.test"}, KEYS["rsa"]),
        ({"key": "inline"}, KEYS["rsa"]),
    ],
    ids=["no key", "broken", "another kind", "selector", "domain", "key in the file"],
)
def test_a_wrong_key_is_the_accounts_trouble_and_stays_secret(
    sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch, config: dict[str, Any], key: str
) -> None:
    monkeypatch.setenv("NESTOR_SECRET_TEST_DKIM", key)

    outcome = send(MESSAGE, account(**config), golden.settings())

    assert outcome.kind == "transient"
    assert outcome.account_error is not None
    assert key.strip().split("\n")[-1] not in outcome.detail
    assert sandbox.outbox("email") == []


@pytest.mark.parametrize("many", [b"\r\n" * 100_000, b" " * 1_000_000, b"\t\r\n" * 100_000])
def test_many_blanks_cost_one_pass(many: bytes) -> None:
    """Two minutes, in which the process renews no lease, where each blank was tried anew."""
    started = time.process_time()

    relaxed = relaxed_body(b"x" + many + b"y\r\n" + many)

    assert relaxed.startswith(b"x")
    assert relaxed.endswith(b"y\r\n")
    assert time.process_time() - started < 4.0


@pytest.mark.parametrize(
    ("body", "relaxed"),
    [
        (b"", b""),
        (b"\r\n \r\n", b""),
        (b"a", b"a\r\n"),
        (b" C \r\nD \t E\r\n\r\n\r\n", b" C\r\nD E\r\n"),  # RFC 6376 3.4.5
        (b"\r\n\r\na\r\n", b"\r\n\r\na\r\n"),
    ],
)
def test_a_body_is_relaxed_as_the_standard_says(body: bytes, relaxed: bytes) -> None:
    assert relaxed_body(body) == relaxed
