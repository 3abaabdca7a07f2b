"""SendGrid signs with an elliptic curve's key; the account has the public half."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.queues.channels.email.providers.fake_api import Call
from tests.queues.channels.email.providers.outbound import RIGHT_KEY, Seen
from tests.queues.channels.email.providers.recorded import RIGHT, SENT_ID, Request

CONFIG: dict[str, Any] = {"signing_key": {"secret": "sendgrid_key"}}
SIGNS = True
OUTBOUND: dict[str, Any] = {"api_key": {"secret": "sendgrid_api_key"}}
REFERENCE = SENT_ID
PROVIDER_ID = "14c5d75ce93.dfd.64b469"
ACCEPTED = (202, b"", {"X-Message-Id": PROVIDER_ID})
REFUSED = (
    400,
    {
        "errors": [
            {
                "message": "Does not contain a valid address.",
                "field": "personalizations.0.to.0.email",
                "help": None,
            }
        ]
    },
)
REFUSED_SUPPRESSES = True
WRONG_KEY = (401, {"errors": [{"message": "The provided authorization grant is invalid", "field": None}]})
OF_THE_ACCOUNT = (
    (403, {"errors": [{"message": "The from address does not match a verified Sender Identity.", "field": "from"}]}),
    (400, {"errors": [{"message": "The from email is not valid.", "field": "from.email"}]}),
)


@cache
def _key(secret: str) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def secrets() -> Mapping[str, str]:
    public = _key(RIGHT).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return {"sendgrid_key": base64.b64encode(public).decode(), "sendgrid_api_key": RIGHT_KEY}


def signed(request: Request, *, secret: str, at_s: int) -> Request:
    signature = _key(secret).sign(str(at_s).encode() + request.body, ec.ECDSA(SHA256()))
    headers = {
        "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
        "X-Twilio-Email-Event-Webhook-Timestamp": str(at_s),
    }
    return replace(request, headers=headers)


def seen(call: Call) -> Seen:
    """What SendGrid is told of a mail."""
    assert call.path == "/v3/mail/send"
    told = call.document()
    [person] = told["personalizations"]
    assert person["custom_args"] == {"nestor_id": told["headers"]["Message-ID"]}
    return Seen(
        key=call.headers["authorization"].removeprefix("Bearer "),
        to=[one["email"] for one in person["to"]],
        subject=told["subject"],
        text=next(one["value"] for one in told["content"] if one["type"] == "text/plain"),
        message_id=told["headers"]["Message-ID"],
        headers=told["headers"],
    )
