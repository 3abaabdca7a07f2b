"""/v1/requesters/{requester}: the addresses of a requester, and the links and codes that prove them."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

import msgspec

from functions.gateway.requester.requesters import Address, Requester, check_channel, id_of, represented
from functions.http.operations import Answer, Call, Idempotency, Operations
from functions.views import pages
from functions.views.texts import Comment, Email
from models.channels import accounts
from models.identity.rules import Permission
from models.inbound import address_links
from models.kernel import limits
from models.kernel.storage import database
from models.requesters import codes, link_numbers, links, profile, queries

operations = Operations()


class NewIdentity(msgspec.Struct, forbid_unknown_fields=True):
    """An address that belongs to the requester. `channel` names a channel of the desk, such as `email`."""

    channel: str
    address: Address


class IdentityChange(msgspec.Struct, forbid_unknown_fields=True):
    """`blocked` ignores new messages from the address, for the given reason; `suppressed: false` allows sending to it
    again.
    """

    channel: str
    address: Address
    blocked: bool | msgspec.UnsetType = msgspec.UNSET
    suppressed: Literal[False] | msgspec.UnsetType = msgspec.UNSET
    reason: Comment = ""


class NewLink(msgspec.Struct, forbid_unknown_fields=True):
    """The chat account of a deep link; the default account when it is left out."""

    account: str | None = None


class Link(msgspec.Struct):
    """A deep link. The chat that opens it within ten minutes shows a number. Entering the number here adds the chat to
    the requester.

    `url` is null when the account has no `bot_username`.
    """

    token: str
    url: str | None
    expires_in_s: int


class NewCode(msgspec.Struct, forbid_unknown_fields=True):
    """A mail address to verify."""

    address: Email
    account: str | None = None


class Code(msgspec.Struct):
    """A verification code that was sent. Return its digits with this id."""

    id: UUID
    expires_in_s: int


class Verification(msgspec.Struct, forbid_unknown_fields=True):
    """The six digits of a verification code."""

    digits: Annotated[str, msgspec.Meta(min_length=1, max_length=12)]


@operations.add(
    "POST",
    "/v1/requesters/{requester}/identities",
    summary="Add an address to a requester",
    needs=Permission.requesters_write,
    body=NewIdentity,
    answers={201: Requester},
    problems=(404, 409),
)
def add_identity(call: Call[NewIdentity]) -> Answer:
    """Answers 409 when another requester has the address; merge the two if they are one person."""
    check_channel(call.body.channel)
    profile.add_address(id_of(call), call.body.channel, call.body.address)
    return represented(call, 201)


@operations.add(
    "POST",
    "/v1/requesters/{requester}/identity_changes",
    summary="Block or unblock an address",
    needs=Permission.requesters_write,
    body=IdentityChange,
    answers={200: Requester},
    problems=(404,),
)
def change_identity(call: Call[IdentityChange]) -> Answer:
    """Messages from a blocked address are ignored. The inbox records the reason."""
    body = call.body
    if body.blocked is not msgspec.UNSET:
        reason = (body.reason or f"blocked by {call.caller.name}") if body.blocked else None
        profile.set_blocked(id_of(call), body.channel, body.address, reason)
    if body.suppressed is False:
        profile.lift_suppression(id_of(call), body.channel, body.address)
    return represented(call)


@operations.add(
    "POST",
    "/v1/requesters/{requester}/links",
    summary="Create a deep link",
    needs=Permission.requesters_write,
    body=NewLink,
    answers={201: Link},
    problems=(404,),
    unlocked=True,
    idempotency=Idempotency.refused,
)
def make_link(call: Call[NewLink]) -> Answer:
    """The token is returned only once, so an Idempotency-Key is refused."""

    with database.connection(), database.transaction():
        queries.get(id_of(call))
        account = accounts.of_deep_links(call.body.account)
        token = links.make(id_of(call), made_by=call.caller.name)
    url = accounts.deep_link(account, token)
    return Answer(Link(token, url, int(limits.link_works_s)), status=201, headers={"Cache-Control": "no-store"})


class LinkConfirmation(msgspec.Struct, forbid_unknown_fields=True):
    """The token of a deep link, and the number that the chat shows."""

    token: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    number: Annotated[str, msgspec.Meta(min_length=1, max_length=12)]


@operations.add(
    "POST",
    "/v1/requesters/{requester}/link_confirmations",
    summary="Confirm a deep link",
    needs=Permission.requesters_write,
    body=LinkConfirmation,
    answers={200: Requester},
    problems=(404, 409),
    unlocked=True,
)
def confirm_link(call: Call[LinkConfirmation]) -> Answer:
    """Adds the chat to the requester, and tells their other addresses. Each wrong attempt counts."""

    with database.connection():
        refused: link_numbers.WrongNumber | None = None
        with database.transaction():
            queries.get(id_of(call))
            try:
                address_links.confirm_for_requester(id_of(call), call.body.token, call.body.number)
            except link_numbers.WrongNumber as wrong:
                refused = wrong
        if refused is not None:
            raise refused
        return represented(call)


@operations.add(
    "POST",
    "/v1/requesters/{requester}/codes",
    summary="Send a verification code",
    needs=Permission.requesters_write,
    body=NewCode,
    answers={201: Code},
    problems=(404, 409),
)
def send_code(call: Call[NewCode]) -> Answer:
    """Sends six digits to the address. Whoever returns them owns the address."""
    account = accounts.of_emails(call.body.account)
    code_id = codes.send(
        id_of(call), call.body.address, channel=account.channel, account=account.name, sender=call.caller.key
    )
    return Answer(Code(code_id, int(limits.code_works_s)), status=201)


@operations.add(
    "POST",
    "/v1/requesters/{requester}/codes/{code}/verification",
    summary="Verify an address",
    needs=Permission.requesters_write,
    body=Verification,
    answers={200: Requester},
    problems=(404, 409),
    unlocked=True,
)
def verify_code(call: Call[Verification]) -> Answer:
    """The address becomes the requester's.

    Another requester that had it is merged into this one. Each wrong attempt counts.
    """

    with database.connection():
        with database.transaction():
            try:
                codes.verify(id_of(call), pages.id_of(call.params["code"], "code"), call.body.digits)
            except codes.WrongCode as wrong:
                refused: codes.WrongCode | None = wrong
            else:
                refused = None
        if refused is not None:
            raise refused
        return represented(call)
