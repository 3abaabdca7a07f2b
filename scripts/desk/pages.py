"""The demo's own address `GET /sandbox/outbox?channel=`: the messages that the sandbox received."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import msgspec

from functions.http import web
from functions.http.operations import Answer, Call, Operations
from models.kernel.errors import NotFound, Unavailable
from models.kernel.settings import Settings

_sandbox_timeout_s = 5.0  # the sandbox is a process on this machine; it answers in milliseconds


class OutboxQuery(msgspec.Struct):
    """A page of the sandbox's outbox; `since` is a sequence number."""

    channel: Literal["telegram", "email", "webhook"] | None = None
    since: Annotated[int, msgspec.Meta(ge=0)] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] | None = None


class SandboxAway(Unavailable):
    """The sandbox does not answer; was the desk started with --no-demo?"""

    code = "sandbox_away"


def create_app(config: Settings) -> Any:
    """The application of the pages that only the embedded desk has."""
    operations = Operations()

    @operations.add(
        "GET",
        "/sandbox/outbox",
        summary="What the desk sent",
        answers={200: dict},
        public=True,
        unlocked=True,
        query=OutboxQuery,
        problems=(404,),
    )
    def outbox(call: Call[None, OutboxQuery]) -> Answer:
        """Demo only: the messages that the fake Bot API and the mail catcher received."""
        return Answer(raw=_sandbox(config, call.query))

    return web.create_app("desk", operations, configured=config)


def _sandbox(config: Settings, query: OutboxQuery) -> bytes:
    if not config.sandbox_url:
        raise NotFound("this desk runs without the sandbox")
    values = {name: value for name, value in msgspec.structs.asdict(query).items() if value is not None}
    url = f"{config.sandbox_url}/outbox?{urlencode(values)}"
    try:
        # The address that we started the sandbox on.
        with urllib.request.urlopen(url, timeout=_sandbox_timeout_s) as response:  # noqa: S310 -- ours
            body: bytes = response.read()
    except (urllib.error.URLError, OSError) as error:
        raise SandboxAway() from error
    return body
