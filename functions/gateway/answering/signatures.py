"""/v1/me/signature and /v1/teams/{team}/signature: signatures of mails."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from functions.gateway.answering.saved_replies import Language
from functions.gateway.sights import ticket_of
from functions.http.operations import Answer, AnyCall, Call, Operations
from functions.views import representations as show
from models.audit import entries as audit
from models.audit.actions import AuditAction
from models.identity.rules import Permission
from models.kernel.errors import Conflict
from models.saved_replies.reach import Reach, Scope
from models.signatures import commands
from models.signatures.commands import Owner
from models.teams import queries as teams
from models.ticket_actions import signing
from models.tickets.ticket_change import TicketChange

operations = Operations()

_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=commands.signature_chars_max)]


class Signature(msgspec.Struct):
    """A signature of mails. `texts` has a text for each language."""

    texts: dict[str, str]
    body_format: str
    version: int
    updated_at: datetime


class NewSignature(msgspec.Struct, forbid_unknown_fields=True):
    """A signature as a whole. A text may have the variables of saved replies, such as `{{ agent.name }}`."""

    texts: Annotated[dict[Language, _Text], msgspec.Meta(min_length=1, max_length=40)]
    body_format: Literal["text", "markdown"] = "text"


class RenderedSignature(msgspec.Struct):
    """The signature of the caller's next mail in a ticket; `text` is empty if there is none. `owner_kind`: user or
    team.
    """

    text: str
    body_format: str
    owner_kind: str | None


def _own(call: AnyCall) -> Owner:
    if call.caller.kind != "user":
        raise Conflict("An API key has no signature; sign in as a user.")
    return Owner.user(call.caller.id)


def _of_team(call: AnyCall) -> Owner:
    return Owner.team(teams.get(call.params["team"])["name"])


def _shown(row: commands.SignatureRow) -> Answer:
    return Answer(show.copied(Signature, row), headers=show.etag(row["version"]))


def _changed(owner: Owner, call: AnyCall) -> None:
    Reach.of(call.caller).check(Scope.team, owner.name)
    audit.record(AuditAction.signature_changed, "team", owner.name)


@operations.add(
    "GET",
    "/v1/me/signature",
    summary="Get the caller's signature",
    needs=Permission.tickets_write,
    answers={200: Signature},
    problems=(404, 409),
)
def read_own(call: Call) -> Answer:
    """A person without one signs with the signature of the ticket's team."""
    return _shown(commands.get(_own(call)))


@operations.add(
    "PUT",
    "/v1/me/signature",
    summary="Store the caller's signature",
    needs=Permission.tickets_write,
    body=NewSignature,
    answers={200: Signature},
    problems=(409,),
)
def store_own(call: Call[NewSignature]) -> Answer:
    """Replies by mail end with it; other channels and notes have none. Earlier replies keep their signature."""
    return _shown(commands.store(_own(call), call.body.texts, call.body.body_format))


@operations.add(
    "DELETE",
    "/v1/me/signature",
    summary="Delete the caller's signature",
    needs=Permission.tickets_write,
    answers={204: None},
    problems=(409,),
)
def delete_own(call: Call) -> Answer:
    """Deletes the signature, if there is one."""
    commands.delete(_own(call))
    return Answer(status=204)


@operations.add(
    "GET",
    "/v1/teams/{team}/signature",
    summary="Get a team's signature",
    needs=Permission.tickets_read,
    answers={200: Signature},
    problems=(404,),
)
def read_of_team(call: Call) -> Answer:
    """It signs the replies in the team's tickets by people without a signature of their own."""
    return _shown(commands.get(_of_team(call)))


@operations.add(
    "PUT",
    "/v1/teams/{team}/signature",
    summary="Store a team's signature",
    needs=Permission.texts_manage,
    body=NewSignature,
    answers={200: Signature},
    problems=(404,),
)
def store_of_team(call: Call[NewSignature]) -> Answer:
    """Stored by members of the team who have `texts_manage`, and by those who see all tickets."""
    owner = _of_team(call)
    _changed(owner, call)
    return _shown(commands.store(owner, call.body.texts, call.body.body_format))


@operations.add(
    "DELETE",
    "/v1/teams/{team}/signature",
    summary="Delete a team's signature",
    needs=Permission.texts_manage,
    answers={204: None},
    problems=(404,),
)
def delete_of_team(call: Call) -> Answer:
    """Deletes the signature, if there is one."""
    owner = _of_team(call)
    _changed(owner, call)
    commands.delete(owner)
    return Answer(status=204)


@operations.add(
    "GET",
    "/v1/tickets/{ticket}/signature",
    summary="Preview the signature of a reply",
    needs=Permission.tickets_write,
    answers={200: RenderedSignature},
    problems=(404,),
)
def preview_signature(call: Call) -> Answer:
    """The text with which the caller's next reply by mail in this ticket would end."""
    change = TicketChange(ticket_of(call), actor=call.caller.actor, new=False)
    found = signing.signature_of(change)
    if found is None:
        return Answer(RenderedSignature("", "text", None))
    return Answer(RenderedSignature(found["text"], found["format"], found["owner_kind"]))
