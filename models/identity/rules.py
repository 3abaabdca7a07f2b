"""Rules about users, permissions, passwords and sessions; pure functions."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, StrEnum, auto
from typing import Final, Literal
from uuid import UUID

from models.events.commands import Actor
from models.kernel import limits
from models.kernel.errors import FieldProblem


class Role(StrEnum):
    """The role of a user or an API key."""

    admin = auto()
    manager = auto()
    accountant = auto()
    agent = auto()


class Permission(StrEnum):
    """A permission. Each operation needs one."""

    tickets_read = auto()
    tickets_write = auto()
    tickets_assign = auto()
    inbox_read = auto()
    inbox_replay = auto()
    deliveries_read = auto()
    deliveries_manage = auto()
    tasks_read = auto()
    tasks_manage = auto()
    users_read = auto()
    users_manage = auto()
    api_keys_manage = auto()
    ledger_read = auto()
    ledger_manage = auto()
    definitions_read = auto()
    definitions_manage = auto()
    webhooks_manage = auto()
    requesters_write = auto()
    requesters_export = auto()
    requesters_erase = auto()
    audit_read = auto()


_AGENT = frozenset(
    {
        Permission.tickets_read,
        Permission.tickets_write,
        Permission.tickets_assign,
        Permission.inbox_read,
        Permission.deliveries_read,
        Permission.definitions_read,
        Permission.requesters_write,
    }
)
ROLE_PERMISSIONS: Final[dict[Role, frozenset[Permission]]] = {
    Role.agent: _AGENT,
    Role.manager: _AGENT
    | {
        Permission.inbox_replay,
        Permission.deliveries_manage,
        Permission.tasks_read,
        Permission.tasks_manage,
        Permission.users_read,
        Permission.requesters_export,
    },
    Role.accountant: frozenset({Permission.tickets_read, Permission.ledger_read, Permission.ledger_manage}),
    Role.admin: frozenset(Permission),
}


@dataclass(frozen=True, slots=True)
class Principal:
    """The user or API key on whose behalf a request runs. `session_id` is None for an API key."""

    kind: Literal["user", "api_key"]
    id: UUID
    name: str
    role: Role
    session_id: UUID | None = None

    @property
    def permissions(self) -> frozenset[Permission]:
        return ROLE_PERMISSIONS[self.role]

    @property
    def actor(self) -> Actor:
        """Return the principal as an actor of the event log."""
        return Actor(self.kind, str(self.id), self.name)

    @property
    def key(self) -> str:
        """Return the namespace of the principal's idempotency keys."""
        return f"{self.kind}:{self.id}"


LOCALES: Final = ("en", "ru")  # the languages of the labels in life cycles

_DIFFERENT_CHARACTERS_MIN: Final = 4  # "aaaaaaaaaa" is long but easy to guess

_EMAIL: Final = re.compile(r"[^@\s\"(),:;<>\[\\\]]{1,64}@[^@\s\"(),:;<>\[\\\]_]+\.[^@\s\"(),:;<>\[\\\]_.]{2,}")


def normalise_email(email: str) -> str:
    """Return the form in which addresses are stored and compared."""
    return unicodedata.normalize("NFC", email.strip()).lower()


def email_problems(email: str) -> list[FieldProblem]:
    """Return the problems of a normalised address.

    The check is coarse, because only a delivered mail proves that an address exists.
    """
    if len(email) > limits.email_address_chars_max:
        return [_problem("email", f"expected at most {limits.email_address_chars_max} characters")]
    if _EMAIL.fullmatch(email) is None or ".." in email or not is_text(email):
        return [_problem("email", "expected an address like ada@example.test")]
    return []


def name_problems(name: str) -> list[FieldProblem]:
    if not name.strip():
        return [_problem("name", "expected a name")]
    if len(name) > limits.name_chars_max:
        return [_problem("name", f"expected at most {limits.name_chars_max} characters")]
    if not is_text(name):
        return [_problem("name", "expected one line without control characters")]
    return []


def role_problems(role: str) -> list[FieldProblem]:
    if role in {str(known) for known in Role}:
        return []
    return [_problem("role", f"expected one of {', '.join(Role)}, found {role[:40]!r}")]


def locale_problems(locale: str) -> list[FieldProblem]:
    if locale in LOCALES:
        return []
    return [_problem("locale", f"expected one of {', '.join(LOCALES)}, found {locale[:40]!r}")]


def expiry_problems(expires_at: datetime | None, *, now: datetime) -> list[FieldProblem]:
    if expires_at is None:
        return []
    if expires_at.tzinfo is None:
        return [_problem("expires_at", "expected an instant with a time zone")]
    if expires_at <= now:
        return [_problem("expires_at", "expected an instant in the future")]
    return []


def password_problems(password: str, *, email: str) -> list[FieldProblem]:
    """Return one sentence for each rule that a new password breaks.

    The rules require length and not a mixture of character classes (NIST SP 800-63B, section 3.1.1).
    `password_strength.problems` adds the estimate of a guesser's effort.
    """
    if len(password) > limits.password_chars_max:
        return [_problem("password", f"expected at most {limits.password_chars_max} characters")]
    if not is_encodable(password):
        return [_problem("password", "expected valid Unicode text")]
    problems = []
    if len(password) < limits.password_chars_min:
        problems.append(_problem("password", f"expected at least {limits.password_chars_min} characters"))
    if len(set(password)) < _DIFFERENT_CHARACTERS_MIN:
        problems.append(_problem("password", f"expected at least {_DIFFERENT_CHARACTERS_MIN} different characters"))
    if password.casefold() in (email, email.partition("@")[0]):
        problems.append(_problem("password", "expected something other than the e-mail address"))
    return problems


def is_encodable(text: str) -> bool:
    """Whether the text has no lone surrogates, which JSON can express and UTF-8 cannot."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def is_text(text: str) -> bool:
    """Whether the text is one printable line, without control characters and lone surrogates."""
    return not any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in text)


class RefreshVerdict(Enum):
    """The verdict on a presented refresh token."""

    current = auto()
    repeated = auto()  # exchanged a moment ago, by another tab or by a request whose response was lost
    reused = auto()  # exchanged earlier, so a second party has a copy
    ended = auto()  # the session is signed out, revoked or expired
    unknown = auto()


@dataclass(frozen=True, slots=True)
class SessionState:
    """The stored state of a session on which the verdict on a refresh token depends."""

    refresh_hash: str
    previous_hash: str | None
    refreshed_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


def session_end(opened_at: datetime) -> datetime:
    """Return the time at which a session ends regardless of refreshes.

    The fixed end prevents the indefinite renewal of a copied token.
    """
    return opened_at + timedelta(seconds=limits.refresh_token_s)


def judge_refresh(session: SessionState, token_hash: str, *, genuine: bool, now: datetime) -> RefreshVerdict:
    """Return the verdict on a refresh token; `genuine` is true if this session issued the token."""
    if session.revoked_at is not None or session.expires_at <= now:
        return RefreshVerdict.ended
    if token_hash == session.refresh_hash:
        return RefreshVerdict.current
    if token_hash == session.previous_hash:
        patience = timedelta(seconds=limits.refresh_repeat_s)
        return RefreshVerdict.repeated if now - session.refreshed_at <= patience else RefreshVerdict.reused
    return RefreshVerdict.reused if genuine else RefreshVerdict.unknown


def _problem(path: str, message: str) -> FieldProblem:
    return FieldProblem(path, message)
