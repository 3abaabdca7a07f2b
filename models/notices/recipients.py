"""The users whom an event of a ticket concerns, and the words of their notices. Joins the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final
from uuid import UUID

from models.conversations import queries as conversations
from models.conversations.row_types import MessageRow
from models.definitions import desk
from models.events import queries as events
from models.events.row_types import AuthoredEvent
from models.identity import queries as identity
from models.identity import roles
from models.identity.queries import User
from models.kernel.errors import NotFound
from models.notice_settings import commands as notice_settings
from models.notice_settings.rules import Kind
from models.notices import commands, texts
from models.publishing import workflows
from models.teams import queries as teams
from models.tickets import followers
from models.tickets import queries as tickets
from models.tickets.tables import Ticket
from models.visibility import sight
from models.visibility.sight import Sight

# The people of a ticket without an assignee and without a team.
_LEADERS: Final = ("manager", "admin")


def report(ticket_id: UUID, event_id: UUID) -> None:
    """Give each user whom the event concerns a notice of it. A repetition changes nothing."""
    event = events.authored(event_id)
    ticket = tickets.find(str(ticket_id))
    tell = _REPORTS.get(event["event_type"])
    if tell is not None:
        tell(ticket, event)


def _report_new_work(ticket: Ticket, event: AuthoredEvent) -> None:
    """Tell the members of the ticket's team; without a team, the users who chose a way for new work."""
    if ticket.assignee_id is not None or ticket.category in ("done", "closed"):
        return
    if ticket.team is None:
        people: Iterable[UUID] = notice_settings.users_who_want_work_without_team()
    else:
        people = _members(ticket.team)
    name = "new_work" if ticket.team is not None else "new_work_without_team"
    for user in _readers(ticket, people, but=event["actor_id"]):
        if roles.works_on_tickets(user.role):
            _add(event, ticket, user, Kind.new_work, name, team=ticket.team)


def _report_assigned(ticket: Ticket, event: AuthoredEvent) -> None:
    to = event["payload"]["to"]
    if to is None:
        _report_new_work(ticket, event)
        return
    for user in _readers(ticket, [UUID(to)], but=event["actor_id"]):
        _add(event, ticket, user, Kind.assigned, "assigned", actor=_actor_name(event))


def _report_breached(ticket: Ticket, event: AuthoredEvent) -> None:
    """Tell the assignee; without one, the members of the team; without a team, managers and admins."""
    target = str(event["payload"]["target"]).replace("_", " ")
    for user in _readers(ticket, _responsible(ticket)):
        _add(event, ticket, user, Kind.breached, "breached", target=target)


def _report_woken(ticket: Ticket, event: AuthoredEvent) -> None:
    """Tell the assignee and the followers, except the person who ended the snooze."""
    people = [row["user_id"] for row in followers.of_ticket(ticket.id)]
    for user in _readers(ticket, [*filter(None, [ticket.assignee_id]), *people], but=event["actor_id"]):
        _add(event, ticket, user, Kind.woken, "woken")


def _report_send_failed(ticket: Ticket, event: AuthoredEvent) -> None:
    """Tell the author of the message, and the assignee. A program's key speaks for its owner."""
    payload = event["payload"]
    try:
        message = conversations.get(UUID(payload["message_id"]))
    except NotFound:
        return
    author = _author(message)
    people = [one for one in (author, ticket.assignee_id) if one is not None]
    failed = payload["state"] != "unknown"
    for user in _readers(ticket, people):
        name = "others_send_failed" if user.id != author else "send_failed" if failed else "send_unknown"
        error = payload.get("error") or payload.get("detail") or ""
        _add(event, ticket, user, Kind.send_failed, name, message_id=message["id"], error=error)


def _followers(ticket: Ticket) -> list[UUID]:
    """Return the users who follow the ticket, and those of the mentioned ones who want to follow then."""
    rows = followers.of_ticket(ticket.id)
    mentioned = [row["user_id"] for row in rows if row["reason"] == "mentioned"]
    wanting = notice_settings.those_who_follow_when_mentioned(mentioned)
    return [row["user_id"] for row in rows if row["reason"] == "follows" or row["user_id"] in wanting]


def _report_followed_message(ticket: Ticket, event: AuthoredEvent) -> None:
    """Tell the followers of a message or a note, except its author and those who get another notice of it."""
    try:
        message = conversations.get(UUID(event["payload"]["message_id"]))
    except NotFound:
        return
    kind = Kind.followed_note if message["kind"] == "note" else Kind.followed_message
    known = {str(_author(message)), *message["details"].get("mentions", ())}
    if event["payload"].get("is_answer"):
        known |= {str(user_id) for user_id in commands.users_told_of(message["id"])}
    for user in _readers(ticket, _followers(ticket), but=event["actor_id"]):
        if str(user.id) not in known:
            _add(event, ticket, user, kind, kind, message_id=message["id"], author=message["author_name"])


def _report_followed_state(ticket: Ticket, event: AuthoredEvent) -> None:
    to = str(event["payload"]["to"])
    states = workflows.of_version(ticket.workflow, ticket.workflow_version).definition.states
    for user in _readers(ticket, _followers(ticket), but=event["actor_id"]):
        label = desk.current().pick(states[to].label, user.locale) if to in states else to
        _add(event, ticket, user, Kind.followed_state, "followed_state", state=label)


_REPORTS: Final[dict[str, Callable[[Ticket, AuthoredEvent], None]]] = {
    "ticket_created": _report_new_work,
    "ticket_updated": _report_new_work,
    "ticket_assigned": _report_assigned,
    "sla_breached": _report_breached,
    "delivery_failed": _report_send_failed,
    "ticket_woken": _report_woken,
    "message_received": _report_followed_message,
    "message_added": _report_followed_message,
    "note_added": _report_followed_message,
    "ticket_state_changed": _report_followed_state,
}


def _add(
    event: AuthoredEvent,
    ticket: Ticket,
    user: User,
    kind: Kind,
    name: str,
    *,
    message_id: UUID | None = None,
    **values: object,
) -> None:
    text = texts.text(name, user.locale, number=ticket.number, **values)
    commands.report_event(event["event_id"], user.id, ticket.id, kind=kind, text=text, message_id=message_id)


def _readers(ticket: Ticket, user_ids: Iterable[UUID], *, but: str | None = None) -> list[User]:
    """Return the users who are active and see the ticket now, each once, without the actor `but`."""
    found = []
    for user_id in dict.fromkeys(user_ids):
        if str(user_id) == but or not identity.can_read_tickets(user_id):
            continue
        user = identity.get_user(user_id)
        if sight.sees(Sight.of_user(user), ticket):
            found.append(user)
    return found


def _members(team: str) -> list[UUID]:
    return [UUID(one.id) for one in teams.roster(team)]


def _responsible(ticket: Ticket) -> list[UUID]:
    if ticket.assignee_id is not None:
        return [ticket.assignee_id]
    return _members(ticket.team) if ticket.team is not None else identity.active_ids(_LEADERS)


def _author(message: MessageRow) -> UUID | None:
    """Return the user who wrote a message, or the owner of the API key that wrote it."""
    author_id = message["author_id"]
    if author_id is None:
        return None
    if message["author_kind"] == "agent":
        return author_id
    return identity.get_api_key(author_id).owner_id if message["author_kind"] == "api" else None


def _actor_name(event: AuthoredEvent) -> str:
    if event["actor_kind"] != "user" or event["actor_id"] is None:
        return "Nestor"
    actor_id = UUID(event["actor_id"])
    return identity.names_of({actor_id}).get(actor_id, "Nestor")
