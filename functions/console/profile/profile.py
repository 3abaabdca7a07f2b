"""/me: the profile of the signed-in user."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec

from functions.console.frame import cookies, formats, rendering
from functions.console.frame.pages import Pages, see
from functions.console.frame.texts import LANGUAGES, reading
from functions.console.frame.texts import gettext as _
from functions.console.profile import browsers
from functions.http.operations import Answer, Call
from models.credentials import recovery_codes, second_factors
from models.identity import commands as identity
from models.identity.sign_in import session_list
from models.kernel import settings
from models.kernel.errors import FieldProblem, Invalid
from models.kernel.ids import parse_id

pages = Pages()
formats.FILTERS["browser"] = browsers.name_of
operations = pages.operations


class LanguageForm(msgspec.Struct):
    """The language of the user."""

    language: Annotated[str, msgspec.Meta(max_length=40)]


class SessionForm(msgspec.Struct):
    """The session to end; without one, all others."""

    session: Annotated[str, msgspec.Meta(max_length=60)] = ""


@pages.get("/me", "Your profile")
def show_profile(call: Call) -> Answer:
    """Language, theme, keys, and where the user is signed in."""
    with reading(rendering.speaking(call)):
        title = _("Profile")
    me = call.caller.id
    return rendering.page(
        call,
        "profile/profile.html",
        title=title,
        sessions=session_list.of_user(me),
        own=call.caller.session_id,
        factors=second_factors.of_user(me),
        codes_left=recovery_codes.left(me),
    )


@pages.post("/me/language", "Change your language", form=LanguageForm)
def change_own_language(call: Call[LanguageForm]) -> Answer:
    """The language of pages, and of the desk's mails to the user."""
    if call.body.language not in LANGUAGES:
        raise Invalid([FieldProblem("language", f"expected one of {', '.join(LANGUAGES)}")])
    identity.update_user(call.caller.id, {"locale": call.body.language}, expected_version=None, actor=call.caller.actor)
    with reading(call.body.language):
        return see("/me", cookies.toast(cookies.Toast(_("Language changed")), settings.current()))


@pages.post("/me/sessions", "End sessions", form=SessionForm)
def end_sessions(call: Call[SessionForm]) -> Answer:
    """Ends one session, or all except the current one."""
    wanted: UUID | None = parse_id(call.body.session) if call.body.session else None
    if wanted is None:
        session_list.end_all(call.caller.id, but=call.caller.session_id, actor=call.caller.actor)
    else:
        session_list.end(call.caller.id, wanted, actor=call.caller.actor)
    with reading(rendering.speaking(call)):
        return see("/me", cookies.toast(cookies.Toast(_("Signed out there")), settings.current()))
