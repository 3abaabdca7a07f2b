"""What a ticket's life cycle did and will do: reasons, approvals, promises, links; and what it tells people: notices, ratings, teams."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from functions.gateway.tickets import refused
from functions.http.operations import Answer, Call, Operations
from functions.views import pages
from functions.views import representations as show
from functions.views.texts import Comment
from models.identity.rules import Permission
from models.kernel.errors import NotFound
from models.sla.clocks import status
from models.teams import commands as team_commands
from models.teams import queries as team_queries
from models.ticket_actions import commands
from models.ticket_workflow import approvals, links, notices, ratings, why
from models.tickets import queries

operations = Operations()


class RuleLook(msgspec.Struct):
    """What a rule made of an event: acted, silent (and what failed), refused (and why), not_reached (an earlier one ended it)."""

    event: str
    rule: str
    outcome: str
    condition: str | None = None
    failed: list[str] = []
    values: dict[str, Any] = {}
    reasons: list[str] = []


class Decision(msgspec.Struct):
    """One event and every rule that looked at it. `events`: the sequence numbers of the history that it wrote (none: nothing changed)."""

    event: str
    at: datetime
    workflow: str
    workflow_version: int
    state: str
    causation_id: str | None
    events: list[int]
    rules: list[RuleLook]


class TimerShown(msgspec.Struct):
    timer: str
    due_at: datetime


class Promise(msgspec.Struct):
    """An SLA clock. `due_at` is null while it stands still and when it is over."""

    target: str
    policy: str
    status: str
    target_s: int
    due_at: datetime | None
    warn_at: datetime | None
    breached_at: datetime | None
    met_at: datetime | None


class Why(msgspec.Struct):
    """Why the ticket is what it is: what happened to it by which rule, and what will happen by itself."""

    state: str
    workflow: str
    workflow_version: int
    decisions: list[Decision]
    timers: list[TimerShown]
    promises: list[Promise]
    next_cursor: str | None


class Vote(msgspec.Struct):
    user_id: UUID
    vote: str
    comment: str | None
    at: datetime


class ApprovalShown(msgspec.Struct):
    """A transition that waits, or waited, for people."""

    id: UUID
    transition: str
    team: str
    needed: int
    state: str
    requested_by: str | None
    requested_comment: str | None
    requested_at: datetime
    expires_at: datetime | None
    decided_at: datetime | None
    votes: list[Vote]


class Approvals(msgspec.Struct):
    items: list[ApprovalShown]


class NewVote(msgspec.Struct, forbid_unknown_fields=True):
    """A word on a transition that waits."""

    vote: Literal["approve", "refuse"]
    comment: Comment | None = None


class LinkShown(msgspec.Struct):
    """A ticket that belongs to this one; `kind` is what the other one is to it."""

    kind: str
    id: UUID
    number: int
    title: str
    state: str
    category: str


class Links(msgspec.Struct):
    items: list[LinkShown]


class TeamShown(msgspec.Struct):
    name: str
    label: dict[str, str]
    members: list[UUID]
    version: int


class Teams(msgspec.Struct):
    items: list[TeamShown]


class Members(msgspec.Struct, forbid_unknown_fields=True):
    """Who belongs to the team from now on, by user id."""

    members: Annotated[list[UUID], msgspec.Meta(max_length=team_commands.members_max)]


class Notice(msgspec.Struct):
    """Something that a life cycle tells an agent, or the desk an admin (then it is about no ticket)."""

    id: UUID
    ticket_id: UUID | None
    ticket_number: int | None
    rule: str
    text: str
    created_at: datetime
    read_at: datetime | None


class NoticePage(msgspec.Struct):
    items: list[Notice]
    next_cursor: str | None


class NoticeQuery(pages.PageQuery, kw_only=True):
    """Which notices."""

    unread: bool = False


class RatingShown(msgspec.Struct):
    """What a requester is asked."""

    ticket_number: int
    title: str
    score: int | None
    comment: str | None


class NewRating(msgspec.Struct, forbid_unknown_fields=True):
    """How it went, from 1 (badly) to 5 (well)."""

    score: Annotated[int, msgspec.Meta(ge=1, le=5)]
    comment: Comment | None = None


@operations.add(
    "GET",
    "/v1/tickets/{ticket}/why",
    summary="Why a ticket is what it is",
    needs=Permission.tickets_read,
    query=pages.PageQuery,
    answers={200: Why},
    problems=(404,),
)
def read_why(call: Call[None, pages.PageQuery]) -> Answer:
    """Every event with what each rule made of it, also of the rules that stayed silent; then the timers and promises that run."""
    ticket = queries.find(call.params["ticket"])
    after = pages.decode(call.query.cursor, "why", UUID)
    rows = why.decisions(ticket.id, after=after[0] if after else None, limit=call.query.limit + 1)
    page, cursor = pages.cut(rows, call.query.limit, "why", lambda row: (row["id"],))
    decisions = [
        Decision(
            row["event"],
            row["at"],
            row["workflow"],
            row["workflow_version"],
            row["state"],
            row["causation_id"],
            list(range(row["first_sequence"], row["last_sequence"] + 1)),
            msgspec.convert(row["looks"], list[RuleLook]),
        )
        for row in page
    ]
    promises = [
        Promise(
            clock.target,
            clock.policy,
            status(clock),
            clock.target_s,
            clock.due_at,
            clock.warn_at,
            clock.breached_at,
            clock.met_at,
        )
        for clock in why.promises(ticket.id)
    ]
    timers = [TimerShown(name, due_at) for name, due_at in why.timers(ticket.id)]
    return Answer(Why(ticket.state, ticket.workflow, ticket.workflow_version, decisions, timers, promises, cursor))


@operations.add(
    "GET",
    "/v1/tickets/{ticket}/approvals",
    summary="What waits or waited for approval",
    needs=Permission.tickets_read,
    answers={200: Approvals},
    problems=(404,),
)
def list_approvals(call: Call) -> Answer:
    """Oldest first, with the votes."""
    ticket = queries.find(call.params["ticket"])
    return Answer(msgspec.convert({"items": approvals.of_ticket(ticket.id)}, Approvals))


@operations.add(
    "POST",
    "/v1/tickets/{ticket}/approvals/{approval}/votes",
    summary="Approve or refuse",
    needs=Permission.tickets_write,
    body=NewVote,
    answers={200: show.Ticket},
    problems=(404, 409),
)
def vote(call: Call[NewVote]) -> Answer:
    """For members of the team, each once; 409 with reasons when the vote does not count. The last needed vote makes the move."""
    ticket = queries.find(call.params["ticket"])
    approval_id = pages.id_of(call.params["approval"], "approval")
    known = {str(row["id"]): row["transition"] for row in approvals.of_ticket(ticket.id)}
    if str(approval_id) not in known:
        raise NotFound(f"there is no approval {approval_id}")
    row, reasons = commands.vote(
        ticket.id,
        known[str(approval_id)],
        call.body.vote,
        comment=call.body.comment,
        role=call.caller.role,
        actor=call.caller.actor,
    )
    if reasons:
        return refused(row, reasons)
    return Answer(show.tickets([row], role=call.caller.role)[0], headers=show.etag(row.version))


@operations.add(
    "GET",
    "/v1/tickets/{ticket}/links",
    summary="Tickets that belong to this one",
    needs=Permission.tickets_read,
    answers={200: Links},
    problems=(404,),
)
def list_links(call: Call) -> Answer:
    """In the order of their numbers."""
    ticket = queries.find(call.params["ticket"])
    return Answer(msgspec.convert({"items": links.of_ticket(ticket.id)}, Links))


@operations.add(
    "GET", "/v1/teams", summary="Teams and their members", needs=Permission.tickets_read, answers={200: Teams}
)
def list_teams(call: Call) -> Answer:
    """By name."""
    return Answer(Teams([_team(row) for row in team_queries.all_teams()]))


@operations.add(
    "GET",
    "/v1/teams/{team}",
    summary="A team",
    needs=Permission.tickets_read,
    answers={200: TeamShown},
    problems=(404,),
)
def read_team(call: Call) -> Answer:
    row = team_queries.get(call.params["team"])
    return Answer(_team(row), headers=show.etag(row["version"]))


@operations.add(
    "PUT",
    "/v1/teams/{team}/members",
    summary="Say who belongs to a team",
    needs=Permission.users_manage,
    body=Members,
    answers={200: TeamShown},
    problems=(404,),
    etag="optional",
)
def set_members(call: Call[Members]) -> Answer:
    """Active users who work on tickets. With If-Match (optional), 412 when the team was changed since that version."""
    expected = call.optional_version()
    name = call.params["team"]
    team_commands.set_members(name, call.body.members, expected_version=expected)
    row = team_queries.get(name)
    return Answer(_team(row), headers=show.etag(row["version"]))


def _team(row: dict[str, Any]) -> TeamShown:
    return TeamShown(row["name"], row["label"], row["members"], row["version"])


@operations.add(
    "GET",
    "/v1/me/notices",
    summary="What life cycles tell me",
    needs=Permission.tickets_read,
    query=NoticeQuery,
    answers={200: NoticePage},
)
def list_notices(call: Call[None, NoticeQuery]) -> Answer:
    """Newest first."""
    query = call.query
    before = pages.decode(query.cursor, "notices", UUID)
    rows = notices.of_user(
        call.caller.id, unread=query.unread, before=before[0] if before else None, limit=query.limit + 1
    )
    page, cursor = pages.cut(rows, query.limit, "notices", lambda row: (row["id"],))
    return Answer(NoticePage(msgspec.convert(page, list[Notice]), cursor))


@operations.add(
    "PUT",
    "/v1/me/notices/{notice}/read",
    summary="I have read it",
    needs=Permission.tickets_read,
    answers={204: None},
    problems=(404,),
)
def read_notice(call: Call) -> Answer:
    """Once is enough; a second time changes nothing."""
    notices.mark_read(pages.id_of(call.params["notice"], "notice"), user_id=call.caller.id)
    return Answer(status=204)


@operations.add(
    "GET",
    "/v1/ratings/{token}",
    summary="What a requester is asked",
    public=True,
    answers={200: RatingShown},
    problems=(404,),
)
def read_rating(call: Call) -> Answer:
    """By the link of a message. Reading rates nothing: mail programs open links ahead of people."""
    return Answer(msgspec.convert(ratings.find(call.params["token"]), RatingShown))


@operations.add(
    "POST",
    "/v1/ratings/{token}",
    summary="Rate how it went",
    public=True,
    body=NewRating,
    answers={200: RatingShown},
    problems=(404,),
)
def rate(call: Call[NewRating]) -> Answer:
    """The last word counts; the life cycle hears of each."""
    return Answer(msgspec.convert(ratings.rate(call.params["token"], call.body.score, call.body.comment), RatingShown))
