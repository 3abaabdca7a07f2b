"""Mailjet signs nothing: basic authentication in the webhook's address."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tests.queues.channels.email.providers.recorded import RIGHT, Request

CONFIG: dict[str, Any] = {"basic": {"secret": "mailjet_basic"}}
SIGNS = False


def secrets() -> Mapping[str, str]:
    return {"mailjet_basic": f"parse:{RIGHT}"}


def signed(request: Request, *, secret: str, at_s: int) -> Request:
    given = base64.b64encode(f"parse:{secret}".encode()).decode()
    return replace(request, headers={"Authorization": f"Basic {given}"})
