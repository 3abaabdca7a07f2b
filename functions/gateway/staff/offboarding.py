"""/v1/users/{user}/holdings and /v1/users/{user}/handovers: what a person holds, and its hand-over."""

from __future__ import annotations

from uuid import UUID

import msgspec

from functions.http.operations import Answer, Call, Operations
from functions.views import pages
from models.identity.rules import Permission
from models.offboarding import commands as offboarding

operations = Operations()


class KeyHeld(msgspec.Struct):
    """An API key that the user owns."""

    id: UUID
    name: str
    role: str


class WebhookHeld(msgspec.Struct):
    """An outgoing webhook that the user owns."""

    id: UUID
    url: str
    state: str


class AddressHeld(msgspec.Struct):
    """A chat address that counts as the user's."""

    channel: str
    address: str


class HoldingsShown(msgspec.Struct):
    """The things that a user holds. A deactivation ends them, except membership of teams, and frees the tickets.

    `tickets` counts the open tickets that are assigned to the user, `views` the own views of lists. The own
    `saved_replies`, `macros`, `signatures` and `drafts` are removed; a handover gives saved replies and macros on.
    """

    sessions: int
    api_keys: list[KeyHeld]
    webhooks: list[WebhookHeld]
    addresses: list[AddressHeld]
    teams: list[str]
    tickets: int
    views: int
    saved_replies: int
    macros: int
    signatures: int
    drafts: int


class Handover(msgspec.Struct, forbid_unknown_fields=True):
    """The user who gets the API keys, the outgoing webhooks, the views, the own saved replies and macros and, unless
    `tickets` is false, the open tickets.
    """

    to: UUID
    tickets: bool = True


class HandedOverShown(msgspec.Struct):
    """The number of things that got another owner. `tickets` counts the open tickets, which move in the background."""

    api_keys: int
    webhooks: int
    tickets: int
    views: int
    saved_replies: int
    macros: int


@operations.add(
    "GET",
    "/v1/users/{user}/holdings",
    summary="List what a user holds",
    needs=Permission.users_manage,
    answers={200: HoldingsShown},
    problems=(404,),
)
def read_holdings(call: Call) -> Answer:
    """Read it before you deactivate a user, and hand over what must go on."""
    held = offboarding.of_user(pages.id_of(call.params["user"], "user"))
    shown = HoldingsShown(
        held.sessions,
        [KeyHeld(key.id, key.name, key.role) for key in held.api_keys],
        [WebhookHeld(webhook.id, webhook.url, webhook.state) for webhook in held.webhooks],
        [AddressHeld(one["channel"], one["address"]) for one in held.addresses],
        held.teams,
        held.tickets,
        held.views,
        held.texts.saved_replies,
        held.texts.macros,
        held.texts.signatures,
        held.texts.drafts,
    )
    return Answer(shown)


@operations.add(
    "POST",
    "/v1/users/{user}/handovers",
    summary="Hand over what a user holds",
    needs=Permission.users_manage,
    recent=True,
    body=Handover,
    answers={201: HandedOverShown},
    problems=(404, 409),
)
def hand_over(call: Call[Handover]) -> Answer:
    """Gives all API keys, outgoing webhooks, views, own saved replies and macros and open tickets of the user to
    another active user, or nothing. A saved reply whose shortcut the other user has loses its shortcut. A user who is
    away gets no tickets (409 `assignee_away`). The signature and drafts stay with the user.

    Each ticket is assigned by an event of its own, within moments after the response. The new owner must have all
    rights of the keys, as the caller must.
    """
    user_id = pages.id_of(call.params["user"], "user")
    done = offboarding.hand_over(
        user_id, call.body.to, by=call.caller, actor=call.caller.actor, with_tickets=call.body.tickets
    )
    shown = HandedOverShown(done.api_keys, done.webhooks, done.tickets, done.views, done.saved_replies, done.macros)
    return Answer(shown, status=201)
