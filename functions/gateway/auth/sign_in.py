"""/v1/auth and /v1/me: sign in, stay signed in, sign out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

import msgspec

from functions.http.operations import Answer, Call, Idempotency, Operations
from models import migrations
from models.credentials import sign_in as sign_in_steps
from models.identity.rules import Permission
from models.identity.sign_in import sessions
from models.identity.sign_in.tokens import TokenPair
from models.kernel import limits
from models.kernel.errors import Conflict
from models.kernel.open_json import JsonObject

operations = Operations()


class SignIn(msgspec.Struct, forbid_unknown_fields=True):
    """The credentials of a user."""

    email: Annotated[str, msgspec.Meta(max_length=limits.email_address_chars_max)]
    password: Annotated[str, msgspec.Meta(max_length=limits.password_chars_max)]


class SecondFactorNeeded(msgspec.Struct):
    """The password was right, and the sign-in needs another step.

    `second_factor` lists what the next step accepts: `totp`, `passkey`, `recovery_code`. If `enrolment` is true, the
    user has no second factor and the role requires one; the list then says what the user can add. `passkey` is the
    `publicKey` of `navigator.credentials.get()`, with binary values in base64url.
    """

    second_factor: list[str]
    enrolment: bool
    challenge: str
    expires_in_s: int
    passkey: JsonObject | None


class Refresh(msgspec.Struct, forbid_unknown_fields=True):
    """A refresh token. Each can be used once."""

    refresh_token: Annotated[str, msgspec.Meta(max_length=500)]


class Tokens(msgspec.Struct):
    """A short-lived access token and the refresh token that obtains the next pair.

    Keep `device_token` and send it in the header `Nestor-Device` of the next sign-in: the desk then knows the device.
    It is null after a refresh.
    """

    access_token: str
    refresh_token: str
    token_type: str
    expires_in_s: int
    device_token: str | None


class Me(msgspec.Struct):
    """The authenticated caller with its permissions.

    `based_on` is the shipped role that life cycles and fields see; it differs from `role` for a custom role.
    """

    kind: str
    id: UUID
    name: str
    role: str
    based_on: str
    permissions: list[Permission]


def tokens_of(pair: TokenPair, status: int) -> Answer:
    """Return the response with a new pair of tokens, which nobody may cache."""
    made = Tokens(pair.access_token, pair.refresh_token, pair.token_type, pair.expires_in_s, pair.device_token or None)
    return Answer(made, status=status, headers={"Cache-Control": "no-store"})


@operations.add(
    "POST",
    "/v1/auth/tokens",
    summary="Sign in",
    public=True,
    unlocked=True,
    idempotency=Idempotency.refused,
    body=SignIn,
    answers={201: Tokens, 200: SecondFactorNeeded},
    problems=(401, 429),
)
def sign_in(call: Call[SignIn]) -> Answer:
    """Returns tokens, or with status 200 a challenge for the second factor.

    Failed attempts are rate-limited by address and by client.
    """
    migrations.check_once()
    result = sign_in_steps.begin(call.body.email, call.body.password, client=call.client)
    if isinstance(result, TokenPair):
        return tokens_of(result, 201)
    return next_step(result)


def _json(options: Mapping[str, Any] | None) -> JsonObject | None:
    return None if options is None else dict(options)


def next_step(step: sign_in_steps.NextStep) -> Answer:
    """Return the response with a challenge, which nobody may cache."""
    needed = SecondFactorNeeded(
        step.factors, step.enrolment, step.challenge, round(limits.challenge_s), _json(step.passkey)
    )
    return Answer(needed, headers={"Cache-Control": "no-store"})


@operations.add(
    "POST",
    "/v1/auth/tokens/refresh",
    summary="Exchange a refresh token",
    public=True,
    unlocked=True,
    idempotency=Idempotency.refused,
    body=Refresh,
    answers={201: Tokens},
    problems=(401,),
)
def refresh_tokens(call: Call[Refresh]) -> Answer:
    """Returns the next pair of tokens.

    A refresh token that is used a second time ends the session, because it may be stolen.
    """
    migrations.check_once()
    return tokens_of(sessions.refresh(call.body.refresh_token), 201)


@operations.add(
    "DELETE", "/v1/auth/tokens/current", summary="Sign out", unlocked=True, answers={204: None}, problems=(409,)
)
def sign_out(call: Call) -> Answer:
    """Ends the current session and revokes its tokens."""
    if call.caller.session_id is None:
        raise Conflict("An API key has no session to end.")
    sessions.sign_out(call.caller.session_id)
    return Answer(status=204)


@operations.add("GET", "/v1/me", summary="Get the authenticated caller", unlocked=True, answers={200: Me})
def read_me(call: Call) -> Answer:
    """Returns the caller with its role and permissions."""
    me = call.caller
    return Answer(Me(me.kind, me.id, me.name, me.rights.name, me.role, sorted(me.permissions)))
