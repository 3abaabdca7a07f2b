"""Errors as pages: what happened, and what a person can do now.

A script gets the same error as JSON (Accept: application/json), so that it can keep the text that was typed.
"""

from __future__ import annotations

import math
from typing import Any
from urllib.parse import quote

import falcon
import msgspec
import peewee

from functions.console.frame import rendering
from functions.console.frame.texts import marked
from functions.http import problems
from models.kernel import settings
from models.kernel.errors import Invalid, NestorError, TooManyRequests, Unauthenticated
from models.kernel.storage import database
from models.kernel.telemetry import logs

log = logs.get("http")
_RETRY_AFTER_S = 2


def add(app: Any) -> None:
    """Register the handlers; the most general comes first."""
    app.add_error_handler(Exception, _on_unexpected)
    app.add_error_handler(falcon.HTTPError, _on_http_error)
    app.add_error_handler(peewee.PeeweeException, _on_database_error)
    app.add_error_handler(NestorError, _on_nestor_error)


def _on_nestor_error(req: falcon.Request, resp: falcon.Response, error: NestorError, params: dict[str, object]) -> None:
    signed_out = isinstance(error, Unauthenticated)
    if signed_out and not _is_script(req) and req.method in ("GET", "HEAD"):
        resp.status = 303
        resp.set_header("Location", _door(req))
        return
    problems.on_nestor_error(req, resp, error, params)
    message = error.message
    if isinstance(error, Invalid):
        message = "; ".join(
            f"{one.path.lstrip('/?')}: {one.message}" if one.path else one.message for one in error.problems
        )
    retry_s = getattr(error, "retry_after_s", _RETRY_AFTER_S) if isinstance(error, TooManyRequests) else None
    _answer(req, resp, error.http_status, message, retry_s=retry_s)


def _door(req: falcon.Request) -> str:
    """Return the address for a visitor without a session: the sign-in; at the start of the demo, the sandbox."""
    if req.path in ("/", "/sandbox") and settings.current().sandbox_url:
        return "/sandbox/start"
    return f"/sign-in?next={quote(req.relative_uri)}"


def _on_database_error(
    req: falcon.Request, resp: falcon.Response, error: peewee.PeeweeException, params: dict[str, object]
) -> None:
    trouble = database.passing_trouble(error)
    problems.on_database_error(req, resp, error, params)
    _answer(req, resp, resp.status_code, trouble.message if trouble is not None else "")


def _on_http_error(
    req: falcon.Request, resp: falcon.Response, error: falcon.HTTPError, params: dict[str, object]
) -> None:
    problems.on_http_error(req, resp, error, params)
    _answer(req, resp, resp.status_code, "")


def _on_unexpected(req: falcon.Request, resp: falcon.Response, error: Exception, params: dict[str, object]) -> None:
    problems.on_unexpected(req, resp, error, params)
    _answer(req, resp, resp.status_code, "")


def _is_script(req: falcon.Request) -> bool:
    return "application/json" in (req.get_header("Accept") or "")


def _answer(
    req: falcon.Request, resp: falcon.Response, status: int, message: str, *, retry_s: float | None = None
) -> None:
    """Replace the problem document by a page, unless a script asked."""
    if _is_script(req):
        return
    code = msgspec.json.decode(resp.data or b"{}").get("code", "")
    headline = _HEADLINES.get(status, _HEADLINES[500])
    data = rendering.error_page(
        req,
        status=status,
        headline=headline,
        message=message if status < 500 or code != "internal_error" else "",
        retry_s=None if retry_s is None else max(1, math.ceil(retry_s)),
        request_id=resp.get_header("X-Request-Id") or "",
        start="/portal" if req.path == "/portal" or req.path.startswith("/portal/") else "/",
    )
    resp.content_type, resp.data = "text/html; charset=utf-8", data


_HEADLINES = {
    400: marked("The request could not be read"),
    401: marked("Your session has ended"),
    403: marked("You may not do this"),
    404: marked("There is nothing here"),
    405: marked("There is nothing here"),
    408: marked("The request took too long"),
    409: marked("Somebody was faster"),
    412: marked("Somebody was faster"),
    413: marked("This is too large"),
    422: marked("A value is not right"),
    429: marked("Too many tries"),
    500: marked("Something broke on our side"),
    503: marked("The desk is busy for a moment"),
}
