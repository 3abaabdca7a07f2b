"""Second factors of a user: add, list, remove. Commands join the caller's transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from models.credentials import recovery_codes, totp
from models.credentials.tables import SecondFactor
from models.definitions import desk
from models.desk_mail import commands as desk_mail
from models.events import desk_payloads, history
from models.events.commands import Actor
from models.identity import queries, roles
from models.identity.queries import User
from models.kernel import clock, limits, settings, vault
from models.kernel.errors import Conflict, NotFound
from models.kernel.ids import new_id
from models.kernel.storage.table import RowView

_ALL_ROLES = "all"


class TotpExists(Conflict):
    """The account has an authenticator app already; remove it first."""

    code = "totp_exists"


class TooManyFactors(Conflict):
    """The account has as many second factors as it can have; remove one first."""

    code = "too_many_factors"


class WrongCode(Conflict):
    """The code is wrong or was used; enter the next one that the app shows."""

    code = "wrong_code"


class FactorRequired(Conflict):
    """Your role requires a second factor, and this is the last one; add another one first."""

    code = "second_factor_required"


@dataclass(frozen=True, slots=True)
class Factor:
    """A second factor without its secret. `kind` is `totp` or `passkey`."""

    id: UUID
    kind: str
    name: str
    created_at: datetime
    last_used_at: datetime | None


_FACTOR = RowView(Factor, SecondFactor)


def of_user(user_id: UUID) -> list[Factor]:
    """List the usable second factors of a user, the oldest first."""
    query = SecondFactor.select(*_FACTOR.fields).where(SecondFactor.user_id == user_id, _usable())
    return _FACTOR.all(query.order_by(SecondFactor.created_at, SecondFactor.id))


def is_required(user: User) -> bool:
    """Return True if the user's role requires a second factor.

    A custom role has the requirement of the role it rests on.
    """
    wanted = {word.strip() for word in settings.current().second_factor_roles.split(",")} - {""}
    rights = roles.rights_of(user.role)
    return bool(wanted & {_ALL_ROLES, user.role, "" if rights is None else str(rights.role)})


def start_totp(user: User) -> tuple[str, str]:
    """Make the key of an authenticator app; returns it in base 32 and as the address for a QR code.

    The app counts after `confirm_totp`; a key that was not confirmed is replaced. The caller has locked the user's row.
    """
    if any(factor.kind == "totp" for factor in of_user(user.id)):
        raise TotpExists()
    secret, factor_id = totp.new_secret(), new_id()
    SecondFactor.delete().where(SecondFactor.user_id == user.id, SecondFactor.confirmed_at.is_null()).execute()
    SecondFactor.insert(
        id=factor_id,
        user_id=user.id,
        kind="totp",
        name="",
        secret=vault.seal(_purpose(factor_id), secret),
        created_at=clock.now(),
    ).execute()
    account = desk_mail.system_account()
    issuer = (account is not None and account.config.get("display_name")) or desk.current().desk
    return totp.in_base32(secret), totp.uri(secret, issuer=str(issuer), account=user.email)


def confirm_totp(user: User, code: str, *, actor: Actor) -> list[str] | None:
    """Accept the first code of the app; from now on sign-ins need it.

    Returns the recovery codes with the first second factor, else None. The caller has locked the user's row. Raises
    WrongCode, NotFound.
    """
    pending = SecondFactor.get_or_none(
        SecondFactor.user_id == user.id, SecondFactor.kind == "totp", SecondFactor.confirmed_at.is_null()
    )
    if pending is None:
        raise NotFound("no authenticator app waits for its first code")
    step = totp.accepted_step(_secret(pending), code, now=clock.now(), after=None)
    if step is None:
        raise WrongCode()
    SecondFactor.update(confirmed_at=clock.now(), used_step=step).where(SecondFactor.id == pending.id).execute()
    return added(user, pending.id, "totp", actor=actor)


def added(user: User, factor_id: UUID, kind: str, *, actor: Actor) -> list[str] | None:
    """Record a new factor and tell the user; returns recovery codes if it is the first one."""
    factors = of_user(user.id)
    if len(factors) > limits.second_factors_max:
        raise TooManyFactors()
    happened = desk_payloads.SecondFactorAdded(factor_id=factor_id, kind=kind)
    history.append("user", user.id, [happened], actor=actor, at=clock.now())
    desk_mail.notify("second_factor_added", user, {"factor": _NAMES[kind]})
    return recovery_codes.replace_all(user.id, actor=actor) if len(factors) == 1 else None


def use_totp(user_id: UUID, code: str) -> bool:
    """Use up a code of the user's app; returns False for a wrong or used one. Joins the caller's transaction."""
    factor = SecondFactor.get_or_none(SecondFactor.user_id == user_id, SecondFactor.kind == "totp", _usable())
    if factor is None:
        return False
    step = totp.accepted_step(_secret(factor), code, now=clock.now(), after=factor.used_step)
    if step is None:
        return False
    # Two requests with one code at the same time: the second one finds the step used.
    this = (SecondFactor.id == factor.id) & (SecondFactor.used_step.is_null() | (SecondFactor.used_step < step))
    return bool(SecondFactor.update(used_step=step, last_used_at=clock.now()).where(this).execute())


def remove(user_id: UUID, factor_id: UUID, *, actor: Actor) -> None:
    """Remove one of the own second factors. Raises NotFound, FactorRequired."""
    user = queries.lock_user(user_id)
    factors = of_user(user_id)
    if factor_id not in {factor.id for factor in factors}:
        raise NotFound("you have no such second factor")
    if len(factors) == 1 and is_required(user):
        raise FactorRequired()
    _delete(user, [factor for factor in factors if factor.id == factor_id], actor=actor)
    if len(factors) == 1:
        recovery_codes.delete_all(user_id)


def remove_all(user_id: UUID, *, actor: Actor) -> int:
    """Remove all second factors of a user who lost them; returns their number. Raises NotFound."""
    user = queries.lock_user(user_id)
    factors = of_user(user_id)
    _delete(user, factors, actor=actor)
    recovery_codes.delete_all(user_id)
    return len(factors)


def _delete(user: User, factors: list[Factor], *, actor: Actor) -> None:
    for factor in factors:
        SecondFactor.delete().where(SecondFactor.id == factor.id).execute()
        happened = desk_payloads.SecondFactorRemoved(factor_id=factor.id, kind=factor.kind)
        history.append("user", user.id, [happened], actor=actor, at=clock.now())
        desk_mail.notify("second_factor_removed", user, {"factor": factor.name or _NAMES[factor.kind]})


_NAMES = {"totp": "authenticator app", "passkey": "passkey"}


def _usable() -> Any:
    return SecondFactor.confirmed_at.is_null(False)


def _secret(factor: SecondFactor) -> bytes:
    assert factor.secret is not None, "an app has a key"
    return vault.open(_purpose(factor.id), factor.secret)


def _purpose(factor_id: UUID) -> str:
    return vault.purpose("second_factors", "secret", factor_id)
