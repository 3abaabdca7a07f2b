"""Resend signs as Svix does, and keeps the mails for us to fetch."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.queues.channels.email.providers.fake_api import Answer, Call, FakeApi
from tests.queues.channels.email.providers.outbound import RIGHT_KEY, Seen
from tests.queues.channels.email.providers.recorded import (
    FOLDERS,
    PIXEL,
    PLAN,
    RIGHT,
    TEXT,
    Request,
)

CONFIG: dict[str, Any] = {"signing_key": {"secret": "resend_key"}, "api_key": {"secret": "resend_api_key"}}
SIGNS = True
OUTBOUND: dict[str, Any] = {}
PROVIDER_ID = REFERENCE = "56761188-7520-42d8-8898-ff6fc54ce618"
ACCEPTED = (200, {"id": PROVIDER_ID})
REFUSED = (
    422,
    {"statusCode": 422, "name": "validation_error", "message": "Invalid `to` field: ada@example.test"},
)
REFUSED_SUPPRESSES = True
WRONG_KEY = (401, {"statusCode": 401, "name": "missing_api_key", "message": "Missing API key"})
OF_THE_ACCOUNT = (
    (403, {"statusCode": 403, "name": "validation_error", "message": "The example.test domain is not verified."}),
    (422, {"statusCode": 422, "name": "invalid_from_address", "message": "Invalid `from` field."}),
    (422, {"statusCode": 422, "name": "invalid_access", "message": "Access must be full_access or sending_access."}),
)


def secrets() -> Mapping[str, str]:
    return {"resend_key": _whsec(RIGHT), "resend_api_key": RIGHT_KEY}


def _whsec(secret: str) -> str:
    return "whsec_" + base64.b64encode(secret.encode()).decode()


def signed(request: Request, *, secret: str, at_s: int) -> Request:
    event_id = "msg_" + hashlib.sha256(request.body).hexdigest()[:24]
    text = f"{event_id}.{at_s}.".encode() + request.body
    digest = base64.b64encode(hmac.new(secret.encode(), text, hashlib.sha256).digest()).decode()
    other = base64.b64encode(b"x" * 32).decode()
    headers = {
        "Svix-Id": event_id,
        "Svix-Timestamp": str(at_s),
        "Svix-Signature": f"v1,{other} v1,{digest} v1a,z",
    }
    return replace(request, headers=headers)


def serve(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mails: two raw, two as fields."""

    def put(path: str, document: Any) -> None:
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        api.at[path] = Answer(body=body)

    recorded = FOLDERS / "raw/fixtures"
    for name, mail in (("mail", "inbound.eml"), ("files", "attachment.eml")):
        put(f"/download/{name}", (recorded / mail).read_bytes())
        raw = {"download_url": f"{api.url}/download/{name}", "expires_at": "2026-11-05T00:00:00Z"}
        put(f"/emails/receiving/{name}-raw?html_format=cid", {"id": f"{name}-raw", "raw": raw})
    for name, number, html in (("mail", 1, None), ("files", 2, '<p>x</p><img src="cid:logo@example.test">')):
        fields = {
            "from": "Ada Lovelace <ada@example.test>",
            "to": ["desk@example.test"],
            "subject": "Printer",
            "text": TEXT,
            "html": html,
            "message_id": f"<printer-{number}@example.test>",
            "headers": {"date": "Wed, 4 Nov 2026 10:20:30 +0100"},
            "raw": None,
        }
        put(f"/emails/receiving/{name}-fields?html_format=cid", fields)
        put(f"/emails/receiving/{name}-fields/attachments", {"data": _files(api) if html else []})
    put("/download/logo", base64.b64decode(PIXEL))
    put("/download/plan", PLAN)


def _files(api: FakeApi) -> list[dict[str, Any]]:
    return [
        {
            "filename": "logo.png",
            "content_type": "image/png",
            "content_disposition": "inline",
            "content_id": "logo@example.test",
            "download_url": f"{api.url}/download/logo",
        },
        {
            "filename": "plan.txt",
            "content_type": "text/plain",
            "content_disposition": "attachment",
            "download_url": f"{api.url}/download/plan",
        },
    ]


def seen(call: Call) -> Seen:
    """What Resend is told of a mail."""
    assert call.path == "/emails"
    told = call.document()
    return Seen(
        key=call.headers["authorization"].removeprefix("Bearer "),
        to=told["to"],
        subject=told["subject"],
        text=told["text"],
        message_id=told["headers"]["Message-ID"],
        headers=told["headers"],
        once=call.headers["idempotency-key"],
    )
