"""The small pages of the frame: the start, more places, the look, and the style guide of the demo."""

from __future__ import annotations

from typing import Annotated

import msgspec

from functions.console.frame import look, rendering
from functions.console.frame.pages import Pages, own_address, see
from functions.console.frame.texts import gettext as _
from functions.console.frame.texts import reading
from functions.http.operations import Answer, Call
from models.identity.rules import Permission
from models.kernel import settings
from models.kernel.errors import NotFound

pages = Pages()
operations = pages.operations
Address = Annotated[str, msgspec.Meta(max_length=2_000)]


class LookForm(msgspec.Struct):
    """The values of the look to change, and the page to show next."""

    theme: str = ""
    density: str = ""
    keys: str = ""
    next: Address = "/"


class LanguageForm(msgspec.Struct):
    """The language of a browser before a sign-in, and the page to show next."""

    language: Annotated[str, msgspec.Meta(max_length=40)]
    next: Address = "/"


@pages.get("/", "The start")
def start(call: Call) -> Answer:
    """Leads to the inbox, or to the profile of a user who reads no tickets; in the demo to the sandbox."""
    if settings.current().sandbox_url:
        return see("/sandbox")
    return see("/inbox" if Permission.tickets_read in call.caller.permissions else "/me")


@pages.get("/more", "All places")
def show_more(call: Call) -> Answer:
    """The navigation as a page, for phones."""
    with reading(rendering.speaking(call)):
        title = _("More")
    return rendering.page(call, "frame/more.html", title=title)


@pages.post("/look", "Change the look", form=LookForm)
def change_look(call: Call[LookForm]) -> Answer:
    """Keeps theme, density and keys in a cookie of this browser."""
    config, body = settings.current(), call.body
    changed = look.of(call.request, config).changed(theme=body.theme, density=body.density, keys=body.keys)
    return see(own_address(body.next), changed.cookie(config))


@pages.post("/look/language", "Change the language of this browser", form=LanguageForm, public=True)
def change_language(call: Call[LanguageForm]) -> Answer:
    """Before a sign-in; a user's own language is in the profile."""
    config = settings.current()
    changed = look.of(call.request, config).changed(language=call.body.language)
    to = own_address(call.body.next)
    # Pages of a step after the password exist only as the answer to a form.
    return see("/sign-in" if to.startswith("/sign-in/") else to, changed.cookie(config))


@pages.get("/styleguide", "The components")
def show_styleguide(call: Call) -> Answer:
    """Every component in its states; in the demo only."""
    if not settings.current().sandbox_url:
        raise NotFound("The style guide exists in the demo only.")
    with reading(rendering.speaking(call)):
        title = _("Components")
    return rendering.page(call, "frame/styleguide.html", title=title)
