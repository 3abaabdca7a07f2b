"""Programmed misbehaviour: what to answer to which request, and how many times.

The kinds mirror what a sender must tell apart: refused for good, refused for now, certainly not sent
(`drop_before`), and the two where only the server knows that it was sent (`drop_after`, `hang`).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from scripts.sandbox import limits

BOT_DESCRIPTIONS: Mapping[str, str] = {
    "400": "Bad Request: chat not found",
    "401": "Unauthorized",
    "403": "Forbidden: bot was blocked by the user",
    "404": "Not Found",
    "409": "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
    "500": "Internal Server Error",
    "502": "Bad Gateway",
}
BOT_CONNECTION_KINDS = frozenset({"hang", "drop_before", "drop_after"})
BOT_KINDS = frozenset({*BOT_DESCRIPTIONS, "429", "migrate", *BOT_CONNECTION_KINDS})
MAIL_STAGES = frozenset({"auth", "mail", "rcpt", "data"})
MAIL_KINDS = frozenset({"reject", "drop_before", "drop_after", "delay"})


class FaultRefused(ValueError):
    """The fault is not one that the sandbox can play."""


@dataclass(slots=True)
class BotFault:
    """One programmed answer of the Bot API; `method` and `chat_id` None match all."""

    kind: str
    method: str | None
    chat_id: int | str | None
    times: int
    description: str
    retry_after: int
    hang_s: float
    migrate_to_chat_id: int | None
    hits: int = 0

    def matches(self, method: str, chat_id: int | str | None) -> bool:
        return (self.method is None or self.method.lower() == method.lower()) and self.chat_id in (
            None,
            chat_id,
        )


@dataclass(slots=True)
class MailFault:
    """One programmed answer of the SMTP server at a stage; `recipient` None matches all."""

    kind: str
    stage: str
    recipient: str | None
    times: int
    code: int
    text: str
    delay_s: float
    hits: int = 0

    def matches(self, stage: str, recipients: list[str]) -> bool:
        wanted = self.recipient
        return self.stage == stage and (wanted is None or wanted.lower() in (one.lower() for one in recipients))


class _Counted(Protocol):
    times: int
    hits: int


F = TypeVar("F", bound=_Counted)


class FaultBook(Generic[F]):
    """Faults in the order in which they were added; each is played `times` times and then spent."""

    def __init__(self) -> None:
        self._faults: list[F] = []

    def __iter__(self) -> Iterator[F]:
        return iter(self._faults)

    def add(self, fault: F) -> None:
        self._faults = [kept for kept in self._faults if kept.hits < kept.times]
        if len(self._faults) >= limits.FAULTS_MAX:
            raise FaultRefused(f"at most {limits.FAULTS_MAX} faults wait at a time; clear them first")
        self._faults.append(fault)

    def clear(self) -> None:
        self._faults = []

    def take(self, matches: Callable[[F], bool]) -> F | None:
        """The first fault that matches and is not spent, counted as played."""
        for fault in self._faults:
            if fault.hits < fault.times and matches(fault):
                fault.hits += 1
                return fault
        return None


def bot_fault(body: Mapping[str, Any]) -> BotFault:
    """Read `POST /faults`; raises FaultRefused with the field and what was expected."""
    fields = _Fields(
        body,
        {"kind", "method", "chat_id", "times", "description", "retry_after", "hang_s", "migrate_to_chat_id"},
    )
    kind = fields.one_of("kind", BOT_KINDS)
    retry_after = int(fields.number("retry_after", 1, 0, 86_400))
    if kind == "429":
        default = f"Too Many Requests: retry after {retry_after}"
    elif kind == "migrate":
        default = "Bad Request: group chat was upgraded to a supergroup chat"
    else:
        default = BOT_DESCRIPTIONS.get(kind, "")
    migrate_to = body.get("migrate_to_chat_id")
    if migrate_to is not None and not isinstance(migrate_to, int):
        raise FaultRefused("migrate_to_chat_id: expected an integer")
    return BotFault(
        kind=kind,
        method=fields.text("method", None),
        chat_id=fields.chat_id(),
        times=int(fields.number("times", 1, 1, limits.FAULT_TIMES_MAX)),
        description=fields.text("description", default) or default,
        retry_after=retry_after,
        hang_s=fields.number("hang_s", 30.0, 0.0, limits.HANG_S_MAX),
        migrate_to_chat_id=migrate_to,
    )


def mail_fault(body: Mapping[str, Any]) -> MailFault:
    """Read `POST /mail-faults`; raises FaultRefused with the field and what was expected."""
    fields = _Fields(body, {"kind", "stage", "recipient", "times", "code", "text", "delay_s"})
    code = int(fields.number("code", 451, 400, 599))
    return MailFault(
        kind=fields.one_of("kind", MAIL_KINDS),
        stage=fields.one_of("stage", MAIL_STAGES, default="data"),
        recipient=fields.text("recipient", None),
        times=int(fields.number("times", 1, 1, limits.FAULT_TIMES_MAX)),
        code=code,
        text=fields.text("text", None) or ("Try again later" if code < 500 else "Refused"),
        delay_s=fields.number("delay_s", 1.0, 0.0, limits.MAIL_DELAY_S_MAX),
    )


class _Fields:
    def __init__(self, body: Mapping[str, Any], known: set[str]) -> None:
        unknown = sorted(set(body) - known)
        if unknown:
            raise FaultRefused(f"unknown field {unknown[0]!r}; expected {', '.join(sorted(known))}")
        self._body = body

    def one_of(self, name: str, allowed: frozenset[str], default: str | None = None) -> str:
        value = str(self._body.get(name, default))
        if value not in allowed:
            raise FaultRefused(f"{name}: expected one of {', '.join(sorted(allowed))}, got {value!r}")
        return value

    def number(self, name: str, default: float, low: float, high: float) -> float:
        value = self._body.get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise FaultRefused(f"{name}: expected a number from {low:g} to {high:g}, got {value!r}")
        return value

    def text(self, name: str, default: str | None) -> str | None:
        value = self._body.get(name)
        if value is None:
            return default
        if not isinstance(value, str) or "\r" in value or "\n" in value:
            raise FaultRefused(f"{name}: expected text of one line, got {value!r}")
        return value

    def chat_id(self) -> int | str | None:
        value = self._body.get("chat_id")
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | str)):
            raise FaultRefused(f"chat_id: expected an integer, an @name or null, got {value!r}")
        return value
