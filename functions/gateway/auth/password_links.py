"""/v1/auth/password_resets and /v1/auth/passwords: choose a password by a link from the desk's own mail."""

from __future__ import annotations

from typing import Annotated

import msgspec

from functions.gateway.staff.people import Password
from functions.http.operations import Answer, Call, Operations
from functions.views import pages
from models import migrations
from models.credentials import password_links
from models.desk_mail import commands as desk_mail
from models.identity.rules import Permission
from models.kernel import limits

operations = Operations()


class PasswordReset(msgspec.Struct, forbid_unknown_fields=True):
    """The e-mail address of the user who forgot the password."""

    email: Annotated[str, msgspec.Meta(max_length=limits.email_address_chars_max)]


class ChosenPassword(msgspec.Struct, forbid_unknown_fields=True):
    """The token of the link, and the password to set."""

    token: Annotated[str, msgspec.Meta(max_length=200)]
    password: Password


@operations.add(
    "POST",
    "/v1/auth/password_resets",
    summary="Request a password reset",
    public=True,
    unlocked=True,
    body=PasswordReset,
    answers={202: None},
    problems=(429,),
)
def request_password_reset(call: Call[PasswordReset]) -> Answer:
    """Sends a link to the address if it belongs to an active user. The response is the same for every address."""
    migrations.check_once()
    password_links.request_reset(call.body.email, client=call.client)
    return Answer(status=202)


@operations.add(
    "POST",
    "/v1/auth/passwords",
    summary="Choose a password by a link",
    public=True,
    unlocked=True,
    body=ChosenPassword,
    answers={204: None},
    problems=(409,),
)
def choose_password(call: Call[ChosenPassword]) -> Answer:
    """Sets the password of an invitation or a reset.

    The token works once, for 30 minutes. Ends all sessions of the user. The user then signs in with the new password,
    and with the second factor if there is one.
    """
    migrations.check_once()
    password_links.redeem(call.body.token, call.body.password)
    return Answer(status=204)


@operations.add(
    "POST",
    "/v1/users/{user}/invitations",
    summary="Invite a user",
    needs=Permission.users_manage,
    answers={202: None},
    problems=(404, 409),
)
def invite_user(call: Call) -> Answer:
    """Mails the user a link to choose a password. The response does not contain the link."""
    desk_mail.require_system_account()
    password_links.send(pages.id_of(call.params["user"], "user"), "invitation")
    return Answer(status=202)
