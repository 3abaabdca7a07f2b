"""List and hand over what a person holds, and end it at the deactivation. Commands join the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from models.audit import entries as audit
from models.audit.actions import AuditAction
from models.events.commands import Actor
from models.identity import api_keys, queries
from models.identity import commands as identity
from models.identity.queries import ApiKey, User
from models.identity.rules import Principal
from models.identity.sign_in import session_list
from models.kernel.errors import FieldProblem, Invalid
from models.kernel.storage import database
from models.offboarding import own_texts
from models.offboarding.own_texts import OwnTexts
from models.staff import addresses
from models.subscriptions import ownership
from models.subscriptions import queries as subscriptions
from models.subscriptions.queries import Subscription
from models.tasks import commands as tasks
from models.tasks.payloads import ReassignTickets
from models.teams import availability
from models.teams import queries as teams
from models.ticket_lists.views import commands as views
from models.ticket_lists.views import queries as view_queries
from models.tickets import queries as tickets


@dataclass(frozen=True, slots=True)
class Holdings:
    """The things that a user holds. `tickets` counts the open tickets that are assigned to the user, `views` the own
    views of lists, `texts` the own saved replies, macros, drafts and the signature.
    """

    sessions: int
    api_keys: list[ApiKey]
    webhooks: list[Subscription]
    addresses: list[dict[str, str]]
    teams: list[str]
    tickets: int
    views: int
    texts: OwnTexts


@dataclass(frozen=True, slots=True)
class HandedOver:
    """The number of things that got another owner. `tickets`: the open tickets that move in the background."""

    api_keys: int
    webhooks: int
    tickets: int
    views: int
    saved_replies: int
    macros: int


def of_user(user_id: UUID) -> Holdings:
    """Return what a user holds. Raises NotFound."""
    queries.get_user(user_id)
    return Holdings(
        sessions=len(session_list.of_user(user_id)),
        api_keys=queries.api_keys_of(user_id),
        webhooks=subscriptions.of_owner(user_id),
        addresses=addresses.of_user(user_id),
        teams=list(teams.of_user(user_id)),
        tickets=tickets.count_open_of(user_id),
        views=view_queries.count_own(user_id),
        texts=own_texts.of_user(user_id),
    )


def hand_over(user_id: UUID, to: UUID, *, by: Principal | None, actor: Actor, with_tickets: bool = True) -> HandedOver:
    """Give the API keys, outgoing webhooks, views, own saved replies and macros, and the open tickets of a user to
    another one, all or none.

    A task moves the tickets. The new owner has all rights of each key, as `by` has. Raises NotFound, Invalid,
    MoreThanYours, or AssigneeAway for open tickets and a receiver who is away.
    """
    assert database.in_transaction(), "all things are handed over, or none"
    if to == user_id:
        raise Invalid([FieldProblem("to", "expected another user")])
    held = of_user(user_id)
    for key in held.api_keys:
        api_keys.give(key.id, to, by=by, actor=actor)
    receiver = queries.get_user(to)
    if held.webhooks and not receiver.active:
        raise Invalid([FieldProblem("to", "expected an active user")])
    webhooks = ownership.give_all(user_id, to, actor=actor)
    given_views = views.give_all(user_id, to)
    moving = held.tickets if with_tickets else 0
    if moving:
        _hand_over_tickets(user_id, to, actor)
    texts = own_texts.give_all(user_id, to)
    done = HandedOver(len(held.api_keys), webhooks, moving, given_views, texts.saved_replies, texts.macros)
    audit.record(AuditAction.holdings_handed_over, "user", user_id, after={"to": to, **asdict(done)})
    return done


def _hand_over_tickets(user_id: UUID, to: UUID, actor: Actor) -> None:
    if not queries.can_take_tickets(to):
        expected = "expected an active user who works on tickets, or `tickets: false`; the user has open tickets"
        raise Invalid([FieldProblem("to", expected)])
    availability.check_not_away(to)
    payload = ReassignTickets(
        from_id=user_id, to_id=to, actor_kind=actor.kind, actor_id=actor.id, actor_name=actor.name
    )
    tasks.enqueue(payload, key=identity.reassignment_key(user_id))


def update_user(
    user_id: UUID,
    changes: Mapping[str, Any],
    *,
    expected_version: int | None,
    by: Principal | None = None,
    actor: Actor,
) -> User:
    """Change a user like `identity.commands.update_user`; a deactivation also ends what the user holds elsewhere.

    It pauses the user's outgoing webhooks and removes views, own saved replies and macros, the signature, drafts, chat
    addresses and the links that would add one. The audit entry counts what it removes. The open
    tickets of a user who cannot work on tickets any more are freed by a task, whoever changes the user.
    """
    with database.transaction():
        user = identity.update_user(user_id, changes, expected_version=expected_version, by=by, actor=actor)
        if changes.get("active") is False:
            addresses.end_links_of(user_id)
            ownership.pause_all(user_id, actor=actor)
            removed = {"views": views.remove_all(user_id), **asdict(own_texts.remove_all(user_id))}
            if any(removed.values()):
                audit.record(AuditAction.holdings_removed, "user", user_id, before=removed)
        return user
