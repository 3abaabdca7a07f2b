"""/v1/me/addresses: the chat accounts by which an agent works from a staff group."""

from __future__ import annotations

import msgspec

from functions.http.operations import Answer, Call, Operations
from models.channels import accounts
from models.identity.rules import Permission
from models.kernel import database, limits
from models.kernel.errors import Conflict
from models.staff import addresses

operations = Operations()


class OwnAddress(msgspec.Struct):
    """What is written from there in a staff group is said as its owner."""

    channel: str
    address: str


class OwnAddresses(msgspec.Struct):
    """The caller's."""

    items: list[OwnAddress]


class OwnLink(msgspec.Struct):
    """Open it in Telegram: once, within a day. `url` is null when the account names no bot_username."""

    token: str
    url: str | None
    expires_in_s: int


@operations.add(
    "GET", "/v1/me/addresses", summary="My chat accounts", needs=Permission.tickets_write, answers={200: OwnAddresses}
)
def list_own_addresses(call: Call) -> Answer:
    """Linked by opening a link of one's own."""
    found = addresses.of_user(call.caller.id) if call.caller.kind == "user" else []
    return Answer(OwnAddresses([OwnAddress(one["channel"], one["address"]) for one in found]))


@operations.add(
    "POST",
    "/v1/me/address_links",
    summary="Link my chat account",
    needs=Permission.tickets_write,
    answers={201: OwnLink},
    problems=(409,),
    unlocked=True,
)
def link_own_address(call: Call) -> Answer:
    """The token is in this answer and nowhere else, so no Idempotency-Key is taken."""
    if call.caller.kind != "user":
        raise Conflict("an API key is nobody who writes in a chat; sign in as an agent")
    with database.connection(), database.transaction():
        token = addresses.make_link(call.caller.id)
        account = accounts.of_deep_links()
    url = accounts.deep_link(account, token)
    link = OwnLink(token, url, int(limits.link_works_s))
    return Answer(link, status=201, headers={"Cache-Control": "no-store"})


@operations.add(
    "DELETE",
    "/v1/me/addresses/{channel}/{address}",
    summary="Unlink a chat account",
    needs=Permission.tickets_write,
    answers={204: None},
    problems=(404,),
)
def unlink_own_address(call: Call) -> Answer:
    """What is written from there changes nothing any more."""
    addresses.unlink(call.caller.id, call.params["channel"], call.params["address"])
    return Answer(status=204)
