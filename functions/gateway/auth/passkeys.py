"""/v1/auth/passkeys and /v1/me/second_factors/passkey: register passkeys, and sign in with one alone."""

from __future__ import annotations

import msgspec

from functions.gateway.auth.second_factors import CurrentPassword, RecoveryCodes, codes_answer, person, session_of
from functions.gateway.auth.sign_in import Tokens, tokens_of
from functions.gateway.auth.sign_in_steps import Challenge, EnrolledTokens, EnrolmentStart, enrolled
from functions.http.operations import Answer, Call, Idempotency, Operations
from functions.views.texts import Name
from models import migrations
from models.credentials import passkey_sign_in, sign_in
from models.kernel import limits
from models.kernel.open_json import JsonObject
from models.kernel.storage import database

operations = Operations()


class PasskeyChallenge(msgspec.Struct):
    """A challenge, and the `publicKey` that the browser's function gets, with binary values in base64url."""

    challenge: str
    options: JsonObject
    expires_in_s: int


class PasskeyResponse(msgspec.Struct, forbid_unknown_fields=True):
    """The challenge, and the result of `navigator.credentials.get()` as JSON (`toJSON()`)."""

    challenge: Challenge
    passkey: JsonObject


class NewPasskey(msgspec.Struct, forbid_unknown_fields=True):
    """The challenge, a name for the passkey, and the result of `navigator.credentials.create()` as JSON."""

    challenge: Challenge
    name: Name
    passkey: JsonObject


def _challenge(token: str, options: JsonObject) -> Answer:
    made = PasskeyChallenge(token, options, round(limits.challenge_s))
    return Answer(made, status=201, headers={"Cache-Control": "no-store"})


@operations.add(
    "POST",
    "/v1/auth/passkeys/challenges",
    summary="Start to sign in with a passkey",
    public=True,
    unlocked=True,
    idempotency=Idempotency.refused,
    answers={201: PasskeyChallenge},
    problems=(429,),
)
def start_passkey_sign_in(call: Call) -> Answer:
    """Names no user: the browser offers the passkeys that it has for this desk."""
    migrations.check_once()
    return _challenge(*passkey_sign_in.begin(client=call.client))


@operations.add(
    "POST",
    "/v1/auth/passkeys",
    summary="Sign in with a passkey",
    public=True,
    unlocked=True,
    idempotency=Idempotency.refused,
    body=PasskeyResponse,
    answers={201: Tokens},
    problems=(401,),
)
def finish_passkey_sign_in(call: Call[PasskeyResponse]) -> Answer:
    """A passkey verifies its user, so the sign-in needs no password and no further factor."""
    migrations.check_once()
    return tokens_of(passkey_sign_in.finish(call.body.challenge, call.body.passkey, client=call.client), 201)


@operations.add(
    "POST",
    "/v1/auth/enrolments/passkey",
    summary="Start to add a passkey during a sign-in",
    public=True,
    unlocked=True,
    idempotency=Idempotency.refused,
    body=EnrolmentStart,
    answers={201: PasskeyChallenge},
    problems=(401,),
)
def start_passkey_enrolment(call: Call[EnrolmentStart]) -> Answer:
    """Returns the options for a user whose role requires a second factor."""
    migrations.check_once()
    return _challenge(call.body.challenge, sign_in.start_enrolment_passkey(call.body.challenge))


@operations.add(
    "POST",
    "/v1/auth/enrolments/passkey/confirmation",
    summary="Add a passkey during a sign-in",
    public=True,
    unlocked=True,
    idempotency=Idempotency.refused,
    body=NewPasskey,
    answers={201: EnrolledTokens},
    problems=(401, 409),
)
def finish_passkey_enrolment(call: Call[NewPasskey]) -> Answer:
    """Finishes the sign-in. Returns the recovery codes once."""
    migrations.check_once()
    body = call.body
    return enrolled(sign_in.finish_enrolment_passkey(body.challenge, body.name, body.passkey, client=call.client))


@operations.add(
    "POST",
    "/v1/me/second_factors/passkey",
    summary="Start to add a passkey",
    unlocked=True,
    idempotency=Idempotency.refused,
    body=CurrentPassword,
    answers={201: PasskeyChallenge},
    problems=(409, 429),
)
def start_passkey(call: Call[CurrentPassword]) -> Answer:
    """Returns the options for `navigator.credentials.create()`."""
    me = person(call)
    with database.transaction():
        return _challenge(*passkey_sign_in.start_registration(me.id))


@operations.add(
    "POST",
    "/v1/me/second_factors/passkey/confirmation",
    summary="Add a passkey",
    unlocked=True,
    idempotency=Idempotency.refused,
    body=NewPasskey,
    answers={201: RecoveryCodes},
    problems=(401, 409),
)
def confirm_passkey(call: Call[NewPasskey]) -> Answer:
    """Returns the recovery codes with the first second factor of the account."""
    me, body = session_of(call.caller), call.body
    codes = passkey_sign_in.finish_registration(me.id, body.challenge, body.name, body.passkey, actor=me.actor)
    return codes_answer(codes)
