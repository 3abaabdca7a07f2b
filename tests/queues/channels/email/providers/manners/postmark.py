"""Postmark signs nothing: basic authentication in the webhook's address."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tests.queues.channels.email.providers.fake_api import Call
from tests.queues.channels.email.providers.outbound import RIGHT_KEY, Seen
from tests.queues.channels.email.providers.recorded import RIGHT, Request

CONFIG: dict[str, Any] = {"basic": {"secret": "postmark_basic"}}
SIGNS = False
OUTBOUND: dict[str, Any] = {"api_key": {"secret": "postmark_api_key"}}
PROVIDER_ID = REFERENCE = "b7bc2f4a-e38e-4336-af7d-e6c392c2f817"
ACCEPTED = (200, {"To": "ada@example.test", "MessageID": PROVIDER_ID, "ErrorCode": 0, "Message": "OK"})
REFUSED = (
    422,
    {"ErrorCode": 406, "Message": "You tried to send to a recipient that has been marked as inactive."},
)
REFUSED_SUPPRESSES = True
WRONG_KEY = (401, {"ErrorCode": 10, "Message": "The server token is missing or not valid."})
OF_THE_ACCOUNT = (
    (422, {"ErrorCode": 405, "Message": "Not allowed to send: no credits are left."}),
    (422, {"ErrorCode": 413, "Message": "Account may not send."}),
    (422, {"ErrorCode": 300, "Message": "Invalid 'From' address: 'desk' is not a verified sender signature."}),
)


def secrets() -> Mapping[str, str]:
    return {"postmark_basic": f"hook:{RIGHT}", "postmark_api_key": RIGHT_KEY}


def signed(request: Request, *, secret: str, at_s: int) -> Request:
    given = base64.b64encode(f"hook:{secret}".encode()).decode()
    return replace(request, headers={"Authorization": f"Basic {given}"})


def seen(call: Call) -> Seen:
    """What Postmark is told of a mail."""
    assert call.path == "/email"
    told = call.document()
    headers = {one["Name"]: one["Value"] for one in told["Headers"]}
    assert headers["X-PM-KeepID"] == "true", "Postmark gives an id of its own otherwise"
    return Seen(
        key=call.headers["x-postmark-server-token"],
        to=[told["To"]],
        subject=told["Subject"],
        text=told["TextBody"],
        message_id=headers["Message-ID"],
        headers=headers,
    )
