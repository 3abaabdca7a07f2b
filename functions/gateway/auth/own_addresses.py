"""/v1/me/addresses: the chat accounts by which an agent works from a staff group."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec

from functions.http.operations import Answer, Call, Idempotency, Operations
from models.channels import accounts
from models.identity.rules import Permission
from models.inbound import address_links
from models.kernel import limits
from models.kernel.errors import Conflict
from models.kernel.storage import database
from models.requesters.link_numbers import WrongNumber
from models.staff import addresses

operations = Operations()


class OwnAddress(msgspec.Struct):
    """A chat address. A message from it in a staff group counts as a message of its owner."""

    channel: str
    address: str


class OwnAddresses(msgspec.Struct):
    """The caller's chat addresses."""

    items: list[OwnAddress]


class OwnLink(msgspec.Struct):
    """A link to open in Telegram within ten minutes. The chat shows a number, which is entered here.

    `url` is null when the channel account has no `bot_username`.
    """

    token: str
    url: str | None
    expires_in_s: int


@operations.add(
    "GET",
    "/v1/me/addresses",
    summary="List the caller's chat addresses",
    needs=Permission.tickets_write,
    answers={200: OwnAddresses},
)
def list_own_addresses(call: Call) -> Answer:
    """Addresses that the caller connected by a link."""
    return Answer(_of_user(call.caller.id) if call.caller.kind == "user" else OwnAddresses([]))


def _of_user(user_id: UUID) -> OwnAddresses:
    return OwnAddresses([OwnAddress(one["channel"], one["address"]) for one in addresses.of_user(user_id)])


@operations.add(
    "POST",
    "/v1/me/address_links",
    summary="Create a link to connect a chat address",
    needs=Permission.tickets_write,
    answers={201: OwnLink},
    problems=(409,),
    unlocked=True,
    idempotency=Idempotency.refused,
)
def link_own_address(call: Call) -> Answer:
    """The token is returned only once, so an Idempotency-Key is refused."""
    if call.caller.kind != "user":
        raise Conflict("An API key cannot have a chat address; sign in as a user.")
    with database.connection(), database.transaction():
        token = addresses.make_link(call.caller.id)
        account = accounts.of_deep_links()
    url = accounts.deep_link(account, token)
    link = OwnLink(token, url, int(limits.link_works_s))
    return Answer(link, status=201, headers={"Cache-Control": "no-store"})


class OwnLinkConfirmation(msgspec.Struct, forbid_unknown_fields=True):
    """The token of the link, and the number that the chat shows."""

    token: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    number: Annotated[str, msgspec.Meta(min_length=1, max_length=12)]


@operations.add(
    "POST",
    "/v1/me/address_link_confirmations",
    summary="Confirm a link to a chat address",
    needs=Permission.tickets_write,
    body=OwnLinkConfirmation,
    answers={200: OwnAddresses},
    problems=(409,),
    unlocked=True,
)
def confirm_own_address(call: Call[OwnLinkConfirmation]) -> Answer:
    """Connects the chat to the caller, who gets a mail about it. Each wrong attempt counts.

    The connection ends when the caller's password or role changes, or when the caller is deactivated.
    """
    if call.caller.kind != "user":
        raise Conflict("An API key cannot have a chat address; sign in as a user.")
    with database.connection():
        refused: WrongNumber | None = None
        with database.transaction():
            try:
                address_links.confirm_for_user(call.caller.id, call.body.token, call.body.number)
            except WrongNumber as wrong:
                refused = wrong
        if refused is not None:
            raise refused
        return Answer(_of_user(call.caller.id))


@operations.add(
    "DELETE",
    "/v1/me/addresses/{channel}/{address}",
    summary="Disconnect a chat address",
    needs=Permission.tickets_write,
    answers={204: None},
    problems=(404,),
)
def unlink_own_address(call: Call) -> Answer:
    """Messages from this address are no longer attributed to the caller."""
    addresses.unlink(call.caller.id, call.params["channel"], call.params["address"])
    return Answer(status=204)
