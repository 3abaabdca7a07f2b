"""Commands that change users.

This module also exports the session commands of `sessions.py`. Commands join the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import peewee

from models.definitions import desk
from models.desk_mail import commands as desk_mail
from models.events import history
from models.events.commands import Actor
from models.events.desk_payloads import UserCreated, UserDeactivated, UserUpdated
from models.events.payload import EventPayload
from models.identity import api_keys, password_strength, passwords, queries, roles, rules
from models.identity.queries import User
from models.identity.rules import Principal, Role
from models.identity.sign_in import sessions
from models.identity.sign_in.sessions import SignInFailed, refresh, sign_in, sign_out
from models.identity.tables import UserRow
from models.kernel import clock, settings
from models.kernel.errors import Conflict, FieldProblem, Invalid, PreconditionFailed
from models.kernel.ids import new_id
from models.kernel.storage import database
from models.kernel.storage.table import for_update
from models.tasks import commands as tasks
from models.tasks.payloads import OpenAccount, ReassignTickets

__all__ = [
    "EmailTaken",
    "LastAdmin",
    "SignInFailed",
    "create_user",
    "refresh",
    "sign_in",
    "sign_out",
    "update_user",
]


NO_PASSWORD = ""  # the hash of a user without a password; no password matches it


class EmailTaken(Conflict):
    """Another user has this e-mail address."""

    code = "email_taken"


class LastAdmin(Conflict):
    """The last active administrator cannot be removed; create another one first."""

    code = "last_admin"


def create_user(
    email: str,
    name: str,
    password: str | None,
    role: str,
    locale: str | None = None,
    *,
    by: Principal | None = None,
    actor: Actor,
    public_password: bool = False,
    asks_for_account: bool = True,
) -> User:
    """Create a user, who can sign in immediately with the password, and be given work after the activation.

    With `password` None, no password matches until the user chooses one by an invitation (models/credentials).
    `public_password` exists for the demo, whose password is printed in the documents and easy to guess. `by` gives the
    role and has all its rights; None is the operator. `asks_for_account` is False for a caller that runs the hand-shake
    with the ledger in the same transaction (models/onboarding). Raises Invalid with every broken rule, EmailTaken, or
    MoreThanYours.
    """
    email = rules.normalise_email(email)
    locale = desk.current().fallback if locale is None else locale
    if password is None or public_password:
        broken = []
    else:
        broken = password_strength.problems(password, email=email, name=name, settings=settings.current())
    problems = [
        *rules.email_problems(email),
        *rules.name_problems(name),
        *broken,
        *roles.problems_of(role),
        *rules.locale_problems(locale),
    ]
    if problems:
        raise Invalid(problems)
    password_hash = NO_PASSWORD if password is None else passwords.make_hash(password)
    user_id, now = new_id(), clock.now()
    with database.transaction():
        roles.check_covers(by, roles.hold(role))
        made = UserRow.insert(
            id=user_id,
            email=email,
            name=name.strip(),
            role=role,
            password_hash=password_hash,
            locale=locale,
            created_at=now,
            updated_at=now,
        )
        if not made.on_conflict_ignore().as_rowcount().execute():
            raise EmailTaken()
        created = UserCreated(email=email, name=name.strip(), role=str(role), locale=locale)
        history.append("user", user_id, [created], actor=actor, at=now)
        if asks_for_account:
            tasks.enqueue(OpenAccount(user_id=user_id))
        return queries.get_user(user_id)


_CHANGEABLE = ("email", "name", "role", "locale", "active", "password")


def update_user(
    user_id: UUID,
    changes: Mapping[str, Any],
    *,
    expected_version: int | None,
    by: Principal | None = None,
    actor: Actor,
) -> User:
    """Change email, name, role, locale, active or password; ignore values that stay the same.

    A deactivation, or a change of role, address or password, ends all sessions. A deactivation revokes the user's
    API keys. With `expected_version` None, the update overwrites any version. `by` has all rights of the user before
    and after the change; otherwise a person who manages users could set an administrator's password. None is the
    operator. Raises Invalid, NotFound, PreconditionFailed, LastAdmin, MoreThanYours, or EmailTaken (which leaves the
    transaction unusable).
    """
    changes = dict(changes)
    if isinstance(changes.get("email"), str):
        changes["email"] = rules.normalise_email(changes["email"])
    if isinstance(changes.get("name"), str):
        changes["name"] = changes["name"].strip()
    if problems := _problems_of(changes):
        raise Invalid(problems)
    password = changes.pop("password", None)
    if password is not None:
        _check_strength(user_id, password, changes)
    new_hash = passwords.make_hash(password) if password is not None else None  # before any row is locked
    with database.transaction():
        may_lose_admin = "role" in changes or "active" in changes
        if may_lose_admin:
            _lock_admins_and(user_id)
        before = queries.lock_user(user_id)
        if expected_version is not None and expected_version != before.version:
            raise PreconditionFailed()
        _check_rights_over(before, changes, by)
        changes = {name: value for name, value in changes.items() if value != getattr(before, name)}
        if not changes and new_hash is None:
            return before
        if may_lose_admin and _is_admin(before) and not _stays_admin(changes) and not _has_other_admin(user_id):
            raise LastAdmin()
        _write(user_id, changes if new_hash is None else {**changes, "password_hash": new_hash})
        ends_sessions = new_hash is not None or {"role", "email"} & changes.keys() or changes.get("active") is False
        ended = sessions.revoke_all(user_id) if ends_sessions else 0
        keys = api_keys.revoke_all(user_id, actor=actor) if changes.get("active") is False else 0
        happened = _update_events(
            before, changes, password_changed=new_hash is not None, sessions_ended=ended, keys_revoked=keys
        )
        history.append("user", user_id, happened, actor=actor, at=clock.now())
        user = queries.get_user(user_id)
        if new_hash is not None:
            desk_mail.notify("password_changed", user)
        if "email" in changes:
            desk_mail.notify("address_changed", before)  # to the address that the person had
        if {"active", "role"} & changes.keys():
            _free_tickets(user, actor)
        return user


def _free_tickets(user: User, actor: Actor) -> None:
    """Let the open tickets of a user be freed who cannot work on them any more. Joins the caller's transaction."""
    if user.active and roles.works_on_tickets(user.role):
        return
    payload = ReassignTickets(from_id=user.id, actor_kind=actor.kind, actor_id=actor.id, actor_name=actor.name)
    tasks.enqueue(payload, key=reassignment_key(user.id))


def reassignment_key(user_id: UUID) -> str:
    """Return the key of the tasks that move a user's tickets: one after another, so that a hand-over ends first."""
    return f"assignee:{user_id}"


def _check_strength(user_id: UUID, password: str, changes: Mapping[str, Any]) -> None:
    """Raise Invalid for a password that is easy to guess for this user. Takes no lock, because the check takes time."""
    with database.connection():
        user = queries.get_user(user_id)
    broken = password_strength.problems(
        password,
        email=changes.get("email", user.email),
        name=changes.get("name", user.name),
        settings=settings.current(),
    )
    if broken:
        raise Invalid(broken)


def _problems_of(changes: Mapping[str, Any]) -> list[FieldProblem]:
    problems = []
    for name, value in changes.items():
        if name not in _CHANGEABLE:
            problems.append(FieldProblem(name, f"expected one of {', '.join(_CHANGEABLE)}"))
        elif name == "active":
            if not isinstance(value, bool):
                problems.append(FieldProblem(name, "expected true or false"))
        elif not isinstance(value, str):
            problems.append(FieldProblem(name, "expected a text"))
        elif name == "password":
            problems.extend(rules.password_problems(value, email=""))
        else:
            problems.extend(_RULES[name](value))
    return problems


_RULES = {
    "email": rules.email_problems,
    "name": rules.name_problems,
    "role": roles.problems_of,
    "locale": rules.locale_problems,
}


def _check_rights_over(before: User, changes: Mapping[str, Any], by: Principal | None) -> None:
    """Raise MoreThanYours unless `by` has the rights of the user now and of the new role."""
    if "role" in changes:
        roles.check_covers(by, roles.hold(changes["role"]))
    rights = roles.rights_of(before.role)
    if rights is not None:
        roles.check_covers(by, rights)


def _lock_admins_and(user_id: UUID) -> None:
    """Lock the rows of all active admins and of the user, in the order of ids.

    The lock prevents two admins from demoting each other at the same time.
    """
    users = UserRow.select(UserRow.id).where((UserRow.id == user_id) | _active_admin())
    list(for_update(users.order_by(UserRow.id)).tuples())


def _active_admin() -> Any:
    return (UserRow.role == Role.admin) & UserRow.active


def _is_admin(user: User) -> bool:
    return user.active and user.role == Role.admin


def _stays_admin(changes: Mapping[str, Any]) -> bool:
    return bool(changes.get("active", True)) and changes.get("role", Role.admin) == Role.admin


def _has_other_admin(user_id: UUID) -> bool:
    return bool(UserRow.select().where(_active_admin(), UserRow.id != user_id).exists())


def _write(user_id: UUID, changes: Mapping[str, Any]) -> None:
    counted = {"version": UserRow.version + 1, "updated_at": clock.now()}
    try:
        UserRow.update({**changes, **counted}).where(UserRow.id == user_id).execute()
    except peewee.IntegrityError as error:
        raise EmailTaken() from error


def _update_events(
    before: User, changes: Mapping[str, Any], *, password_changed: bool, sessions_ended: int, keys_revoked: int
) -> list[EventPayload]:
    """Return the events of an update, with the values before and after it but never a password."""
    shown = {name: {"from": getattr(before, name), "to": value} for name, value in changes.items()}
    happened: list[EventPayload] = []
    deactivated = changes.get("active") is False
    if deactivated:
        del shown["active"]
    if shown or password_changed:
        happened.append(UserUpdated(changes=shown, password_changed=password_changed, sessions_ended=sessions_ended))
    if deactivated:
        happened.append(UserDeactivated(sessions_ended=sessions_ended, api_keys_revoked=keys_revoked))
    return happened
