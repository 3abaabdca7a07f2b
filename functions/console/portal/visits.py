"""The visitor of the portal: the cookie of the session, and the pages and forms that need one.

A visitor is no user of the desk, so the portal has a cookie of its own. A user's session opens nothing here, and a
visitor's opens nothing of the console.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from functions.console.frame import cookies, rendering, session
from functions.console.frame.pages import see
from functions.console.frame.texts import gettext as _
from functions.console.frame.texts import reading
from functions.http.operations import Answer, AnyCall
from models.kernel import settings
from models.kernel.errors import Unauthenticated
from models.kernel.settings import Settings
from models.portal import limits, sign_in
from models.portal.sign_in import Visitor

COOKIE: Final = "nestor_portal"
DOOR: Final = "/portal/sign-in"


def token_of(call: AnyCall, config: Settings) -> str | None:
    """Return the token of the browser's session, which may have ended."""
    return cookies.read(call.request, COOKIE, config)


def visitor_of(call: AnyCall) -> Visitor:
    """Return the visitor. Needs a connection. Raises Unauthenticated."""
    return sign_in.authenticate(token_of(call, settings.current()))


def with_visitor(handler: Callable[[Any, Visitor], Answer]) -> Callable[[Any], Answer]:
    """Make a page for visitors; anybody else is led to the sign-in."""

    @wraps(handler)
    def show(call: AnyCall) -> Answer:
        try:
            visitor = visitor_of(call)
        except Unauthenticated:
            return see(DOOR)
        return handler(call, visitor)

    return show


def ended(call: AnyCall) -> Answer:
    """Answer a form of a session that has ended. A script keeps what was typed (portal.js)."""
    with reading(rendering.speaking(call)):
        text = _("Your visit has ended. Sign in again; what you typed is kept in this tab.")
    return see(DOOR, cookies.toast(cookies.Toast(text, bad=True), settings.current()))


def started(token: str, config: Settings) -> str:
    """Return the cookie of a new session."""
    return cookies.made(COOKIE, token, config, max_age_s=int(limits.session_s))


def over(config: Settings) -> str:
    """Return the cookie that ends the session in the browser."""
    return cookies.made(COOKIE, "", config, max_age_s=0)


def form_token(visitor: Visitor) -> str:
    """Return the token of a form of this session."""
    return session.form_token(visitor.session_id, settings.current())


def titled(call: AnyCall, text: str) -> str:
    """Return a marked text in the caller's language."""
    with reading(rendering.speaking(call)):
        return _(text)


def page(call: AnyCall, visitor: Visitor, template: str, *, title: str, status: int = 200, **values: Any) -> Answer:
    """Return a page of a visitor."""
    return rendering.page(
        call, template, title=title, status=status, visitor=visitor, csrf=form_token(visitor), **values
    )
