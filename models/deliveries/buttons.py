"""Buttons under messages: the transitions that the requester may take, a rating. A press counts like the person's own
words.

A button carries a random token; the table keeps its hash. It works for the requester that it was made for, until it
expires.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from uuid import UUID

from models.channels.accounts import ChannelAccount
from models.definitions import desk
from models.deliveries.tables import Button as ButtonRow
from models.events.commands import Actor
from models.identity import roles
from models.kernel import clock, limits
from models.kernel.storage import database
from models.kernel.storage.batch import Batch
from models.ports.inbound import ButtonPress
from models.ports.outbound import Button
from models.requesters import commands as requesters
from models.requesters import queries as people
from models.staff import addresses
from models.ticket_actions import commands as tickets
from models.ticket_actions import input_needed
from models.ticket_workflow import ratings, steps
from models.ticket_workflow.ratings import RatingEnded, RatingIsFinal
from models.tickets.ticket_change import TicketChange
from models.visibility import sight
from models.visibility.sight import Sight

_REQUESTER: Literal["requester"] = "requester"


@dataclass(frozen=True, slots=True)
class Asked:
    """A transition that a person wants to take and that needs their input."""

    transition: str
    actor: Actor
    role: str


@dataclass(frozen=True, slots=True)
class Pressed:
    """The result of a press. Without a ticket the press did nothing, for `reason`; with a ticket, `reason` is that of a
    refusal.

    `answer`: the text (models/channels/texts.py) that the presser reads; empty: none. `shows_new`: the message with the
    button must show the transitions that are possible now. `asks`: the presser's transition needs input, and a dialogue
    asks for it. `answered`: the question of a dialogue (`<dialogue>:<step>`) whose button was pressed.
    """

    ticket_id: UUID | None
    reason: str = ""
    answer: str = ""
    shows_new: bool = False
    asks: Asked | None = None
    answered: str = ""


def of_transitions(ticket_id: UUID, locale: str | None) -> list[Button]:
    """Make a button for each transition that the requester may take now. Joins the caller's transaction."""
    change = TicketChange.of(ticket_id, actor=Actor(_REQUESTER))
    batch = Batch()
    made: list[Button] = []
    for option in steps.options(change, role=_REQUESTER):
        wanted = option.transition
        # A transition that needs a field that requesters may not set is left to the agents.
        if _REQUESTER not in wanted.who or input_needed.of_option(change, option, role=_REQUESTER) is None:
            continue
        text = desk.current().pick(wanted.label, locale)
        made.append(
            _add(
                batch,
                change.ticket.id,
                "transition",
                option.name,
                change.ticket.requester_id,
                label=text,
                row=len(made),
            )
        )
    batch.write()
    return made[: limits.buttons_max]


def for_staff(ticket_id: UUID, locale: str | None = None) -> list[Button]:
    """Make a button for each transition that an agent may take now. `locale`: the language of the staff group, if it is
    not the desk's first.

    Joins the caller's transaction.
    """
    change = TicketChange.of(ticket_id, actor=Actor("system"))
    batch = Batch()
    made: list[Button] = []
    for option in steps.options(change, role="agent"):
        wanted = option.transition
        if input_needed.of_option(change, option, role="agent") is None:
            continue
        text = desk.current().pick(wanted.label, locale)
        made.append(_add(batch, ticket_id, "staff", option.name, None, label=text, row=len(made) // 2))
    batch.write()
    return made[: limits.buttons_max]


def of_rating(ticket_id: UUID, rating_id: UUID, requester_id: UUID | None) -> list[Button]:
    """Make five buttons in one row, with one token. Joins the caller's transaction."""
    batch = Batch()
    first = _add(batch, ticket_id, "rating", str(rating_id), requester_id, label="", row=0)
    batch.write()
    return [Button(f"{score} ★", first.token, value=str(score)) for score in range(1, 6)]


def of_question(ticket_id: UUID, question: str, choices: Sequence[tuple[str, str]]) -> list[Button]:
    """Make the buttons of a dialogue's question, one a row, with one token. Joins the caller's transaction.

    `choices`: pairs of label and value.
    """
    batch = Batch()
    first = _add(batch, ticket_id, "question", question, None, label="", row=0)
    batch.write()
    return [Button(label, first.token, value=value, row=row) for row, (label, value) in enumerate(choices)]


def _add(
    batch: Batch, ticket_id: UUID, kind: str, target: str, requester_id: UUID | None, *, label: str, row: int
) -> Button:
    # 22 characters: with `b:` and a score they fit the 64 bytes of callback_data (Bot API, InlineKeyboardButton).
    token = secrets.token_urlsafe(16)
    batch.insert(
        "buttons",
        {
            "token_hash": _hash(token),
            "ticket_id": ticket_id,
            "kind": kind,
            "target": target,
            "requester_id": requester_id,
            "created_at": clock.now(),
            "expires_at": clock.now() + timedelta(seconds=limits.button_works_s),
        },
    )
    return Button(label, token, row=row)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def press(account: ChannelAccount, told: ButtonPress) -> Pressed:
    """Do what the button says, if the presser may. Joins the caller's transaction."""
    row = database.one(f"SELECT {ButtonRow.selected()} FROM buttons WHERE token_hash = :hash", hash=_hash(told.token))
    if row is None:
        return Pressed(None, "a button that we never made, or long ago", "button_gone")
    button = ButtonRow.from_row(row)
    if button.expires_at < clock.now():
        return Pressed(None, "the button is too old", "button_gone")
    if button.kind == "question":
        return Pressed(button.ticket_id, answered=button.target)
    if button.kind == "staff":
        return _pressed_by_agent(account, button, told)
    return _pressed_by_requester(account, button, told)


def _pressed_by_requester(account: ChannelAccount, button: ButtonRow, told: ButtonPress) -> Pressed:
    presser = requesters.find(account.channel, told.author_address)
    made_for = None if button.requester_id is None else requesters.current_id(button.requester_id)
    if presser is None or presser.id != made_for:
        return Pressed(None, "somebody else's button")
    _mark_pressed(button)
    if button.kind == "rating":
        if told.value not in {"1", "2", "3", "4", "5"}:
            return Pressed(None, "a score that no button offers")
        try:
            ratings.rate_by_id(UUID(button.target), int(told.value))
        except (RatingEnded, RatingIsFinal) as refused:
            return Pressed(button.ticket_id, refused.message, "button_gone")
        return Pressed(button.ticket_id, answer="rated")
    actor = Actor(_REQUESTER, str(presser.id), presser.name)
    if _needs_input(button, actor, _REQUESTER):
        return Pressed(button.ticket_id, asks=Asked(button.target, actor, _REQUESTER))
    _, reasons = tickets.transition(
        button.ticket_id, button.target, fields=None, comment=None, role=_REQUESTER, actor=actor
    )
    return Pressed(button.ticket_id, "; ".join(reasons), "button_gone" if reasons else "moved", shows_new=True)


def _mark_pressed(button: ButtonRow) -> None:
    database.execute(
        "UPDATE buttons SET pressed_at = :now WHERE token_hash = :hash", now=clock.now(), hash=button.token_hash
    )


def _pressed_by_agent(account: ChannelAccount, button: ButtonRow, told: ButtonPress) -> Pressed:
    user = addresses.owner(account.channel, told.author_address)
    if user is None or not roles.works_on_tickets(user.role):
        return Pressed(None, "pressed by somebody who is no linked agent")
    if not sight.sees_id(Sight.of_user(user), button.ticket_id):
        return Pressed(None, "pressed by an agent who may not see the ticket")
    _mark_pressed(button)
    actor, role = Actor("user", str(user.id), user.name), roles.shipped_role_of(user.role)
    if _needs_input(button, actor, role):
        return Pressed(button.ticket_id, asks=Asked(button.target, actor, role))
    _, reasons = tickets.transition(button.ticket_id, button.target, fields=None, comment=None, role=role, actor=actor)
    return Pressed(button.ticket_id, "; ".join(reasons))


def _needs_input(button: ButtonRow, actor: Actor, role: str) -> bool:
    """Return True if the transition is possible and needs input first. An impossible one is requested and refused."""
    change = TicketChange.of(button.ticket_id, actor=actor)
    return bool(input_needed.of_transition(change, button.target, role=role))


def for_message(row: database.Row, account: ChannelAccount) -> Sequence[Button]:
    """Return the buttons of a message that is about to be sent.

    `row`: its delivery, as `attempts.open_attempt` reads it.
    """
    if row["operation"] == "delete" or account.config.get("requester_buttons") is False:
        return ()
    found = ButtonRow.converted(row)
    requester_id: UUID | None = found["requester_id"]
    if requester_id is None or not _is_the_requesters_own(account, row["address"], requester_id):
        # In a group everybody could press the button, and only the requester may.
        return ()
    rating_id = row["details"].get("rating_id")
    if rating_id:
        return of_rating(found["ticket_id"], UUID(rating_id), requester_id)
    _, locale = people.name_and_locale(requester_id)
    return of_transitions(found["ticket_id"], locale)


def _is_the_requesters_own(account: ChannelAccount, address: str, requester_id: UUID) -> bool:
    owner = requesters.find(account.channel, address)
    return owner is not None and owner.id == requester_id
