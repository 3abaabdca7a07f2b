"""Brevo signs nothing: it can send a bearer token. Files are at its API."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.queues.channels.email.providers.fake_api import Answer, FakeApi
from tests.queues.channels.email.providers.recorded import PIXEL, PLAN, RIGHT, Request

CONFIG: dict[str, Any] = {"bearer": {"secret": "brevo_bearer"}, "api_key": {"secret": "brevo_api_key"}}
SIGNS = False


def secrets() -> Mapping[str, str]:
    return {"brevo_bearer": RIGHT, "brevo_api_key": "xkeysib-1"}


def signed(request: Request, *, secret: str, at_s: int) -> Request:
    return replace(request, headers={"Authorization": f"Bearer {secret}"})


def serve(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files that the recordings have tokens for."""
    api.at["/v3/inbound/attachments/token-logo"] = Answer(body=base64.b64decode(PIXEL))
    api.at["/v3/inbound/attachments/token-plan"] = Answer(body=PLAN)
