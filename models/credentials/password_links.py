"""Links by which users choose a password: invitations and resets. Each works once, for 30 minutes.

The request of a reset does the same work for every address: it stores a task, and a worker looks the user up. Neither
its response nor its response time reveals a user.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from models.credentials.tables import PasswordLink
from models.desk_mail import commands as desk_mail
from models.desk_mail import links
from models.events import desk_payloads, history
from models.events.commands import Actor
from models.identity import own_password, password_strength, passwords, queries, rules
from models.identity.queries import User
from models.identity.sign_in import sessions, sign_in_limits
from models.kernel import clock, limits, settings
from models.kernel.errors import Conflict, Invalid, TooManyRequests
from models.kernel.ids import new_id
from models.kernel.storage import database
from models.tasks import commands as tasks
from models.tasks import rates
from models.tasks.payloads import RequestPasswordReset

PAGE = "/password"
Purpose = Literal["invitation", "password_reset"]


class LinkUnusable(Conflict):
    """The link is wrong, was used, or is older than 30 minutes; request a new one."""

    code = "link_unusable"


class UserInactive(Conflict):
    """The user is deactivated."""

    code = "user_inactive"


@dataclass(frozen=True, slots=True)
class Link:
    """A link to choose a password. `mailed`: the desk sends it to the user; else a person hands it over."""

    url: str = field(repr=False)
    expires_at: datetime
    mailed: bool


def send(user_id: UUID, purpose: Purpose) -> Link:
    """Make a link and mail it to the user. Joins the caller's transaction.

    Earlier links stay usable until one of them is used. Else a stranger who requests resets again and again would
    keep the user out. Raises NotFound, UserInactive.
    """
    user = queries.lock_user(user_id)
    if not user.active:
        raise UserInactive()
    link_id, now = new_id(), clock.now()
    expires_at = now + timedelta(seconds=limits.password_link_s)
    PasswordLink.insert(
        id=link_id,
        user_id=user_id,
        purpose=purpose,
        token_hash=_fingerprint(links.token_of(link_id)),
        password_mark=own_password.mark(user_id),
        created_at=now,
        expires_at=expires_at,
    ).execute()
    mail_id = desk_mail.send(
        purpose,
        address=user.email,
        name=user.name,
        locale=user.locale,
        user_id=user.id,
        facts={"minutes": round(limits.password_link_s / 60)},
        link_id=link_id,
        expires_at=expires_at,
    )
    return Link(links.url(PAGE, link_id), expires_at, mailed=mail_id is not None)


def request_reset(email: str, *, client: str) -> None:
    """Mail a link to the user with this address, if there is one.

    A request beyond the limit of its address is ignored without a word, because an error would reveal that somebody
    else asks for this address. Raises TooManyRequests beyond the limit of the client.
    """
    email = rules.normalise_email(email)
    name = hashlib.sha256(email.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    of_address = rates.Bucket(
        f"password_reset:address:{name}", every_s=limits.password_reset_every_s, burst=limits.password_resets_burst
    )
    of_client = rates.Bucket(
        f"password_reset:client:{sign_in_limits.network(client)}",
        every_s=limits.password_reset_per_client_every_s,
        burst=limits.password_resets_per_client_burst,
    )
    with database.transaction():
        wait_s = rates.take([of_client])
        if wait_s > 0:
            raise TooManyRequests(retry_after_s=wait_s)
        if not rules.email_problems(email) and rates.take([of_address]) == 0:
            tasks.enqueue(RequestPasswordReset(email=email))


def mail_reset(email: str) -> None:
    """Mail a link to the active user with this address; do nothing without one. Joins the caller's transaction."""
    user = queries.find_by_email(email)
    if user is not None and user.active:
        send(user.id, "password_reset")


def redeem(token: str, password: str) -> None:
    """Choose a password by a link. Ends all sessions of the user; the other links end, because the password changed.

    The password is judged before the link is used, so a weak password does not cost the link. Second factors stay.
    Raises LinkUnusable, or Invalid with every broken rule.
    """
    assert not database.in_transaction(), "argon2 must not run while rows are locked"
    link_id = links.id_of(token)
    with database.connection():
        user = None if link_id is None else _user_of(link_id, token)
    if user is None or link_id is None:
        raise LinkUnusable()
    problems = password_strength.problems(password, email=user.email, name=user.name, settings=settings.current())
    if problems:
        raise Invalid(problems)
    new_hash = passwords.make_hash(password)
    with database.transaction():
        user = queries.lock_user(user.id)
        if not user.active or not _use(link_id, own_password.mark(user.id)):
            raise LinkUnusable()
        own_password.store(user.id, new_hash)
        ended = sessions.revoke_all(user.id)
        changed = desk_payloads.UserUpdated(changes={}, password_changed=True, sessions_ended=ended)
        actor = Actor("user", str(user.id), user.name)
        history.append("user", user.id, [changed], actor=actor, at=clock.now())
        desk_mail.notify("password_changed", user)


def _user_of(link_id: UUID, token: str) -> User | None:
    link = PasswordLink.get_or_none(PasswordLink.id == link_id, _usable())
    if link is None or not hmac.compare_digest(link.token_hash, _fingerprint(token)):
        return None
    user = queries.get_user(link.user_id)
    return user if user.active and link.password_mark == own_password.mark(user.id) else None


def _use(link_id: UUID, password_mark: str) -> bool:
    """Mark the link used; returns whether it was usable. The caller has locked the user."""
    this = (PasswordLink.id == link_id) & (PasswordLink.password_mark == password_mark)
    return bool(PasswordLink.update(used_at=clock.now()).where(this, _usable()).execute())


def _usable() -> Any:
    return PasswordLink.used_at.is_null() & (PasswordLink.expires_at > clock.now())


def _fingerprint(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
