"""An invented provider that the account describes: mails as fields, signed with a timestamp."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tests.queues.channels.email.providers.recorded import RIGHT, Request

DESCRIPTION: dict[str, Any] = {
    "title": "Invented",
    "auth": {
        "kind": "hmac",
        "header": "X-Invented-Signature",
        "pairs": {"timestamp": "t", "signature": "v1"},
        "signed": "{timestamp}.{body}",
    },
    "events": [
        {
            "when": {"$.kind": "mail"},
            "fields": {
                "from": "$.from",
                "to": "$.to",
                "subject": "$.subject",
                "date": "$.sent",
                "message_id": "$.message_id",
                "text": "$.text",
                "html": "$.html",
                "files": [
                    {
                        "each": "$.files[*]",
                        "base64": "$.data",
                        "filename": "$.name",
                        "content_type": "$.type",
                        "content_id": "$.cid",
                    }
                ],
            },
        },
        {"when": {"$.kind": "ping"}, "ignore": "a ping"},
    ],
}
CONFIG: dict[str, Any] = {"signing_key": {"secret": "invented_key"}, "description": DESCRIPTION}
SIGNS = True


def secrets() -> Mapping[str, str]:
    return {"invented_key": RIGHT}


def signed(request: Request, *, secret: str, at_s: int) -> Request:
    digest = hmac.new(secret.encode(), f"{at_s}.".encode() + request.body, hashlib.sha256).hexdigest()
    return replace(request, headers={"X-Invented-Signature": f"t={at_s},v1={digest}"})
