"""/v1/me/second_factors: the caller's second factors and recovery codes; administrators remove those of others."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from functions.gateway.auth.sign_in_steps import Code, TotpKey, totp_key
from functions.http.operations import Answer, Call, Idempotency, Operations
from functions.views import pages
from models.credentials import recovery_codes, second_factors
from models.identity import own_password, queries, roles
from models.identity.rules import Permission, Principal
from models.kernel import limits
from models.kernel.errors import Conflict
from models.kernel.storage import database

operations = Operations()


class CurrentPassword(msgspec.Struct, forbid_unknown_fields=True):
    """The caller's password: a stolen session alone must not change how the user signs in."""

    password: Annotated[str, msgspec.Meta(max_length=limits.password_chars_max)]


class TotpCode(msgspec.Struct, forbid_unknown_fields=True):
    """The first code that the app shows."""

    code: Code


class Factor(msgspec.Struct):
    """A second factor. `kind` is `totp` or `passkey`."""

    id: UUID
    kind: str
    name: str
    created_at: datetime
    last_used_at: datetime | None


class Factors(msgspec.Struct):
    """The second factors of a user, and the number of unused recovery codes."""

    items: list[Factor]
    recovery_codes_left: int


class RecoveryCodes(msgspec.Struct):
    """New recovery codes, which are returned only once; empty if the earlier ones stay valid."""

    recovery_codes: list[str]


def codes_answer(codes: list[str] | None) -> Answer:
    """Return the response with recovery codes, which nobody may cache."""
    return Answer(RecoveryCodes(codes or []), status=201, headers={"Cache-Control": "no-store"})


def person(call: Call[CurrentPassword]) -> Principal:
    """Return the caller after a check of the password. Raises Conflict for an API key."""
    me = session_of(call.caller)
    own_password.check(me.id, call.body.password)
    return me


def session_of(me: Principal) -> Principal:
    """Return the caller if it is a signed-in user. Raises Conflict."""
    if me.session_id is None:
        raise Conflict("An API key has no second factors.")
    return me


@operations.add(
    "GET", "/v1/me/second_factors", summary="List your second factors", unlocked=True, answers={200: Factors}
)
def list_second_factors(call: Call) -> Answer:
    """The oldest first."""
    me = call.caller
    items = [
        Factor(one.id, one.kind, one.name, one.created_at, one.last_used_at) for one in second_factors.of_user(me.id)
    ]
    return Answer(Factors(items, recovery_codes.left(me.id)))


@operations.add(
    "POST",
    "/v1/me/second_factors/totp",
    summary="Start to add an authenticator app",
    unlocked=True,
    idempotency=Idempotency.refused,
    body=CurrentPassword,
    answers={201: TotpKey},
    problems=(409, 429),
)
def start_totp(call: Call[CurrentPassword]) -> Answer:
    """Returns the key for the app. Sign-ins need the app after its first code was confirmed."""
    me = person(call)
    with database.transaction():
        return totp_key(second_factors.start_totp(queries.lock_user(me.id)))


@operations.add(
    "POST",
    "/v1/me/second_factors/totp/confirmation",
    summary="Add an authenticator app",
    unlocked=True,
    idempotency=Idempotency.refused,
    body=TotpCode,
    answers={201: RecoveryCodes},
    problems=(404, 409),
)
def confirm_totp(call: Call[TotpCode]) -> Answer:
    """Returns the recovery codes with the first second factor of the account."""
    me = session_of(call.caller)
    with database.transaction():
        return codes_answer(second_factors.confirm_totp(queries.lock_user(me.id), call.body.code, actor=me.actor))


@operations.add(
    "POST",
    "/v1/me/second_factors/{factor}/removal",
    summary="Remove a second factor",
    unlocked=True,
    body=CurrentPassword,
    answers={204: None},
    problems=(404, 409, 429),
)
def remove_second_factor(call: Call[CurrentPassword]) -> Answer:
    """The last one stays if the role of the caller requires a second factor."""
    me = person(call)
    with database.transaction():
        second_factors.remove(me.id, pages.id_of(call.params["factor"], "second factor"), actor=me.actor)
    return Answer(status=204)


@operations.add(
    "POST",
    "/v1/me/recovery_codes",
    summary="Create new recovery codes",
    unlocked=True,
    idempotency=Idempotency.refused,
    body=CurrentPassword,
    answers={201: RecoveryCodes},
    problems=(409, 429),
)
def create_recovery_codes(call: Call[CurrentPassword]) -> Answer:
    """Ends the earlier codes. Each code replaces the second factor once."""
    me = person(call)
    with database.transaction():
        queries.lock_user(me.id)
        if not second_factors.of_user(me.id):
            raise Conflict("Recovery codes replace a second factor, and you have none.")
        return codes_answer(recovery_codes.replace_all(me.id, actor=me.actor))


@operations.add(
    "DELETE",
    "/v1/users/{user}/second_factors",
    summary="Remove the second factors of a user",
    needs=Permission.users_manage,
    answers={204: None},
    problems=(404,),
)
def remove_all_second_factors(call: Call) -> Answer:
    """Removes the factors of a user who lost them.

    The user gets a mail, and must add a new one if the role requires it.
    """
    user = queries.get_user(pages.id_of(call.params["user"], "user"))
    rights = roles.rights_of(user.role)
    if rights is not None:
        roles.check_covers(call.caller, rights)
    second_factors.remove_all(user.id, actor=call.caller.actor)
    return Answer(status=204)
