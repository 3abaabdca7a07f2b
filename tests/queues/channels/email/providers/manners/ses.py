"""SNS signs with an RSA key, whose certificate stands at Amazon's; the subscription's address has a
password as well.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from queues.channels.email.providers import sigv4
from queues.channels.email.providers.ses import signature
from tests.queues.channels.email.providers.fake_api import Answer, Call, FakeApi
from tests.queues.channels.email.providers.outbound import RIGHT_KEY, Seen, seen_in_mail
from tests.queues.channels.email.providers.recorded import FOLDERS, RIGHT, SENT_ID, Request

TOPIC = "arn:aws:sns:eu-west-1:123456789012:nestor-mail"
CONFIG: dict[str, Any] = {
    "topic_arns": [TOPIC],
    "basic": {"secret": "ses_basic"},
    "bucket": "nestor-mail",
    "region": "eu-west-1",
    "api_key": {"secret": "ses_api_key"},
}
SIGNS = True
OUTBOUND: dict[str, Any] = {}
REFERENCE = SENT_ID
PROVIDER_ID = "0102018f-3c1a-0001-eu"
ACCEPTED = (200, {"MessageId": PROVIDER_ID})
REFUSED = (400, {"__type": "BadRequestException", "message": "Illegal address"})
REFUSED_SUPPRESSES = False
WRONG_KEY = (403, {"message": "The security token included in the request is invalid."})
OF_THE_ACCOUNT = (
    (400, {"__type": "AccountSuspendedException", "message": "The account is suspended."}),
    (400, {"__type": "MailFromDomainNotVerifiedException", "message": "The MAIL FROM domain is not verified."}),
    (400, {"__type": "IncompleteSignature", "message": "The request signature is incomplete."}),
    (400, {"__type": "ExpiredTokenException", "message": "The security token is expired."}),
)
_SIGNED = ("Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")


def secrets() -> Mapping[str, str]:
    return {"ses_basic": f"sns:{RIGHT}", "ses_api_key": f"{RIGHT_KEY}:a-secret"}


@cache
def key() -> rsa.RSAPrivateKey:
    """Amazon's."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def certificate() -> bytes:
    """What stands at SigningCertURL."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key().public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + timedelta(days=30))
        .sign(key(), SHA256())
    )
    return built.public_bytes(Encoding.PEM)


def signed(request: Request, *, secret: str, at_s: int) -> Request:
    message = json.loads(request.body)
    message["Timestamp"] = datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    given = base64.b64encode(f"sns:{secret}".encode()).decode()
    return Request(json.dumps(sign(message)).encode(), "text/plain; charset=UTF-8", {"Authorization": f"Basic {given}"})


def sign(message: dict[str, Any]) -> dict[str, Any]:
    """The message with Amazon's signature."""
    names = [name for name in _SIGNED if name in message]
    if message["Type"] == "Notification":
        names = [name for name in names if name not in ("SubscribeURL", "Token")]
    else:
        names.remove("Subject")
    text = "".join(f"{name}\n{message[name]}\n" for name in names)
    algorithm = {"1": SHA1, "2": SHA256}[message["SignatureVersion"]]()
    digest = key().sign(text.encode(), PKCS1v15(), algorithm)
    return message | {"Signature": base64.b64encode(digest).decode()}


def serve(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """The certificate at Amazon's, and the mail in the bucket."""
    monkeypatch.setattr(signature, "fetched", lambda url: certificate())
    signature._certificates.clear()
    content = json.loads(json.loads((FOLDERS / "ses/fixtures/inbound.json").read_bytes())["Message"])["content"]
    api.at["/nestor-mail/" + sigv4.path_of("in/printer 1+ü")] = Answer(body=base64.b64decode(content))


def seen(call: Call) -> Seen:
    """What SES is told of a mail."""
    assert call.path == "/v2/email/outbound-emails"
    told = call.document()
    authorization = call.headers["authorization"]
    key_id = authorization.partition("Credential=")[2].partition("/")[0]
    assert "/eu-west-1/ses/aws4_request" in authorization
    return seen_in_mail(
        base64.b64decode(told["Content"]["Raw"]["Data"]), key=key_id, to=told["Destination"]["ToAddresses"]
    )
