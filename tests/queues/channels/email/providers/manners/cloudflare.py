"""Our Worker, which signs what it posts."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tests.queues.channels.email.providers.recorded import RIGHT, Request

CONFIG: dict[str, Any] = {"signing_key": {"secret": "cloudflare_key"}}
SIGNS = True


def secrets() -> Mapping[str, str]:
    return {"cloudflare_key": RIGHT}


def signed(request: Request, *, secret: str, at_s: int) -> Request:
    digest = hmac.new(secret.encode(), f"{at_s}.".encode() + request.body, hashlib.sha256).hexdigest()
    return replace(
        request,
        headers={
            "X-Desk-Signature": f"t={at_s},v1={digest}",
            "X-Envelope-From": "ada@example.test",
            "X-Envelope-To": "desk@example.test",
        },
    )
