"""Errors as RFC 9457 problem details: one shape for everything that goes wrong, from a typing mistake to a database that is away."""

from __future__ import annotations

from typing import Any

import falcon
import msgspec
import peewee

from models.kernel import logs, trace
from models.kernel.errors import Invalid, NestorError, TooManyRequests, Unauthenticated, Unavailable

log = logs.get("http")
MEDIA_TYPE = "application/problem+json"


def problem(
    status: int, code: str, detail: str, *, errors: list[dict[str, str]] | None = None, **more: Any
) -> dict[str, Any]:
    """A problem document; `code` is stable, `detail` is for people."""
    document: dict[str, Any] = {
        "type": f"urn:nestor:problem:{code}",
        "title": falcon.code_to_http_status(status)[4:],
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": trace.current_request_id() or "",
    }
    if errors:
        document["errors"] = errors
    return document | more


def write(resp: falcon.Response, document: dict[str, Any]) -> None:
    """Answer with a problem document."""
    resp.status = document["status"]
    resp.content_type = MEDIA_TYPE
    resp.data = msgspec.json.encode(document)


def on_nestor_error(
    req: falcon.Request, resp: falcon.Response, error: NestorError, params: dict[str, Any]
) -> None:
    """Ours: the tree of errors carries status and code."""
    errors = [p.as_json() for p in error.problems] if isinstance(error, Invalid) else None
    more = {"reasons": list(error.reasons)} if hasattr(error, "reasons") else {}
    write(resp, problem(error.http_status, error.code, error.message, errors=errors, **more))
    if isinstance(error, Unauthenticated):
        resp.set_header("WWW-Authenticate", 'Bearer realm="nestor"')
    if isinstance(error, TooManyRequests | Unavailable):
        resp.set_header("Retry-After", str(max(1, round(error.retry_after_s))))
    if error.http_status >= 500:
        log.error("request_failed", code=error.code, exc_info=error)


def on_database_error(
    req: falcon.Request, resp: falcon.Response, error: peewee.PeeweeException, params: dict[str, Any]
) -> None:
    """The database did not take it. A lost connection is 503 elsewhere (database.connection); this is a mistake of ours."""
    log.error("database_error", exc_info=error)
    write(
        resp,
        problem(
            500, "internal_error", "Something went wrong on our side; the request id names it in our logs."
        ),
    )


_CODES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
}
_DETAILS = {
    404: "There is nothing at this address.",
    405: "This address does not take this method; see the Allow header.",
}


def on_http_error(
    req: falcon.Request, resp: falcon.Response, error: falcon.HTTPError, params: dict[str, Any]
) -> None:
    """Falcon's own: unknown address, wrong method, a header it cannot read."""
    status = error.status_code
    detail = _DETAILS.get(status) or error.description or error.title or ""
    write(resp, problem(status, _CODES.get(status, "http_error"), detail))
    for name, value in dict(error.headers or {}).items():
        resp.set_header(name, value)


def on_unexpected(
    req: falcon.Request, resp: falcon.Response, error: Exception, params: dict[str, Any]
) -> None:
    """A bug: told with a request id and nothing else; the log has the rest."""
    log.error("unexpected_error", exc_info=error)
    write(
        resp,
        problem(
            500, "internal_error", "Something went wrong on our side; the request id names it in our logs."
        ),
    )
