"""/me/password and /me/second-factor: how the signed-in user signs in. Each change needs the password."""

from __future__ import annotations

from typing import Annotated

import msgspec

from functions.console.frame import cookies, rendering
from functions.console.frame.pages import Pages, see
from functions.console.frame.texts import gettext as _
from functions.console.frame.texts import marked, reading
from functions.http.operations import Answer, AnyCall, Call
from models.credentials import recovery_codes, second_factors
from models.identity import own_password, queries
from models.kernel import limits, settings
from models.kernel.errors import FieldProblem, Invalid, NestorError, NotFound, TooManyRequests
from models.kernel.ids import parse_id
from models.kernel.storage import database

pages = Pages()
operations = pages.operations
Password = Annotated[str, msgspec.Meta(max_length=limits.password_chars_max)]


class PasswordForm(msgspec.Struct):
    """The current password and the new one."""

    current: Password = ""
    new: Password = ""


class ProofForm(msgspec.Struct):
    """The password of the caller."""

    password: Password = ""


class AppForm(msgspec.Struct):
    """The first code of the app, and the key that the form shows again after a wrong one."""

    code: Annotated[str, msgspec.Meta(max_length=40)] = ""
    secret: Annotated[str, msgspec.Meta(max_length=200)] = ""


class RemovalForm(msgspec.Struct):
    """The second factor to remove, and the password."""

    factor: Annotated[str, msgspec.Meta(max_length=60)]
    password: Password = ""


def _told(call: AnyCall, error: NestorError) -> Answer:
    """Lead back to the profile with the reason."""
    with reading(rendering.speaking(call)):
        if isinstance(error, Invalid):
            text = "; ".join(one.message for one in error.problems)
        elif isinstance(error, TooManyRequests):
            text = _("Too many tries. Wait a little.")
        elif isinstance(error, own_password.WrongPassword):
            text = _("The password is wrong.")
        else:
            text = error.message
    return see("/me", cookies.toast(cookies.Toast(text, bad=True), settings.current()))


def _done(call: AnyCall, text: str) -> Answer:
    with reading(rendering.speaking(call)):
        return see("/me", cookies.toast(cookies.Toast(_(text)), settings.current()))


def _codes(call: AnyCall, codes: list[str]) -> Answer:
    with reading(rendering.speaking(call)):
        title = _("Recovery codes")
    return rendering.page(call, "door/recovery_codes.html", title=title, codes=codes, to="/me")


@pages.post("/me/password", "Change your password", form=PasswordForm, unlocked=True)
def change_own_password(call: Call[PasswordForm]) -> Answer:
    """Ends all other sessions."""
    session_id = call.caller.session_id
    assert session_id is not None, "a form belongs to a session"
    try:
        own_password.change(
            call.caller.id, call.body.current, call.body.new, session_id=session_id, actor=call.caller.actor
        )
    except (Invalid, TooManyRequests, own_password.WrongPassword) as error:
        return _told(call, error)
    return _done(call, marked("Password changed. Other browsers are signed out."))


@pages.post("/me/second-factor", "Start to add an authenticator app", form=ProofForm, unlocked=True)
def start_app(call: Call[ProofForm]) -> Answer:
    """Shows the key of the app. Sign-ins need the app after its first code."""
    try:
        own_password.check(call.caller.id, call.body.password)
        with database.connection(), database.transaction():
            secret, uri = second_factors.start_totp(queries.lock_user(call.caller.id))
    except NestorError as error:
        return _told(call, error)
    return _key(call, secret, uri)


def _key(call: AnyCall, secret: str, uri: str = "", problem: str = "") -> Answer:
    with reading(rendering.speaking(call)):
        title, shown = _("Add an authenticator app"), problem and _(problem)
    return rendering.page(call, "profile/app.html", title=title, secret=secret, uri=uri, problem=shown)


@pages.post("/me/second-factor/confirmation", "Add an authenticator app", form=AppForm, unlocked=True)
def confirm_app(call: Call[AppForm]) -> Answer:
    """Shows the recovery codes with the first second factor of the account."""
    code = call.body.code.replace(" ", "")
    try:
        with database.connection(), database.transaction():
            user = queries.lock_user(call.caller.id)
            codes = second_factors.confirm_totp(user, code, actor=call.caller.actor)
    except second_factors.WrongCode:
        return _key(call, call.body.secret, problem=marked("The code is wrong, or was used before."))
    except NestorError as error:
        return _told(call, error)
    return _codes(call, codes) if codes else _done(call, marked("The app is added."))


@pages.post("/me/second-factor/removal", "Remove a second factor", form=RemovalForm, unlocked=True)
def remove_factor(call: Call[RemovalForm]) -> Answer:
    """The last one stays if the role of the user requires a second factor."""
    factor = parse_id(call.body.factor)
    try:
        own_password.check(call.caller.id, call.body.password)
        if factor is None:
            raise NotFound("there is no such second factor")
        with database.connection(), database.transaction():
            second_factors.remove(call.caller.id, factor, actor=call.caller.actor)
    except NestorError as error:
        return _told(call, error)
    return _done(call, marked("The second step is removed."))


@pages.post("/me/recovery-codes", "Create new recovery codes", form=ProofForm, unlocked=True)
def renew_codes(call: Call[ProofForm]) -> Answer:
    """Ends the earlier codes."""
    try:
        own_password.check(call.caller.id, call.body.password)
        with database.connection(), database.transaction():
            queries.lock_user(call.caller.id)
            if not second_factors.of_user(call.caller.id):
                raise Invalid([FieldProblem("password", _("Recovery codes replace a second step, and you have none."))])
            codes = recovery_codes.replace_all(call.caller.id, actor=call.caller.actor)
    except NestorError as error:
        return _told(call, error)
    return _codes(call, codes)
