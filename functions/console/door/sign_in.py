"""/sign-in and /sign-out: the steps of a sign-in, as pages that work without a script."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import msgspec

from functions.console.frame import cookies, rendering
from functions.console.frame.pages import Pages, own_address, see
from functions.console.frame.texts import gettext as _
from functions.console.frame.texts import marked, ngettext, reading
from functions.http.operations import Answer, AnyCall, Call
from models import migrations
from models.audit import callers
from models.credentials import challenges, second_factors
from models.credentials import sign_in as steps
from models.identity import queries as identity
from models.identity.queries import User
from models.identity.sign_in import sessions
from models.identity.sign_in.tokens import TokenPair
from models.kernel import limits, settings
from models.kernel.errors import NestorError, TooManyRequests, Unauthenticated
from models.kernel.storage import database

pages = Pages()
operations = pages.operations
_ROLES_MAX = 8  # people of the demo

Email = Annotated[str, msgspec.Meta(max_length=limits.email_address_chars_max)]
Password = Annotated[str, msgspec.Meta(max_length=limits.password_chars_max)]
Code = Annotated[str, msgspec.Meta(max_length=40)]
Challenge = Annotated[str, msgspec.Meta(max_length=200)]
Address = Annotated[str, msgspec.Meta(max_length=2_000)]


class SignInQuery(msgspec.Struct):
    """`next`: the page to show after the sign-in."""

    next: Address = "/"


class SignInForm(msgspec.Struct):
    """The credentials of a user."""

    email: Email = ""
    password: Password = ""
    next: Address = "/"


class FactorForm(msgspec.Struct):
    """A proof of the second factor: the code of an app, or a recovery code."""

    challenge: Challenge
    code: Code = ""
    kind: str = "totp"
    next: Address = "/"
    factors: str = "totp"


class EnrolmentForm(msgspec.Struct):
    """The first code of an authenticator app. Without a code, the form shows the key."""

    challenge: Challenge
    code: Code = ""
    secret: Annotated[str, msgspec.Meta(max_length=200)] = ""
    next: Address = "/"


class Empty(msgspec.Struct):
    """A form without values."""


def show_door(
    call: AnyCall, *, to: str, email: str = "", problem: str = "", refused: bool = False, status: int = 200
) -> Answer:
    """Return the page of the sign-in. `refused`: the OpenID provider's response did not count."""
    config = settings.current()
    with database.connection():
        people = _people_of_the_demo() if config.sandbox_url else []
    return rendering.page(
        call,
        "door/sign_in.html",
        title=_title(call, marked("Sign in")),
        status=status,
        to=to,
        email=email,
        problem=problem,
        people=people,
        oidc=bool(config.oidc_issuer),
        refused=refused,
    )


def _title(call: AnyCall, text: str) -> str:
    with reading(rendering.speaking(call)):
        return _(text)


def _people_of_the_demo() -> list[User]:
    found = identity.page_of_users(active=True, limit=_ROLES_MAX)
    return [one for one in found if one.email.endswith("@example.test")]


@pages.get("/sign-in", "Sign in", query=SignInQuery, public=True)
def show_sign_in(call: Call[None, SignInQuery]) -> Answer:
    """A user who is signed in goes on to the page that was asked for."""
    to = own_address(call.query.next)
    return show_door(call, to=to)


@pages.post("/sign-in", "Sign in with a password", form=SignInForm, public=True, unlocked=True)
def sign_in(call: Call[SignInForm]) -> Answer:
    """The answer to a wrong password names neither the address nor the password as the wrong one."""
    migrations.check_once()
    to = own_address(call.body.next)
    _present_device(call)
    try:
        result = steps.begin(call.body.email, call.body.password, client=call.client)
    except (Unauthenticated, TooManyRequests) as error:
        return show_door(call, to=to, email=call.body.email, problem=_why(call, error), status=error.http_status)
    if isinstance(result, TokenPair):
        return see(to, *cookies.of_session(result, settings.current()))
    if result.enrolment:
        return _enrolment(call, result.challenge, to=to)
    return _factor(call, result.challenge, ",".join(result.factors), to=to)


def _present_device(call: AnyCall) -> None:
    """Name the device of the cookie as the API's header `Nestor-Device` does."""
    callers.current().device = cookies.read(call.request, cookies.DEVICE, settings.current())


def _why(call: AnyCall, error: NestorError) -> str:
    with reading(rendering.speaking(call)):
        if isinstance(error, TooManyRequests):
            seconds = max(1, round(getattr(error, "retry_after_s", 1)))
            if seconds >= 90:
                minutes = round(seconds / 60)
                return ngettext(
                    "Too many tries. Try again in %(num)s minute.",
                    "Too many tries. Try again in %(num)s minutes.",
                    minutes,
                )
            return ngettext(
                "Too many tries. Try again in %(num)s second.", "Too many tries. Try again in %(num)s seconds.", seconds
            )
        if isinstance(error, sessions.SignInFailed):
            return _("E-mail and password do not match.")
        if isinstance(error, challenges.ChallengeEnded):
            return _("This step took too long. Sign in again.")
        return _("The code is wrong, or was used before.")


def _factor(call: AnyCall, challenge: str, factors: str, *, to: str, problem: str = "", status: int = 200) -> Answer:
    return rendering.page(
        call,
        "door/second_factor.html",
        title=_title(call, marked("Second step")),
        status=status,
        challenge=challenge,
        factors=factors.split(","),
        to=to,
        problem=problem,
    )


@pages.post("/sign-in/second-factor", "Prove the second factor", form=FactorForm, public=True, unlocked=True)
def prove_second_factor(call: Call[FactorForm]) -> Answer:
    """A challenge accepts five wrong codes."""
    migrations.check_once()
    body, to = call.body, own_address(call.body.next)
    _present_device(call)
    code = body.code.replace(" ", "")
    answer = steps.Answer(recovery_code=body.code) if body.kind == "recovery_code" else steps.Answer(totp=code)
    try:
        pair = steps.finish(body.challenge, answer, client=call.client)
    except challenges.ChallengeEnded as error:
        return show_door(call, to=to, problem=_why(call, error), status=error.http_status)
    except (Unauthenticated, TooManyRequests) as error:
        status, why = error.http_status, _why(call, error)
        return _factor(call, body.challenge, body.factors, to=to, problem=why, status=status)
    return see(to, *cookies.of_session(pair, settings.current()))


def _enrolment(
    call: AnyCall, challenge: str, *, to: str, secret: str = "", problem: str = "", status: int = 200
) -> Answer:
    """Show the key of a new authenticator app, for a role that requires a second factor."""
    uri = ""
    if not secret:
        secret, uri = steps.start_enrolment_totp(challenge)
    return rendering.page(
        call,
        "door/enrolment.html",
        title=_title(call, marked("Add a second step")),
        status=status,
        challenge=challenge,
        secret=secret,
        uri=uri,
        to=to,
        problem=problem,
    )


@pages.post("/sign-in/enrolment", "Add an authenticator app", form=EnrolmentForm, public=True, unlocked=True)
def enrol(call: Call[EnrolmentForm]) -> Answer:
    """Opens the session and shows the recovery codes once."""
    migrations.check_once()
    body, to = call.body, own_address(call.body.next)
    _present_device(call)
    try:
        code = body.code.replace(" ", "")
        pair, codes = steps.finish_enrolment_totp(body.challenge, code, client=call.client)
    except challenges.ChallengeEnded as error:
        return show_door(call, to=to, problem=_why(call, error), status=error.http_status)
    except (Unauthenticated, second_factors.WrongCode) as error:
        why = _why(call, error)
        return _enrolment(call, body.challenge, to=to, secret=body.secret, problem=why, status=error.http_status)
    return rendering.page(
        call,
        "door/recovery_codes.html",
        title=_title(call, marked("Recovery codes")),
        with_cookies=cookies.of_session(pair, settings.current()),
        codes=codes,
        to=to,
    )


@pages.post("/sign-out", "Sign out", form=Empty, unlocked=True)
def sign_out(call: Call[Empty]) -> Answer:
    """Ends the session on the server as well."""
    if call.caller.session_id is not None:
        sessions.sign_out(call.caller.session_id)
    return see(f"/sign-in?next={quote('/')}", *cookies.ended(settings.current()))


def is_signed_in(call: AnyCall) -> bool:
    """Return True if the request has cookies of a session; it may have ended."""
    return cookies.read(call.request, cookies.REFRESH, settings.current()) is not None
