"""/v1/auth/second_factors and /v1/auth/enrolments: the steps of a sign-in after the password."""

from __future__ import annotations

from typing import Annotated

import msgspec

from functions.gateway.auth.sign_in import Tokens, tokens_of
from functions.http.operations import Answer, Call, Idempotency, Operations
from models import migrations
from models.credentials import sign_in
from models.identity.sign_in.tokens import TokenPair
from models.kernel.errors import FieldProblem, Invalid
from models.kernel.open_json import JsonObject

operations = Operations()

Challenge = Annotated[str, msgspec.Meta(max_length=200)]
# Printable ASCII: digits of an app, letters and digits of a recovery code.
Code = Annotated[str, msgspec.Meta(max_length=40, pattern=r"^[ -~]*(?![\s\S])")]


class SecondFactor(msgspec.Struct, forbid_unknown_fields=True):
    """The challenge of the sign-in, and one proof.

    `passkey` is the result of `navigator.credentials.get()` as JSON (`toJSON()`).
    """

    challenge: Challenge
    totp: Code | None = None
    recovery_code: Code | None = None
    passkey: JsonObject | None = None


class EnrolmentStart(msgspec.Struct, forbid_unknown_fields=True):
    """The challenge of a sign-in whose user must add a second factor."""

    challenge: Challenge


class EnrolmentCode(msgspec.Struct, forbid_unknown_fields=True):
    """The challenge of the sign-in, and the first code that the app shows."""

    challenge: Challenge
    code: Code


class TotpKey(msgspec.Struct):
    """The key of an authenticator app, in base 32 and as the address for a QR code. It is returned only once."""

    secret: str
    uri: str


class EnrolledTokens(Tokens):
    """A pair of tokens, and the recovery codes, which are returned only once."""

    recovery_codes: list[str]


def totp_key(key: tuple[str, str]) -> Answer:
    """Return the response with a new key, which nobody may cache."""
    return Answer(TotpKey(*key), status=201, headers={"Cache-Control": "no-store"})


def enrolled(result: tuple[TokenPair, list[str]]) -> Answer:
    """Return the response with tokens and recovery codes, which nobody may cache."""
    pair, codes = result
    made = EnrolledTokens(
        pair.access_token,
        pair.refresh_token,
        pair.token_type,
        pair.expires_in_s,
        pair.device_token or None,
        codes,
    )
    return Answer(made, status=201, headers={"Cache-Control": "no-store"})


@operations.add(
    "POST",
    "/v1/auth/second_factors",
    summary="Prove a second factor",
    public=True,
    unlocked=True,
    idempotency=Idempotency.refused,
    body=SecondFactor,
    answers={201: Tokens},
    problems=(401, 429),
)
def prove_second_factor(call: Call[SecondFactor]) -> Answer:
    """Finishes a sign-in. A challenge accepts five wrong codes, and wrong codes are rate-limited by user.

    Each code works once: a code of an app, a recovery code, the response of a passkey.
    """
    migrations.check_once()
    body = call.body
    if [body.totp, body.recovery_code, body.passkey].count(None) != 2:
        raise Invalid([FieldProblem("totp", "expected one of totp, recovery_code and passkey")])
    answer = sign_in.Answer(totp=body.totp, recovery_code=body.recovery_code, passkey=body.passkey)
    return tokens_of(sign_in.finish(body.challenge, answer, client=call.client), 201)


@operations.add(
    "POST",
    "/v1/auth/enrolments/totp",
    summary="Start to add an authenticator app during a sign-in",
    public=True,
    unlocked=True,
    idempotency=Idempotency.refused,
    body=EnrolmentStart,
    answers={201: TotpKey},
    problems=(401,),
)
def start_totp_enrolment(call: Call[EnrolmentStart]) -> Answer:
    """Returns the key for the app of a user whose role requires a second factor."""
    migrations.check_once()
    return totp_key(sign_in.start_enrolment_totp(call.body.challenge))


@operations.add(
    "POST",
    "/v1/auth/enrolments/totp/confirmation",
    summary="Add an authenticator app during a sign-in",
    public=True,
    unlocked=True,
    idempotency=Idempotency.refused,
    body=EnrolmentCode,
    answers={201: EnrolledTokens},
    problems=(401, 404, 409),
)
def finish_totp_enrolment(call: Call[EnrolmentCode]) -> Answer:
    """Finishes the sign-in. Returns the recovery codes once."""
    migrations.check_once()
    return enrolled(sign_in.finish_enrolment_totp(call.body.challenge, call.body.code, client=call.client))
