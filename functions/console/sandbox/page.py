"""/sandbox: the phone, the steps, the roles and the trace, on one page that keeps itself current."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Final
from urllib.parse import quote

import msgspec

from functions.console.frame import cookies, rendering
from functions.console.frame.pages import Pages, see
from functions.console.frame.texts import gettext as _
from functions.console.frame.texts import reading
from functions.console.sandbox import mailbox, steps, trace, wire
from functions.http.operations import Answer, AnyCall, Call
from models.audit import callers
from models.credentials import sign_in
from models.identity import queries as identity
from models.identity.queries import User
from models.identity.rules import Permission
from models.identity.sign_in.tokens import TokenPair
from models.kernel import settings
from models.kernel.errors import BadRequest
from models.kernel.open_json import JsonObject
from models.visibility.sight import Sight

pages = Pages()
operations = pages.operations

# -- limits ------------------------------------------------------------------------------------------------------------
_BUBBLES_MAX: Final = 60  # of the chat; a phone shows the last ones
_TEXT_CHARS_MAX: Final = 4_096  # a text message of the Bot API (sendMessage)

_CAST: Final = ("agent", "manager", "accountant", "admin")
_PASSWORD: Final = "nestor-demo"  # noqa: S105 -- the demo's, printed by scripts/run; the demo listens on loopback only


@dataclass(frozen=True, slots=True)
class Bubble:
    """A message on the phone. `buttons`: pairs of label and callback data."""

    id: int
    text: str
    at: datetime
    own: bool
    buttons: list[tuple[str, str]] = field(default_factory=list)


class PhoneForm(msgspec.Struct):
    """A text of Ada, or a button of a message of the bot that she presses."""

    text: Annotated[str, msgspec.Meta(max_length=_TEXT_CHARS_MAX)] = ""
    message_id: int = 0
    data: Annotated[str, msgspec.Meta(max_length=64)] = ""


class RoleForm(msgspec.Struct):
    """The role whose person to become."""

    role: Annotated[str, msgspec.Meta(max_length=40)]


@pages.get("/sandbox", "The sandbox")
def show_sandbox(call: Call) -> Answer:
    """With an If-None-Match of the page's tag, 304 while nothing changed."""
    config = settings.current()
    with reading(rendering.speaking(call)):
        title = _("Sandbox")
        ticket = steps.ticket_of_phone(Sight.of(call.caller))
        shown = steps.of(ticket)
        entries = trace.of(ticket) if Permission.tickets_read in call.caller.permissions else []
    bubbles = [_bubble(one) for one in wire.chat(config)][-_BUBBLES_MAX:]
    mails, broken = mailbox.received(config), mailbox.broken(config)
    seen = (call.caller.key, shown, entries, bubbles, mails, broken, ticket and (ticket.number, ticket.version))
    tag = hashlib.sha256(repr(seen).encode()).hexdigest()[:24]
    if call.knows(f'"{tag}"'):
        return Answer(status=304)
    return rendering.page(
        call,
        "sandbox/sandbox.html",
        title=title,
        tag=tag,
        steps=shown,
        bubbles=bubbles,
        entries=entries,
        ticket=ticket,
        people=_cast(),
        mails=mails,
        broken=broken,
    )


@pages.post("/sandbox/phone", "Act as Ada", form=PhoneForm, unlocked=True)
def act_as_ada(call: Call[PhoneForm]) -> Answer:
    """The message takes the way of every message: the Bot API's update, the webhook, the workers."""
    config, body = settings.current(), call.body
    if body.message_id:
        wire.act(config, "press", message_id=body.message_id, data=body.data)
    elif body.text.strip():
        wire.act(config, "message", text=body.text.strip())
    else:
        raise BadRequest("text: a message has a text")
    return see("/sandbox")


@pages.post("/sandbox/role", "Become another person", form=RoleForm, public=True, unlocked=True)
def take_role(call: Call[RoleForm]) -> Answer:
    """Sign in as a person of the demo. The password is public, so one press is as safe as the form."""
    return _signed_in(call, call.body.role)


@pages.get("/sandbox/start", "Start as an agent", public=True)
def start(call: Call) -> Answer:
    """A newcomer without a session becomes the agent."""
    return _signed_in(call, _CAST[0])


def _signed_in(call: AnyCall, role: str) -> Answer:
    if role not in _CAST:
        raise BadRequest(f"role: expected one of {', '.join(_CAST)}")
    config = settings.current()
    callers.current().device = cookies.read(call.request, cookies.DEVICE, config)
    email = f"{role}@example.test"
    result = sign_in.begin(email, _PASSWORD, client=call.client)
    if not isinstance(result, TokenPair):  # the person has added a second factor
        return see(f"/sign-in?next={quote('/sandbox')}")
    return see("/sandbox", *cookies.of_session(result, config))


def _cast() -> list[User]:
    found = [identity.find_by_email(f"{role}@example.test") for role in _CAST]
    return [one for one in found if one is not None]


def _bubble(message: JsonObject) -> Bubble:
    text = message.get("text") or message.get("caption") or _("(a file)")
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    buttons = [(one["text"], one["callback_data"]) for row in rows for one in row if "callback_data" in one]
    sender = message["from"]
    return Bubble(
        message["message_id"], text, datetime.fromtimestamp(message["date"], UTC), not sender["is_bot"], buttons
    )
