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
from models.kernel import languages, limits, names
from models.kernel.errors import FieldProblem
from models.kernel.text import CONTROL, has_visible


class Role(StrEnum):
    """A shipped role. Life cycles and fields name these roles; a custom role is based on one of them."""

    admin = auto()
    manager = auto()
    accountant = auto()
    agent = auto()


class Permission(StrEnum):
    """A permission. Each operation needs one, and roles are sets of them."""

    description: str

    def __new__(cls, value: str, description: str = "") -> Permission:
        made = str.__new__(cls, value)
        made._value_ = value
        made.description = description
        return made

    tickets_read = "tickets_read", "Read tickets, their conversations, history and attachments."
    tickets_see_all = "tickets_see_all", "See the tickets of all teams, also of those that hide them."
    tickets_write = "tickets_write", "Open and change tickets, write messages, and be given tickets."
    texts_manage = "texts_manage", "Change the saved replies and macros of teams and of the whole desk."
    views_manage = "views_manage", "Create, change and delete the views of teams and of everyone."
    messages_manage = "messages_manage", "Edit and delete notes and replies that others wrote."
    side_conversations_write = "side_conversations_write", "Forward tickets to third parties, and write to them."
    tickets_assign = "tickets_assign", "Assign tickets to users and teams."
    tickets_merge = "tickets_merge", "Merge and split tickets, and undo this."
    tickets_delete = "tickets_delete", "Put tickets into the bin, mark them as spam, and restore them."
    tickets_purge = "tickets_purge", "Remove the content of tickets in the bin for good."
    tags_manage = "tags_manage", "Describe, rename, merge and delete tags."
    tickets_bulk = "tickets_bulk", "Change up to 10,000 tickets at once, within the other permissions."
    paid_tasks_read = "paid_tasks_read", "Read number, type, title and description of the tasks that were paid."
    inbox_read = "inbox_read", "Read the events that channels received, and the health of channel accounts."
    inbox_replay = "inbox_replay", "Process a received event again, or discard it."
    deliveries_read = "deliveries_read", "Read deliveries and their attempts."
    deliveries_manage = "deliveries_manage", "Retry or discard failed deliveries."
    tasks_read = "tasks_read", "Read the background tasks of the desk."
    tasks_manage = "tasks_manage", "Retry or discard failed background tasks."
    colleagues_read = "colleagues_read", "List the names and the presence of the people who work at the desk."
    users_read = "users_read", "Read the users with their addresses, and the roles."
    users_manage = "users_manage", "Create, change and deactivate users, and change the members of teams."
    roles_manage = "roles_manage", "Create, change and delete custom roles."
    api_keys_manage = "api_keys_manage", "Create, list and revoke API keys."
    ledger_read = "ledger_read", "Read accounts and their entries."
    ledger_manage = "ledger_manage", "Post to accounts."
    definitions_read = "definitions_read", "Read life cycles and ticket types, check and simulate them."
    definitions_manage = "definitions_manage", "Publish life cycles and ticket types, and put versions in force."
    webhooks_manage = "webhooks_manage", "Manage outgoing webhooks and read their deliveries."
    requesters_write = (
        "requesters_write",
        "Create, change, merge and block requesters, link their addresses, and manage organisations.",
    )
    requesters_export = "requesters_export", "Export the data of one requester."
    requesters_erase = "requesters_erase", "Erase one requester."
    numbers_read = "numbers_read", "Read times, volume, promises and ratings of the teams that the caller sees."
    imports_manage = (
        "imports_manage",
        "Import organisations, requesters and tickets of other systems, and read the reports of imports.",
    )
    audit_read = "audit_read", "Read and export the audit trail."


_AGENT = frozenset(
    {
        Permission.tickets_read,
        Permission.tickets_write,
        Permission.side_conversations_write,
        Permission.tickets_assign,
        Permission.tickets_merge,
        Permission.tickets_bulk,
        Permission.tickets_delete,
        Permission.inbox_read,
        Permission.deliveries_read,
        Permission.colleagues_read,
        Permission.definitions_read,
        Permission.requesters_write,
    }
)
ROLE_PERMISSIONS: Final[dict[Role, frozenset[Permission]]] = {
    Role.agent: _AGENT,
    Role.manager: _AGENT
    | {
        Permission.tags_manage,
        Permission.texts_manage,
        Permission.messages_manage,
        Permission.views_manage,
        Permission.inbox_replay,
        Permission.deliveries_manage,
        Permission.tasks_read,
        Permission.tasks_manage,
        Permission.users_read,
        Permission.requesters_export,
        Permission.numbers_read,
    },
    Role.accountant: frozenset({Permission.paid_tasks_read, Permission.ledger_read, Permission.ledger_manage}),
    Role.admin: frozenset(Permission),
}


@dataclass(frozen=True, slots=True)
class Rights:
    """The rights that a role gives: its permissions, and the shipped role that life cycles and fields see.

    `name` is the role's own name, which differs from `role` for a custom role.
    """

    name: str
    role: Role
    permissions: frozenset[Permission]

    def covers(self, other: Rights) -> bool:
        """Return True if a holder of these rights may give the other rights to somebody.

        The other role must have no permission that these rights lack. Its shipped role must be the same, or one whose
        permissions these rights include, because fields and life cycles admit by the shipped role.
        """
        if not other.permissions <= self.permissions:
            return False
        return other.role is self.role or ROLE_PERMISSIONS[other.role] <= self.permissions


def rights_of_key(role: Rights, scopes: frozenset[Permission] | None, owner: Rights) -> Rights:
    """Return the rights of an API key: those of its role, within its scopes, that its owner has now."""
    permissions = role.permissions & owner.permissions
    if scopes is not None:
        permissions &= scopes
    admitted = role.role is owner.role or ROLE_PERMISSIONS[role.role] <= owner.permissions
    return Rights(role.name, role.role if admitted else owner.role, permissions)


SHIPPED_RIGHTS: Final[dict[str, Rights]] = {
    str(role): Rights(str(role), role, permissions) for role, permissions in ROLE_PERMISSIONS.items()
}


@dataclass(frozen=True, slots=True)
class Principal:
    """The user or API key on whose behalf a request runs.

    `owner_id` is the user, or the user who owns the API key. `session_id` is None for an API key.
    `authenticated_at` is the session's last proof of the password.
    """

    kind: Literal["user", "api_key"]
    id: UUID
    name: str
    rights: Rights
    owner_id: UUID
    session_id: UUID | None = None
    authenticated_at: datetime | None = None

    @property
    def role(self) -> Role:
        """Return the shipped role that life cycles and fields see."""
        return self.rights.role

    @property
    def permissions(self) -> frozenset[Permission]:
        return self.rights.permissions

    @property
    def actor(self) -> Actor:
        """Return the principal as an actor of the event log."""
        return Actor(self.kind, str(self.id), self.name)

    @property
    def key(self) -> str:
        """Return the namespace of the principal's idempotency keys."""
        return f"{self.kind}:{self.id}"


# Names that a custom role cannot have: the shipped roles, and the words that life cycles use for other actors.
RESERVED_ROLE_NAMES: Final = frozenset({*(str(role) for role in Role), "automation", "requester", "assignee", "system"})


_DIFFERENT_CHARACTERS_MIN: Final = 4  # "aaaaaaaaaa" is long but easy to guess

_EMAIL: Final = re.compile(r"[^@\s\"(),:;<>\[\\\]]{1,64}@[^@\s\"(),:;<>\[\\\]_]+\.[^@\s\"(),:;<>\[\\\]_.]{2,}")


def normalise_email(email: str) -> str:
    """Return the form in which addresses are stored and compared."""
    return unicodedata.normalize("NFC", email.strip()).lower()


def email_problems(email: str) -> list[FieldProblem]:
    """Return the problems of a normalised address. Only a delivered mail proves that an address exists."""
    if len(email) > limits.email_address_chars_max:
        return [_problem("email", f"expected at most {limits.email_address_chars_max} characters")]
    if _EMAIL.fullmatch(email) is None or ".." in email or not is_text(email):
        return [_problem("email", "expected an address like ada@example.test")]
    return []


def name_problems(name: str) -> list[FieldProblem]:
    if not has_visible(name):
        return [_problem("name", "expected a name")]
    if len(name) > limits.name_chars_max:
        return [_problem("name", f"expected at most {limits.name_chars_max} characters")]
    if not is_text(name):
        return [_problem("name", "expected one line without control characters")]
    return []


def role_name_problems(name: str) -> list[FieldProblem]:
    """Return the problems of the name of a new custom role."""
    if not names.is_word(name):
        expected = "expected up to 60 lower-case letters, digits, - and _, beginning with a letter"
        return [_problem("name", f"{expected}, found {name[:60]!r}")]
    if name in RESERVED_ROLE_NAMES:
        return [_problem("name", f"{name} is reserved; choose another name")]
    return []


def described_problems(description: str) -> list[FieldProblem]:
    """Return the problems of the description of a role."""
    if len(description) > limits.name_chars_max or not is_text(description):
        return [_problem("description", f"expected one line of at most {limits.name_chars_max} characters")]
    return []


def locale_problems(locale: str) -> list[FieldProblem]:
    if languages.is_tag(locale):
        return []
    return [_problem("locale", f"expected a language tag (BCP 47) such as en or pt-BR, found {locale[:40]!r}")]


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
    """Return True if the text has no lone surrogates, which JSON can express and UTF-8 cannot."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


_NOT_IN_LINES = re.compile(f"[{CONTROL}\ud800-\udfff]")


def is_text(text: str) -> bool:
    """Return True if the text is one line, without control characters, reading direction marks and lone surrogates."""
    return _NOT_IN_LINES.search(text) is None


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
    last_seen_at: datetime | None = None


def session_end(opened_at: datetime) -> datetime:
    """Return the time at which a session ends regardless of refreshes, so that a copied token has an end as well."""
    return opened_at + timedelta(seconds=limits.refresh_token_s)


def last_use(seen_at: datetime | None, refreshed_at: datetime) -> datetime:
    """Return the last use of a session: a request (noted once a minute), or a refresh."""
    return refreshed_at if seen_at is None else max(seen_at, refreshed_at)


def judge_refresh(
    session: SessionState, token_hash: str, *, genuine: bool, now: datetime, idle_s: float = float("inf")
) -> RefreshVerdict:
    """Return the verdict on a refresh token; `genuine` is true if this session issued the token.

    A session that was not used for `idle_s` has ended.
    """
    idle = (now - last_use(session.last_seen_at, session.refreshed_at)).total_seconds() >= idle_s
    if session.revoked_at is not None or session.expires_at <= now or idle:
        return RefreshVerdict.ended
    if token_hash == session.refresh_hash:
        return RefreshVerdict.current
    if token_hash == session.previous_hash:
        patience = timedelta(seconds=limits.refresh_repeat_s)
        return RefreshVerdict.repeated if now - session.refreshed_at <= patience else RefreshVerdict.reused
    return RefreshVerdict.reused if genuine else RefreshVerdict.unknown


def _problem(path: str, message: str) -> FieldProblem:
    return FieldProblem(path, message)
