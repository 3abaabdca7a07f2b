"""SendGrid's signature: ECDSA with SHA-256 over the timestamp and the exact body; the account has the public key."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from models.kernel import imports
from models.kernel.errors import ConfigurationError
from models.ports.inbound import IngressRequest
from queues.channels.email.providers import auth, limits

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

_LIBRARY = (  # loaded at first use, by one of the threads that serve requests
    "cryptography.hazmat.primitives.asymmetric.ec",
    "cryptography.hazmat.primitives.serialization",
)
_SIGNATURE = "x-twilio-email-event-webhook-signature"
_TIMESTAMP = "x-twilio-email-event-webhook-timestamp"


def verify(request: IngressRequest, public_key: str) -> None:
    """Check the signature. Raises Unauthenticated; ConfigurationError for a malformed key."""
    imports.load(*_LIBRARY)
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec, utils
    from cryptography.hazmat.primitives.hashes import SHA256

    timestamp = request.headers.get(_TIMESTAMP, "")
    digest = hashlib.sha256(timestamp.encode("utf-8", "replace"))
    digest.update(request.body)  # a body of 30 MB is not copied behind its timestamp
    given = auth.unbase64(request.headers.get(_SIGNATURE, ""))
    try:
        _key(public_key).verify(given, digest.digest(), ec.ECDSA(utils.Prehashed(SHA256())))
    except InvalidSignature as error:
        raise auth.refused() from error
    auth.check_fresh(timestamp, past_s=limits.sendgrid_s)


def _key(told: str) -> EllipticCurvePublicKey:
    """The public key as the settings page shows it: base64 of DER, with or without PEM's frame."""
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    digits = "".join(line for line in told.splitlines() if not line.startswith("-----"))
    try:
        found = load_der_public_key(base64.b64decode("".join(digits.split())))
    except ValueError as error:
        raise ConfigurationError("signing_key: expected SendGrid's public verification key") from error
    if not isinstance(found, EllipticCurvePublicKey):
        raise ConfigurationError("signing_key: expected an elliptic curve's public key, as SendGrid shows it")
    return found
