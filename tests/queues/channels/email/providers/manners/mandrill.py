"""Mandrill signs the address of the webhook, and the names and values of the form."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from models.kernel import settings
from tests.queues.channels.email.providers.recorded import RIGHT, Request

CONFIG: dict[str, Any] = {"signing_key": {"secret": "mandrill_key"}}
SIGNS = False


def secrets() -> Mapping[str, str]:
    return {"mandrill_key": RIGHT}


def signed(request: Request, *, secret: str, at_s: int) -> Request:
    address = f"{settings.current().public_url.rstrip('/')}/webhooks/email/mandrill"
    fields = sorted(parse_qsl(request.body.decode(), keep_blank_values=True))
    content = address + "".join(name + value for name, value in fields)
    digest = hmac.new(secret.encode(), content.encode(), hashlib.sha1).digest()
    return replace(request, headers={"X-Mandrill-Signature": base64.b64encode(digest).decode()})
