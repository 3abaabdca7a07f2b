"""SparkPost signs nothing: a token in a header of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tests.queues.channels.email.providers.recorded import RIGHT, Request

CONFIG: dict[str, Any] = {"bearer": {"secret": "sparkpost_token"}}
SIGNS = False


def secrets() -> Mapping[str, str]:
    return {"sparkpost_token": RIGHT}


def signed(request: Request, *, secret: str, at_s: int) -> Request:
    return replace(request, headers={"X-MessageSystems-Webhook-Token": secret})
