"""One tree of errors. The class docstring is the default message. `code` is public and stable; the text is not.

`functions/http/problems.py` maps `http_status` to an RFC 9457 answer. `is_final` tells a permanent failure from one to
retry. The task runner, the senders and every other reader of an error use it, so that an error has one meaning.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class NestorError(Exception):
    """An error occurred."""

    code: ClassVar[str] = "error"
    http_status: ClassVar[int] = 500

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").strip().splitlines()[0])

    @property
    def message(self) -> str:
        return str(self.args[0])


class FieldProblem:
    """An invalid value of an input: `path` is its place (like a JSON Pointer), `message` the expectation."""

    __slots__ = ("message", "path")

    def __init__(self, path: str, message: str) -> None:
        self.path, self.message = path, message

    def as_json(self) -> dict[str, str]:
        return {"path": self.path, "message": self.message}


class BadRequest(NestorError):
    """The request is malformed."""

    code, http_status = "bad_request", 400


class Invalid(NestorError):
    """A value is invalid."""

    code, http_status = "invalid", 422

    def __init__(self, problems: Sequence[FieldProblem] | str, message: str | None = None) -> None:
        self.problems = [] if isinstance(problems, str) else list(problems)
        if isinstance(problems, str):
            message = problems
        elif message is None and self.problems:
            first = self.problems[0]
            message = f"{first.path}: {first.message}" if first.path else first.message
        super().__init__(message)


class Unauthenticated(NestorError):
    """Authentication required: send `Authorization: Bearer` with an access token or an API key."""

    code, http_status = "unauthenticated", 401

    def __init__(self, message: str | None = None, *, challenge: str = 'Bearer realm="nestor"') -> None:
        super().__init__(message)
        # WWW-Authenticate: the authentication scheme that the caller can use (RFC 9110, section 11.6.1).
        self.challenge = challenge


class Forbidden(NestorError):
    """The role of the caller does not permit this operation."""

    code, http_status = "forbidden", 403


class NotFound(NestorError):
    """The resource does not exist."""

    code, http_status = "not_found", 404


class Conflict(NestorError):
    """The request conflicts with the current state."""

    code, http_status = "conflict", 409


class PreconditionFailed(NestorError):
    """The resource was changed since the version in If-Match; read it again."""

    code, http_status = "precondition_failed", 412


class PreconditionRequired(NestorError):
    """If-Match is required: send the ETag of the resource, so that no concurrent change is overwritten."""

    code, http_status = "precondition_required", 428


class TooLarge(NestorError):
    """The request body is too large."""

    code, http_status = "too_large", 413


class UnsupportedMediaType(NestorError):
    """The media type is not supported."""

    code, http_status = "unsupported_media_type", 415


class TooManyRequests(NestorError):
    """Too many requests; try again later."""

    code, http_status = "too_many_requests", 429

    def __init__(self, message: str | None = None, *, retry_after_s: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Unavailable(NestorError):
    """The database cannot be reached; nothing was changed. Try again."""

    code, http_status = "unavailable", 503
    retry_after_s = 2.0


class StatementTimeout(Unavailable):
    """A database statement timed out; nothing was changed. Try again."""

    code = "database_timeout"


class NoFreeConnection(Unavailable):
    """All database connections of this process are in use; nothing was changed. Try again."""

    code = "no_free_connection"


class Contention(Unavailable):
    """A concurrent request changed the same data; nothing was changed. Try again."""

    code = "contention"


class NotReady(NestorError):
    """The process is not ready."""

    code, http_status = "not_ready", 503
    retry_after_s = 2.0


class ConfigurationError(NestorError):
    """The configuration is invalid."""

    code = "configuration"


class SchemaMismatch(ConfigurationError):
    """The database schema does not match this version of the program."""

    code, http_status = "schema_mismatch", 503


class TransientFailure(NestorError):
    """The operation failed temporarily; it is tried again later."""

    code = "transient"

    def __init__(self, message: str | None = None, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class PermanentFailure(NestorError):
    """The operation failed permanently; it is not tried again."""

    code = "permanent"


class LeaseLost(NestorError):
    """Another worker took over the task; this result is discarded."""

    code = "lease_lost"


def is_final(error: BaseException) -> bool:
    """Return True if the work that raised `error` fails again on every repeat.

    A PermanentFailure and a refusal (4xx) are final. TooManyRequests is not final, because its limit refills. No 5xx is
    final: the operator corrects a ConfigurationError, Unavailable and TransientFailure pass, and LeaseLost leaves the
    work to another worker. Any other exception is a bug, which a release fixes, so it is not final either.
    """
    if isinstance(error, PermanentFailure):
        return True
    return isinstance(error, NestorError) and error.http_status < 500 and not isinstance(error, TooManyRequests)
