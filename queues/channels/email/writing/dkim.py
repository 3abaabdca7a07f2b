"""Sign mail that leaves by SMTP with DKIM (RFC 6376, RFC 8463), if the account has a key.

The signer is our own because it is a page long. The maintained library signs RSA in pure Python and needs a second
cryptographic package for Ed25519. That library verifies our signatures in the tests.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from models.channels.accounts import ChannelAccount
from models.kernel import clock
from models.kernel.errors import ConfigurationError
from models.kernel.settings import Settings

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

# The headers that are signed. The names in `_OVERSIGNED` are listed once more than they occur, so that nobody can add
# another such header (RFC 6376 section 8.15).
_SIGNED = (
    b"from",
    b"to",
    b"cc",
    b"subject",
    b"date",
    b"message-id",
    b"in-reply-to",
    b"references",
    b"reply-to",
    b"mime-version",
    b"content-type",
    b"content-transfer-encoding",
    b"auto-submitted",
)
_OVERSIGNED = (b"from", b"to", b"cc", b"subject", b"date", b"reply-to", b"message-id", b"content-type")
_BLANKS = re.compile(rb"[ \t]+")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,250}[A-Za-z0-9])?")
# RFC 8301 section 3.2: verifiers reject shorter keys.
_RSA_BITS_MIN = 1024


@dataclass(frozen=True)
class Signer:
    """The account's key; its public key is published at `<selector>._domainkey.<domain>`."""

    selector: str
    domain: str
    key: RSAPrivateKey | Ed25519PrivateKey

    def sign(self, mail: bytes) -> bytes:
        """Put a DKIM-Signature on top. Relaxed canonicalisation survives relays that fold and trim lines."""
        head, _, body = mail.partition(b"\r\n\r\n")
        fields = _fields(head)
        names = [name for name in _SIGNED if any(name == found for found, _ in fields)]
        names = sorted([*names, *_OVERSIGNED], key=_SIGNED.index)
        body_hash = base64.b64encode(hashlib.sha256(relaxed_body(body)).digest())
        unsigned = b"".join(
            [
                b"v=1; a=" + self._algorithm() + b"; c=relaxed/relaxed; d=" + self.domain.encode("ascii"),
                b";\r\n s=" + self.selector.encode("ascii") + b"; t=%d;" % clock.now().timestamp(),
                b"\r\n h=" + b":\r\n ".join(names) + b";",
                b"\r\n bh=" + body_hash + b";\r\n b=",
            ]
        )
        signed = b"".join(_relaxed(name, value) + b"\r\n" for name, value in _chosen(fields, names))
        signature = self._signature(signed + _relaxed(b"dkim-signature", unsigned))
        encoded = base64.b64encode(signature)
        lines = b"\r\n ".join(encoded[at : at + 72] for at in range(0, len(encoded), 72))
        return b"DKIM-Signature: " + unsigned + lines + b"\r\n" + mail

    def _algorithm(self) -> bytes:
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

        return b"rsa-sha256" if isinstance(self.key, RSAPrivateKey) else b"ed25519-sha256"

    def _signature(self, data: bytes) -> bytes:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

        if isinstance(self.key, RSAPrivateKey):
            return self.key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        # RFC 8463 section 3: Ed25519 signs the hash.
        return self.key.sign(hashlib.sha256(data).digest())


def signer_of(account: ChannelAccount, settings: Settings) -> Signer | None:
    """Return the account's signer; None when it has no key. Raises ConfigurationError, which never shows the key."""
    config = account.config.get("dkim")
    if not config:
        return None
    where = f"channel account {account.channel}/{account.name}: dkim"
    key = config.get("key") if isinstance(config, Mapping) else None
    if not isinstance(key, Mapping) or not isinstance(key.get("secret"), str):
        raise ConfigurationError(f"{where}: expected selector, domain and key: {{secret: name}}")
    selector, domain = str(config.get("selector") or ""), str(config.get("domain") or "")
    if not _NAME.fullmatch(selector) or not _NAME.fullmatch(domain):
        raise ConfigurationError(f"{where}: expected a selector and a domain in ASCII")
    return Signer(selector, domain, _private_key(settings.secret(key["secret"]), where))


def _private_key(text: str, where: str) -> Any:
    """Read a private key: PEM (RSA or Ed25519), or the 32 bytes of an Ed25519 key in base64."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    wanted = f"{where}: the key: expected a private RSA or Ed25519 key as PEM without password, or 32 bytes in base64"
    try:
        if "-----BEGIN" not in text:
            return Ed25519PrivateKey.from_private_bytes(base64.b64decode(text.strip(), validate=True))
        key = serialization.load_pem_private_key(text.strip().encode("utf-8") + b"\n", password=None)
    except (ValueError, TypeError, binascii.Error) as error:
        raise ConfigurationError(wanted) from error
    if isinstance(key, RSAPrivateKey) and key.key_size < _RSA_BITS_MIN:
        raise ConfigurationError(f"{where}: the key has {key.key_size} bits; receivers want {_RSA_BITS_MIN} at least")
    if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
        raise ConfigurationError(wanted)
    return key


def relaxed_body(body: bytes) -> bytes:
    """Canonicalise a body (RFC 6376 section 3.4.4)."""
    # Line by line, because a pattern for all blanks or empty lines at an end is quadratic.
    lines = [_BLANKS.sub(b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
    while lines and not lines[-1]:
        lines.pop()
    return b"".join(line + b"\r\n" for line in lines)


def _relaxed(name: bytes, value: bytes) -> bytes:
    """Canonicalise a header (RFC 6376 section 3.4.2), without the line end."""
    return name.lower() + b":" + _BLANKS.sub(b" ", value.replace(b"\r\n", b"")).strip(b" \t")


def _fields(head: bytes) -> list[tuple[bytes, bytes]]:
    """Return the header names in lower case and the values with their folds."""
    fields: list[tuple[bytes, bytes]] = []
    for line in head.split(b"\r\n"):
        if line[:1] in (b" ", b"\t") and fields:
            name, value = fields[-1]
            fields[-1] = (name, value + b"\r\n" + line)
            continue
        name, _, value = line.partition(b":")
        fields.append((name.strip().lower(), value))
    return fields


def _chosen(fields: list[tuple[bytes, bytes]], names: list[bytes]) -> list[tuple[bytes, bytes]]:
    """Choose a header for each name: the last one not chosen yet, or none (RFC 6376 section 5.4.2)."""
    left = list(fields)
    chosen = []
    for name in names:
        for at in range(len(left) - 1, -1, -1):
            if left[at][0] == name:
                chosen.append(left.pop(at))
                break
    return chosen
