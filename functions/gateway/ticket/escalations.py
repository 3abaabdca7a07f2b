"""/v1/tickets/{ticket}/escalations: bring a ticket to the staff group of a team."""

from __future__ import annotations

from typing import Annotated

import msgspec

from functions.gateway.sights import living_ticket_of
from functions.http.operations import Answer, Call, Operations
from functions.views.texts import Comment
from models.identity.rules import Permission
from models.kernel import limits
from models.kernel.errors import FieldProblem, Invalid
from models.kernel.text import has_visible
from models.staff_chat import escalating

operations = Operations()


class NewEscalation(msgspec.Struct, forbid_unknown_fields=True):
    """The team whose staff group gets the ticket, and the reason, which the group reads."""

    team: Annotated[str, msgspec.Meta(min_length=1, max_length=limits.name_chars_max)]
    reason: Comment


class EscalationGroup(msgspec.Struct):
    """A channel account whose staff group gets the ticket."""

    channel: str
    account: str


class Escalation(msgspec.Struct):
    """An escalation of a ticket, and the groups that get it."""

    team: str
    reason: str
    groups: list[EscalationGroup]


@operations.add(
    "POST",
    "/v1/tickets/{ticket}/escalations",
    summary="Escalate a ticket to a team's chat group",
    needs=Permission.tickets_write,
    body=NewEscalation,
    answers={201: Escalation},
    problems=(404, 409),
)
def escalate_ticket(call: Call[NewEscalation]) -> Answer:
    """The group gets the reason in the topic of the ticket, which is opened if the group has none.

    Answers 409 `no_staff_group` if no channel account names the team in `staff.teams`.
    """
    body = call.body
    if not has_visible(body.reason):
        raise Invalid([FieldProblem("/reason", "expected a text that is not blank")])
    groups = escalating.escalate(living_ticket_of(call).id, body.team, body.reason, actor=call.caller.actor)
    shown = [EscalationGroup(one.channel, one.name) for one in groups]
    return Answer(Escalation(body.team, body.reason, shown), status=201)
