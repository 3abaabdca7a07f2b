"""/portal/sign-in and /portal/links: a requester asks for a link, opens it, and presses the button on its page."""

from __future__ import annotations

from typing import Annotated

import msgspec

from functions.console.frame import cookies, rendering
from functions.console.frame.pages import Pages, see
from functions.console.frame.texts import gettext as _
from functions.console.frame.texts import marked, ngettext, reading
from functions.console.portal import visits
from functions.http.operations import Answer, AnyCall, Call
from models import migrations
from models.desk_mail import commands as desk_mail
from models.kernel import limits, settings
from models.kernel.errors import TooManyRequests, Unauthenticated
from models.kernel.storage import database
from models.portal import sign_in
from models.portal.sign_in import LinkEnded

pages = Pages()
operations = pages.operations


class AddressForm(msgspec.Struct):
    """The mail address of a requester."""

    email: Annotated[str, msgspec.Meta(max_length=limits.email_address_chars_max)] = ""


class LinkForm(msgspec.Struct):
    """The token of the link whose button was pressed."""

    token: Annotated[str, msgspec.Meta(max_length=200)] = ""


class Nothing(msgspec.Struct):
    """A form without values."""


@pages.get("/portal/sign-in", "Sign in at the portal", public=True)
def show_door(call: Call) -> Answer:
    """A visitor who is signed in goes on to the requests."""
    try:
        visits.visitor_of(call)
    except Unauthenticated:
        return _door(call)
    return see("/portal")


def _door(call: AnyCall, *, email: str = "", problem: str = "", status: int = 200) -> Answer:
    return rendering.page(
        call,
        "portal/sign_in.html",
        title=visits.titled(call, marked("My requests")),
        status=status,
        email=email,
        problem=problem,
        has_mail=desk_mail.system_account() is not None,
    )


@pages.post("/portal/sign-in", "Ask for a link", form=AddressForm, public=True, unlocked=True)
def ask_for_link(call: Call[AddressForm]) -> Answer:
    """The answer is the same for every address, so nobody learns which addresses the desk knows."""
    with database.connection():
        migrations.check_once()
    email = call.body.email.strip()
    with reading(rendering.speaking(call)):
        if "@" not in email:
            return _door(call, email=email, problem=_("Write an e-mail address, such as ada@example.com."), status=422)
        language = rendering.speaking(call)
        try:
            sign_in.request_link(email, locale=language, client=call.client)
        except TooManyRequests as error:
            minutes = max(1, round(getattr(error, "retry_after_s", 60) / 60))
            why = ngettext(
                "Too many tries. Try again in %(num)s minute.", "Too many tries. Try again in %(num)s minutes.", minutes
            )
            return _door(call, email=email, problem=why, status=429)
        title = _("Look into your mailbox")
    return rendering.page(call, "portal/sent.html", title=title, email=email)


@pages.get("/portal/links/{token}", "Open a sign-in link", public=True)
def show_link(call: Call) -> Answer:
    """Shows whom the link signs in, and a button. It writes nothing, because mail programs and scanners open links."""
    token = call.params["token"]
    try:
        address = sign_in.address_of(token)
    except LinkEnded as error:
        return _ended(call, error.http_status)
    title = visits.titled(call, marked("Sign in"))
    return rendering.page(call, "portal/link.html", title=title, token=token, address=address)


@pages.post("/portal/links", "Sign in by a link", form=LinkForm, public=True, unlocked=True)
def use_link(call: Call[LinkForm]) -> Answer:
    """Opens a new session, and ends the one that the browser had."""
    config = settings.current()
    try:
        with database.connection(), database.transaction():
            made, _end = sign_in.sign_in(call.body.token, former=visits.token_of(call, config))
    except LinkEnded as error:
        return _ended(call, error.http_status)
    return see("/portal", visits.started(made, config))


def _ended(call: AnyCall, status: int) -> Answer:
    with database.connection():
        with reading(rendering.speaking(call)):
            why = _("This link was used, or is older than half an hour. Ask for a new one.")
        return _door(call, problem=why, status=status)


@pages.post("/portal/sign-out", "Sign out of the portal", form=Nothing, public=True)
def leave_portal(call: Call[Nothing]) -> Answer:
    """Ends the session on the server as well. A form of another site is refused by its origin."""
    config = settings.current()
    token = visits.token_of(call, config)
    if token is not None:
        sign_in.sign_out(token)
    with reading(rendering.speaking(call)):
        toast = cookies.Toast(_("You are signed out."))
    return see(visits.DOOR, visits.over(config), cookies.toast(toast, config))
