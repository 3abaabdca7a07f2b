"""A script that posts raw mail with a bearer token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tests.queues.channels.email.providers.recorded import RIGHT, Request

CONFIG: dict[str, Any] = {"bearer": {"secret": "raw_bearer"}}
SIGNS = False


def secrets() -> Mapping[str, str]:
    return {"raw_bearer": RIGHT}


def signed(request: Request, *, secret: str, at_s: int) -> Request:
    return replace(request, headers={"Authorization": f"Bearer {secret}"})
