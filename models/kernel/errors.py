"""One tree of errors. The class docstring is the default message; `code` is public and stable, the text is not.

`functions/http/web.py` maps `http_status` to an RFC 9457 answer once. `is_final` tells a dead end from a retry; the task runner,
the senders and every other reader of an error ask it, so that one error never has two meanings.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class NestorError(Exception):
    """Something went wrong."""

    code: ClassVar[str] = "error"
    http_status: ClassVar[int] = 500

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").strip().splitlines()[0])

    @property
    def message(self) -> str:
        return str(self.args[0])


class FieldProblem:
    """One thing wrong with one place of an input: `path` is a JSON-Pointer-like place, `message` what was expected."""

    __slots__ = ("message", "path")

    def __init__(self, path: str, message: str) -> None:
        self.path, self.message = path, message

    def as_json(self) -> dict[str, str]:
        return {"path": self.path, "message": self.message}


class BadRequest(NestorError):
    """The request cannot be read."""

    code, http_status = "bad_request", 400


class Invalid(NestorError):
    """Some values are not as expected."""

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
    """Sign in, or send an API key: `Authorization: Bearer ...`."""

    code, http_status = "unauthenticated", 401

    def __init__(self, message: str | None = None, *, challenge: str = 'Bearer realm="nestor"') -> None:
        super().__init__(message)
        self.challenge = challenge  # of WWW-Authenticate (RFC 9110, 11.6.1): by what means the caller may prove himself


class Forbidden(NestorError):
    """Your role does not allow this."""

    code, http_status = "forbidden", 403


class NotFound(NestorError):
    """There is no such thing here."""

    code, http_status = "not_found", 404


class Conflict(NestorError):
    """This does not go together with what is there."""

    code, http_status = "conflict", 409


class PreconditionFailed(NestorError):
    """It was changed since you read it; read it again."""

    code, http_status = "precondition_failed", 412


class PreconditionRequired(NestorError):
    """Send If-Match with the ETag that you read, so that nobody's change is overwritten unseen."""

    code, http_status = "precondition_required", 428


class TooLarge(NestorError):
    """The body is larger than allowed."""

    code, http_status = "too_large", 413


class UnsupportedMediaType(NestorError):
    """The content type is not one that this address takes."""

    code, http_status = "unsupported_media_type", 415


class TooManyRequests(NestorError):
    """Too many requests; wait and try again."""

    code, http_status = "too_many_requests", 429

    def __init__(self, message: str | None = None, *, retry_after_s: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Unavailable(NestorError):
    """The desk cannot reach its database right now; nothing was changed. Try again."""

    code, http_status = "unavailable", 503
    retry_after_s = 2.0


class StatementTimeout(Unavailable):
    """The database took too long for this request; nothing was changed. Try again."""

    code = "database_timeout"


class NoFreeConnection(Unavailable):
    """All database connections of this process are in use; nothing was changed. Try again."""

    code = "no_free_connection"


class Contention(Unavailable):
    """Another request was changing the same data; nothing was changed. Try again."""

    code = "contention"


class NotReady(NestorError):
    """The process cannot do its work yet."""

    code, http_status = "not_ready", 503
    retry_after_s = 2.0


class ConfigurationError(NestorError):
    """The configuration is wrong."""

    code = "configuration"


class SchemaMismatch(ConfigurationError):
    """The database's schema does not fit this version of the program."""

    code, http_status = "schema_mismatch", 503


class TransientFailure(NestorError):
    """It did not work this time; it is tried again later."""

    code = "transient"

    def __init__(self, message: str | None = None, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class PermanentFailure(NestorError):
    """It will not work, however often it is tried."""

    code = "permanent"


class LeaseLost(NestorError):
    """Another worker took the task over; this result is discarded."""

    code = "lease_lost"


def is_final(error: BaseException) -> bool:
    """Tell whether the work that raised `error` fails the same way however often it is repeated.

    A PermanentFailure and a refusal (a 4xx) are final; TooManyRequests is not, because its limit refills. Every 5xx is open: a
    ConfigurationError waits for its operator, Unavailable and TransientFailure pass, LeaseLost leaves the work to another worker.
    An exception that is no NestorError is a bug, which a release mends: it is not final either.
    """
    if isinstance(error, PermanentFailure):
        return True
    return isinstance(error, NestorError) and error.http_status < 500 and not isinstance(error, TooManyRequests)
