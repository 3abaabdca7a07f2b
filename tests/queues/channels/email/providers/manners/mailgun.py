"""Mailgun signs a timestamp and a token, and writes them into the form or the document that it posts."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tests.queues.channels.email.providers.fake_api import Call
from tests.queues.channels.email.providers.outbound import RIGHT_KEY, Seen, basic_of, form_of, seen_in_mail
from tests.queues.channels.email.providers.recorded import RIGHT, SENT_ID, Request

CONFIG: dict[str, Any] = {"signing_key": {"secret": "mailgun_key"}}
SIGNS = True
OUTBOUND: dict[str, Any] = {"api_key": {"secret": "mailgun_api_key"}, "domain": "mg.example.test"}
REFERENCE = SENT_ID
ACCEPTED = (200, {"id": SENT_ID, "message": "Queued. Thank you."})
PROVIDER_ID = SENT_ID
REFUSED = (400, {"message": "'to' parameter is not a valid address. please check documentation"})
REFUSED_SUPPRESSES = True
WRONG_KEY = (401, {"message": "Forbidden"})
OF_THE_ACCOUNT = (
    (400, {"message": "'from' parameter is not a valid address. please check documentation"}),
    (400, {"message": "Domain example.test is not allowed to send: recently created"}),
)
_RECORDED_TOKEN = "0123456789abcdef0123456789abcdef0123456789abcdef01"
_PLACES = {
    "timestamp": rb"1762248030",
    "token": _RECORDED_TOKEN.encode(),
    "signature": rb"0{64}",
}


def secrets() -> Mapping[str, str]:
    return {"mailgun_key": RIGHT, "mailgun_api_key": RIGHT_KEY}


def signed(request: Request, *, secret: str, at_s: int) -> Request:
    token = hashlib.sha256(request.body + str(at_s).encode()).hexdigest()[:50]
    digest = hmac.new(secret.encode(), f"{at_s}{token}".encode(), hashlib.sha256).hexdigest()
    body = request.body
    for name, value in (("timestamp", str(at_s)), ("token", token), ("signature", digest)):
        body, found = re.subn(_PLACES[name], value.encode(), body, count=1)
        assert found, f"the recording has a place for the {name}"
    return replace(request, body=body)


def with_body_signed_for_another(first: Request, second: Request) -> Request:
    """The second request's content under the first one's signature."""
    told = json.loads(first.body)["signature"]
    return replace(second, body=json.dumps(json.loads(second.body) | {"signature": told}).encode())


def seen(call: Call) -> Seen:
    """What Mailgun is told of a mail."""
    assert call.path == "/v3/mg.example.test/messages.mime"
    form = form_of(call)
    [raw] = form["message"]
    [to] = form["to"]
    return seen_in_mail(raw, key=basic_of(call).removeprefix("api:"), to=to.decode().split(", "))
