"""Signatures that only mail providers use: RSA over the body, and a form with its names in order."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from models.kernel import imports
from models.kernel.errors import ConfigurationError, Unauthenticated
from queues.channels.email.providers import auth, forms
from queues.channels.email.providers.described.description import Auth
from queues.channels.email.providers.documents import Unreadable
from queues.described import signatures

# Loaded at first use, by one of the threads that serve requests.
_LIBRARY = (
    "cryptography.hazmat.primitives.asymmetric.rsa",
    "cryptography.hazmat.primitives.serialization",
)


def check_rsa(described: Auth, public_key: str, headers: Mapping[str, str], parts: Mapping[str, bytes]) -> None:
    """Check an RSA signature (RSASSA-PKCS1-v1_5) and its age.

    Raises Unauthenticated; ConfigurationError for a malformed key.
    """
    imports.load(*_LIBRARY)
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    digits = "".join(line for line in public_key.splitlines() if not line.startswith("-----"))
    try:
        key = load_der_public_key(base64.b64decode("".join(digits.split())))
    except ValueError as error:
        raise ConfigurationError("signing_key: expected the provider's public RSA key (PEM, or its base64)") from error
    if not isinstance(key, rsa.RSAPublicKey):
        raise ConfigurationError("signing_key: expected a public RSA key")
    offered = signatures.offered_by(described, headers)
    signed = b"".join(signatures.signed_bytes(described, offered.parts(parts)))
    # Postal signs by SHA-1 and the description says so; a new description says sha256.
    algorithms = {"sha1": hashes.SHA1(), "sha256": hashes.SHA256(), "sha512": hashes.SHA512()}  # noqa: S303
    for given in offered.signatures:
        try:
            key.verify(_bytes(described, given), signed, padding.PKCS1v15(), algorithms[described.algorithm])
        except InvalidSignature:
            continue
        if signatures.is_in_time(described, offered.timestamp):
            return
    raise Unauthenticated(signatures.REFUSED)


def _bytes(described: Auth, given: str) -> bytes:
    if described.encoding == "base64":
        return auth.unbase64(given)
    try:
        return bytes.fromhex(given)
    except ValueError:
        return b""


def sorted_form(body: bytes) -> bytes:
    """Return the names and values of a form, in the order of the names, without separators. Raises Unauthenticated for
    a body that is no form.
    """
    try:
        form = forms.read(body)
    except Unreadable as error:
        raise Unauthenticated(signatures.REFUSED) from error
    return b"".join(name.encode("utf-8", "replace") + form[name].content() for name in sorted(form))
