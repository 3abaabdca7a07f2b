"""Errors as RFC 9457 problem details: one format for every failure."""

from __future__ import annotations

import math
from typing import Any

import falcon
import msgspec
import peewee

from models.kernel.errors import (
    ConfigurationError,
    FieldProblem,
    Invalid,
    NestorError,
    NotReady,
    Unauthenticated,
)
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.kernel.telemetry import logs, trace

log = logs.get("http")
MEDIA_TYPE = "application/problem+json"
# A contention passes within a second; an outage lasts until an operator acts.
_RETRY_AFTER_S = 2


def problem(
    status: int, code: str, detail: str, *, errors: list[dict[str, str]] | None = None, **more: Any
) -> JsonObject:
    """A problem document; `code` is stable, `detail` is for people."""
    document: JsonObject = {
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


def write(resp: falcon.Response, document: JsonObject) -> None:
    """Answer with a problem document."""
    resp.status = document["status"]
    resp.content_type = MEDIA_TYPE
    resp.data = msgspec.json.encode(document)


def on_nestor_error(req: falcon.Request, resp: falcon.Response, error: NestorError, params: dict[str, object]) -> None:
    """Answer with the status and code of a NestorError."""
    errors = [_place(p) for p in error.problems] if isinstance(error, Invalid) else None
    # Members of the document that only this kind of error has.
    more: JsonObject = dict(getattr(error, "members", {}))
    if hasattr(error, "reasons"):
        more["reasons"] = list(error.reasons)
    write(resp, problem(error.http_status, error.code, error.message, errors=errors, **more))
    if isinstance(error, Unauthenticated):
        resp.set_header("WWW-Authenticate", error.challenge)
    if error.http_status in (429, 503):
        retry_after_s = getattr(error, "retry_after_s", _RETRY_AFTER_S)
        resp.set_header("Retry-After", str(max(1, math.ceil(retry_after_s))))
    for name, value in getattr(error, "headers", {}).items():
        resp.set_header(name, value)
    _log(error)


def _log(error: NestorError) -> None:
    """Log a failure of the desk. A 503 whose repeat is safe is a warning without a traceback."""
    if error.http_status < 500 or isinstance(error, NotReady):
        return
    if error.http_status == 503 and not isinstance(error, ConfigurationError):
        log.warning("request_postponed", code=error.code)
    else:
        log.error("request_failed", code=error.code, exc_info=error)


def _place(problem: FieldProblem) -> dict[str, str]:
    """The problem with the place in the body: rules name only the property."""
    path = problem.path
    return {
        "path": f"/{path}" if path and path[0] not in "/?" else path,
        "message": problem.message,
    }


def on_database_error(
    req: falcon.Request, resp: falcon.Response, error: peewee.PeeweeException, params: dict[str, object]
) -> None:
    """Answer 503 when the same request may work later, else 500: the statement is wrong, which is a bug."""
    if (trouble := database.passing_trouble(error)) is not None:
        trouble.__cause__ = error
        return on_nestor_error(req, resp, trouble, params)
    cause = getattr(error, "orig", None) or error.__cause__ or error
    log.error("database_error", sqlstate=getattr(cause, "pgcode", None), exc_info=error)
    return _write_internal_error(resp)


_CODES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
}
_DETAILS = {
    404: "No resource exists at this path.",
    405: "The path does not support this method; see the Allow header.",
}


def on_http_error(
    req: falcon.Request, resp: falcon.Response, error: falcon.HTTPError, params: dict[str, object]
) -> None:
    """Answer errors of Falcon: unknown path, wrong method, malformed header."""
    status = error.status_code
    detail = _DETAILS.get(status) or error.description or error.title or ""
    write(resp, problem(status, _CODES.get(status, "http_error"), detail))
    for name, value in dict(error.headers or {}).items():
        resp.set_header(name, value)


def on_unexpected(req: falcon.Request, resp: falcon.Response, error: Exception, params: dict[str, object]) -> None:
    """Answer a bug with 500 and the request id. Only the log has the details."""
    log.error("unexpected_error", exc_info=error)
    _write_internal_error(resp)


def _write_internal_error(resp: falcon.Response) -> None:
    write(
        resp,
        problem(500, "internal_error", "Internal error. The request id identifies it in the logs."),
    )
