"""The steps of a sign-in: the password, then a second factor if the user has one or the role requires one.

Both commands open their own transactions: a failure is counted although its request fails, and argon2 must not run
while rows are locked. Wrong codes are counted per challenge and per user. Who guesses codes has the password already,
so the count cannot be used to keep a stranger out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from models.credentials import challenges, passkeys, recovery_codes, second_factors
from models.credentials.tables import SignInChallenge
from models.desk_mail import commands as desk_mail
from models.events import desk_payloads, history
from models.events.commands import Actor
from models.identity import queries
from models.identity.queries import User
from models.identity.sign_in import sessions
from models.identity.sign_in.tokens import TokenPair
from models.kernel import clock, limits
from models.kernel.errors import TooManyRequests, Unauthenticated
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.tasks import rates

AddFactor = Callable[[User, SignInChallenge], list[str] | None]


class SecondFactorFailed(Unauthenticated):
    """The second factor is wrong, or was used before."""

    code = "second_factor_failed"


@dataclass(frozen=True, slots=True)
class NextStep:
    """The password was right, and the sign-in needs another step.

    `factors` are the kinds that the user can prove, or can add if `enrolment` is true: the role requires a second
    factor and the user has none. `passkey`: the options for `navigator.credentials.get()`.
    """

    challenge: str = field(repr=False)
    factors: list[str]
    enrolment: bool = False
    passkey: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The second factor that a user presents: one of its fields."""

    totp: str | None = field(default=None, repr=False)
    recovery_code: str | None = field(default=None, repr=False)
    passkey: Mapping[str, Any] | None = field(default=None, repr=False)


def begin(email: str, password: str, *, client: str) -> TokenPair | NextStep:
    """Check the password. Opens a session, or returns the next step. Raises like `sessions.prove_password`."""
    proof = sessions.prove_password(email, password, client=client)
    with database.transaction():
        name = sessions.accept(proof)
        user = queries.get_user(proof.user_id)
        kinds = sorted({factor.kind for factor in second_factors.of_user(user.id)})
        if kinds:
            return _ask(user.id, kinds)
        if second_factors.is_required(user):
            return NextStep(challenges.make("enrolment", user.id), ["passkey", "totp"], enrolment=True)
        return sessions.start(user.id, name, client=client)


def _ask(user_id: UUID, kinds: list[str]) -> NextStep:
    factors = [*kinds, "recovery_code"]
    if "passkey" not in kinds:
        return NextStep(challenges.make("second_factor", user_id), factors)
    signed = passkeys.new_challenge()
    token = challenges.make("second_factor", user_id, {"passkey": signed})
    return NextStep(token, factors, passkey=passkeys.request_options(user_id, signed))


def finish(challenge_token: str, answer: Answer, *, client: str) -> TokenPair:
    """Check the second factor and open the session. A challenge and a code work once.

    Raises ChallengeEnded, SecondFactorFailed, or TooManyRequests after too many wrong codes of this user.
    """
    assert not database.in_transaction(), "a wrong code is counted although its request fails"
    if answer.passkey is not None:
        passkeys.preload()
    with database.transaction():
        challenge = challenges.lock(challenge_token, "second_factor")
        user_id = user_of(challenge)
        bucket = _bucket(user_id)
        wait_s = rates.take([bucket])
        pair = None
        if wait_s == 0:
            user = queries.lock_user(user_id)
            pair = _session(user, challenge, answer, client=client)
            if pair is not None:
                rates.give_back([bucket])
            else:
                challenges.count_failure(challenge)
                sessions.record_failure(user_id, client=client)
    if wait_s > 0:
        raise TooManyRequests("too many wrong codes; wait and try again", retry_after_s=wait_s)
    if pair is None:
        raise SecondFactorFailed()
    return pair


def user_of(challenge: SignInChallenge) -> UUID:
    """Return the user of a challenge that follows a right password."""
    assert challenge.user_id is not None, "the password names a user"
    return challenge.user_id


def _session(user: User, challenge: SignInChallenge, answer: Answer, *, client: str) -> TokenPair | None:
    if not user.active or not _is_right(user, challenge, answer):
        return None
    challenges.use(challenge)
    return sessions.start(user.id, user.name, client=client)


def _is_right(user: User, challenge: SignInChallenge, answer: Answer) -> bool:
    if answer.passkey is not None:
        return passkeys.use(user.id, answer.passkey, str(challenge.data.get("passkey", "")))
    if answer.totp is not None:
        return second_factors.use_totp(user.id, answer.totp)
    if answer.recovery_code is None or not recovery_codes.use(user.id, answer.recovery_code):
        return False
    left = recovery_codes.left(user.id)
    used = desk_payloads.RecoveryCodeUsed(left=left)
    history.append("user", user.id, [used], actor=actor_of(user), at=clock.now())
    desk_mail.notify("recovery_code_used", user, {"left": left})
    return True


def actor_of(user: User) -> Actor:
    """Return the user as an actor before there is a session."""
    return Actor("user", str(user.id), user.name)


def _bucket(user_id: UUID) -> rates.Bucket:
    return rates.Bucket(
        f"second_factor:{user_id}",
        every_s=limits.second_factor_failure_every_s,
        burst=limits.second_factor_failures_burst,
    )


def start_enrolment_totp(challenge_token: str) -> tuple[str, str]:
    """Make the key of an app for a user whose role requires a second factor. Raises ChallengeEnded."""
    with database.transaction():
        return second_factors.start_totp(_enrolling(challenge_token)[1])


def finish_enrolment_totp(challenge_token: str, code: str, *, client: str) -> tuple[TokenPair, list[str]]:
    """Accept the first code of the app; returns the session and the recovery codes.

    Raises ChallengeEnded, WrongCode, which costs a try, and NotFound.
    """

    def confirm(user: User, challenge: SignInChallenge) -> list[str] | None:
        return second_factors.confirm_totp(user, code, actor=actor_of(user))

    return finish_enrolment(challenge_token, confirm, client=client)


def start_enrolment_passkey(challenge_token: str) -> JsonObject:
    """Return the options to register a passkey, for a user whose role requires a second factor."""
    with database.transaction():
        challenge, user = _enrolling(challenge_token)
        signed = passkeys.new_challenge()
        challenges.keep(challenge, {"passkey": signed})
        return passkeys.creation_options(user, signed)


def finish_enrolment_passkey(
    challenge_token: str, name: str, credential: Mapping[str, Any], *, client: str
) -> tuple[TokenPair, list[str]]:
    """Add the passkey; returns the session and the recovery codes. Raises ChallengeEnded, PasskeyRefused, Invalid."""
    passkeys.preload()

    def register(user: User, challenge: SignInChallenge) -> list[str] | None:
        signed = str(challenge.data.get("passkey", ""))
        return passkeys.register(user, name, credential, signed, actor=actor_of(user))

    return finish_enrolment(challenge_token, register, client=client)


def finish_enrolment(challenge_token: str, add: AddFactor, *, client: str) -> tuple[TokenPair, list[str]]:
    """Add the first factor by `add`, end the challenge and open the session."""
    assert not database.in_transaction(), "a wrong code is counted although its request fails"
    try:
        with database.transaction():
            challenge, user = _enrolling(challenge_token)
            codes = add(user, challenge)
            challenges.use(challenge)
            return sessions.start(user.id, user.name, client=client), codes or []
    except (second_factors.WrongCode, passkeys.PasskeyRefused):
        with database.transaction():
            challenges.count_failure(challenges.lock(challenge_token, "enrolment"))
        raise


def _enrolling(challenge_token: str) -> tuple[SignInChallenge, User]:
    """Lock an enrolment and its user. A user who has a second factor meanwhile must prove it first."""
    challenge = challenges.lock(challenge_token, "enrolment")
    user = queries.lock_user(user_of(challenge))
    if not user.active or second_factors.of_user(user.id):
        raise challenges.ChallengeEnded()
    return challenge, user
