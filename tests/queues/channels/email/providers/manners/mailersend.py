"""MailerSend signs the exact body."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tests.queues.channels.email.providers.recorded import RIGHT, Request

CONFIG: dict[str, Any] = {"signing_key": {"secret": "mailersend_key"}}
SIGNS = False


def secrets() -> Mapping[str, str]:
    return {"mailersend_key": RIGHT}


def signed(request: Request, *, secret: str, at_s: int) -> Request:
    digest = hmac.new(secret.encode(), request.body, hashlib.sha256).hexdigest()
    return replace(request, headers={"Signature": digest})
