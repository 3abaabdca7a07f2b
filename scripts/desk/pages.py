"""The demo's own addresses: a first page, and what the sandbox caught (`GET /sandbox/outbox?channel=`)."""

from __future__ import annotations

import html
import urllib.error
import urllib.request
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import msgspec

from functions.http import response_headers, web
from functions.http.operations import Answer, Call, Operations
from models.kernel.errors import NotFound, Unavailable
from models.kernel.settings import Settings

_STYLE = (
    "body{font:17px/1.6 system-ui;max-width:42rem;margin:4rem auto;padding:0 1rem}"
    "code,pre{background:#8882;padding:.1em .3em;border-radius:.2em}pre{padding:1em;overflow:auto}"
)
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

    @operations.add("GET", "/", summary="First page", answers={200: str}, public=True, unlocked=True)
    def first_page(call: Call) -> Answer:
        return Answer(
            raw=_first_page(config).encode(),
            content_type="text/html; charset=utf-8",
            headers=response_headers.for_page(_STYLE),
        )

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


def _first_page(config: Settings) -> str:
    demo = ""
    if config.sandbox_url:
        demo = """<p>This is the demo. API key <code>demo-key</code>; people <code>admin@</code>, <code>manager@</code>,
<code>accountant@</code>, <code>agent@example.test</code>, password <code>nestor-demo</code>.
<a href="/sandbox/outbox">What the desk sent</a> to the fake Telegram and the mail catcher.</p>"""
        demo += f"<pre>curl -H 'Authorization: Bearer demo-key' {html.escape(config.public_url)}/v1/tickets</pre>"
    return f"""<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Nestor</title><style>{_STYLE}</style>
<h1>Nestor is running</h1>
<p>A service desk that sleeps until somebody writes. The web console comes with a later release; until then the desk is
reached by Telegram, e-mail and its <a href="/docs">API</a>.</p>{demo}
<p><a href="/healthz/deep">Health</a> · <a href="/metrics">Metrics</a> ·
<a href="/openapi.json">OpenAPI</a></p></html>"""
