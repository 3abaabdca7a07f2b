"""The change of one's own password, which needs the current one.

A stolen session must not be enough to keep the account, so the current password is checked, and wrong ones are counted
against this user only. Like a sign-in, the change opens its own transactions: the count of a failure is committed
although the request fails, and argon2 must not run while rows are locked.
"""

from __future__ import annotations

import hashlib
from uuid import UUID

from models.desk_mail import commands as desk_mail
from models.events import desk_payloads, history
from models.events.commands import Actor
from models.identity import password_strength, passwords, queries
from models.identity.sign_in import sessions
from models.identity.tables import UserRow
from models.kernel import clock, limits, settings
from models.kernel.errors import FieldProblem, Forbidden, Invalid, TooManyRequests
from models.kernel.storage import database
from models.tasks import rates


class WrongPassword(Forbidden):
    """The current password is wrong."""

    code = "wrong_password"


def change(user_id: UUID, current: str, new: str, *, session_id: UUID, actor: Actor) -> None:
    """Replace the caller's password and end all sessions but the caller's own.

    Raises WrongPassword, Invalid with every broken rule, or TooManyRequests after too many wrong passwords.
    """
    seen_hash = check(user_id, current)
    with database.connection():
        user = queries.get_user(user_id)
    problems = password_strength.problems(new, email=user.email, name=user.name, settings=settings.current())
    if new == current:
        problems.append(FieldProblem("password", "expected another password than the current one"))
    if problems:
        raise Invalid([FieldProblem("new_password", problem.message) for problem in problems])
    new_hash = passwords.make_hash(new)
    with database.transaction():
        user = queries.lock_user(user_id)
        store(user_id, new_hash, seen_hash=seen_hash)
        ended = sessions.revoke_all(user_id, but=session_id)
        changed = desk_payloads.UserUpdated(changes={}, password_changed=True, sessions_ended=ended)
        history.append("user", user_id, [changed], actor=actor, at=clock.now())
        desk_mail.notify("password_changed", user)


def check(user_id: UUID, password: str) -> str:
    """Return the stored hash that the password of this user matches.

    Raises WrongPassword, or TooManyRequests without a check. Opens its own transactions.
    """
    assert not database.in_transaction(), "a wrong password is counted although its request fails"
    bucket = rates.Bucket(
        f"password_check:{user_id}", every_s=limits.password_check_every_s, burst=limits.password_checks_burst
    )
    with database.transaction():
        wait_s = rates.take([bucket])  # before the check, or every guess of a parallel burst would be checked
        row = database.one("SELECT password_hash FROM users WHERE id = :id AND active", id=user_id)
    if wait_s > 0:
        raise TooManyRequests("too many wrong passwords; wait and try again", retry_after_s=wait_s)
    kept_hash: str | None = row["password_hash"] if row is not None else None
    if not passwords.matches(password, kept_hash):
        raise WrongPassword()
    with database.transaction():
        rates.give_back([bucket])
    assert kept_hash is not None, "nobody's hash matches nothing"
    return kept_hash


def store(user_id: UUID, new_hash: str, *, seen_hash: str | None = None) -> None:
    """Write the hash of a new password. The caller has locked the user's row.

    Raises WrongPassword if the password changed since `seen_hash` was read.
    """
    query = UserRow.update(password_hash=new_hash, version=UserRow.version + 1, updated_at=clock.now())
    query = query.where(UserRow.id == user_id)
    if seen_hash is not None:
        query = query.where(UserRow.password_hash == seen_hash)
    if not query.execute():
        raise WrongPassword()


def access_mark(user_id: UUID) -> str | None:
    """Return a name of the user's present password and role, which reveals neither; None for an inactive user.

    What a user got with an earlier password or role ends with it.
    """
    row = database.one("SELECT password_hash, role FROM users WHERE id = :id AND active", id=user_id)
    if row is None:
        return None
    return hashlib.sha256(f"{row['password_hash']}:{row['role']}".encode()).hexdigest()[:32]


def mark(user_id: UUID) -> str:
    """Return a name of the user's present password, which another password does not have; it reveals nothing of it."""
    row = database.one("SELECT password_hash FROM users WHERE id = :id", id=user_id)
    return hashlib.sha256((row["password_hash"] if row is not None else "").encode()).hexdigest()[:32]
