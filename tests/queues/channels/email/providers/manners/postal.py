"""Postal signs the exact body by the RSA key of its installation."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.queues.channels.email.providers.recorded import RIGHT, Request

CONFIG: dict[str, Any] = {"signing_key": {"secret": "postal_key"}}
SIGNS = False


@cache
def key_of(secret: str) -> rsa.RSAPrivateKey:
    """One key for each secret."""
    return rsa.generate_private_key(65537, 2048)


def secrets() -> Mapping[str, str]:
    public = key_of(RIGHT).public_key()
    return {"postal_key": public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()}


def signed(request: Request, *, secret: str, at_s: int) -> Request:
    # Postal's own default; the signature has no other use.
    signature = key_of(secret).sign(request.body, padding.PKCS1v15(), SHA1())  # noqa: S303
    return replace(request, headers={"X-Postal-Signature": base64.b64encode(signature).decode()})
