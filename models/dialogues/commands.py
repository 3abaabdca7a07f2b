"""Start, answer and end dialogues. Commands join the caller's transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from models.channels import texts
from models.channels.accounts import ChannelAccount
from models.conversations import chats, messages
from models.dialogues import answers, questions, rights, rows
from models.dialogues.tables import TransitionDialogue
from models.events.commands import Actor
from models.infomodel.definition import Field
from models.kernel import clock, limits
from models.kernel.errors import Conflict, Invalid
from models.kernel.ids import new_id
from models.requesters import queries as requesters
from models.tasks import commands as tasks
from models.tasks.payloads import SendNotice
from models.ticket_actions import commands as tickets
from models.ticket_actions import field_lookups, locks
from models.ticket_workflow import steps
from models.tickets import ticket_fields
from models.tickets.ticket_change import TicketChange


@dataclass(frozen=True, slots=True)
class Place:
    """The place of a dialogue: the address of its questions, the chat's address, and the address of the person."""

    address: str
    conversation_address: str
    author_address: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The result of an answer: a reason for people who read the inbox, and the ticket.

    `shown_in`: the message whose buttons must be shown anew, because the ticket moved.
    """

    reason: str
    ticket_id: UUID
    shown_in: str | None = None


def begin(
    account: ChannelAccount,
    place: Place,
    ticket_id: UUID,
    transition: str,
    *,
    actor: Actor,
    role: str,
    event_id: UUID,
    comment: str | None = None,
    shown_in: str | None = None,
) -> None:
    """Ask for the first input of a transition that is possible. Replaces an earlier dialogue of the person there."""
    now = clock.now()
    dialogue = TransitionDialogue.from_row(
        {
            "id": new_id(),
            "channel": account.channel,
            "account": account.name,
            "address": place.address,
            "conversation_address": place.conversation_address,
            "author_address": place.author_address,
            "ticket_id": ticket_id,
            "actor_kind": actor.kind,
            "actor_id": actor.id or "",
            "actor_name": actor.name,
            "role": role,
            "transition": transition,
            "given": {"fields": {}, "comment": (comment or "").strip(), "picked": [], "answers": []},
            "asked": "",
            "step": 0,
            "shown_in": shown_in,
            "created_at": now,
            "expires_at": now,
        }
    )
    rows.replace(rows.of_person(account, place.address, place.author_address), dialogue)
    _go_on(account, dialogue, event_id=event_id)


def answer(
    account: ChannelAccount,
    address: str,
    author_address: str,
    text: str,
    *,
    event_id: UUID,
    external_id: str | None = None,
) -> Answered | None:
    """Take a text as the answer to the present question of its author in the chat. None: nothing was asked.

    `external_id`: the id of the text, by which its edit is recognised.
    """
    dialogue = rows.of_person(account, address, author_address)
    if dialogue is None or not _goes_on(account, dialogue):
        return None
    dialogue.given = {**dialogue.given, "answers": [*dialogue.given["answers"], external_id][-rows.answers_max :]}
    if dialogue.asked == questions.CONFIRM or _is_checkbox(dialogue):
        try:
            value = questions.YES if answers.is_yes(text) else questions.NO
        except ValueError as error:
            return _ask_again(account, dialogue, str(error), event_id=event_id)
        return _chosen(account, dialogue, value, event_id=event_id)
    if dialogue.asked == questions.COMMENT:
        return _commented(account, dialogue, text, event_id=event_id)
    field = _field(dialogue)
    if field is None:
        return _finish(account, dialogue, event_id=event_id)
    try:
        return _set_field(account, dialogue, answers.value_of(field, text), event_id=event_id)
    except ValueError as error:
        return _ask_again(account, dialogue, str(error), event_id=event_id)


def choose(
    account: ChannelAccount, question: str, author_address: str, value: str, *, event_id: UUID
) -> Answered | None:
    """Take the press of a question's button. None: the question is over, or somebody else's."""
    dialogue_id, _, step = question.partition(":")
    dialogue = rows.by_id(account, UUID(dialogue_id))
    if dialogue is None or dialogue.author_address != author_address or str(dialogue.step) != step:
        return None
    if not _goes_on(account, dialogue):
        return None
    return _chosen(account, dialogue, value, event_id=event_id)


def _goes_on(account: ChannelAccount, dialogue: TransitionDialogue) -> bool:
    """Return True if a question waits and the person may still answer it; else end the dialogue."""
    if not rows.is_open(dialogue):
        return False
    if rights.may_go_on(account, dialogue):
        return True
    rows.end(dialogue)
    return False


def answered_before(account: ChannelAccount, address: str, author_address: str, external_id: str) -> UUID | None:
    """Return the ticket of a text that was an answer, also for some time after the dialogue's end; None for another
    text.
    """
    dialogue = rows.of_person(account, address, author_address)
    known = dialogue is not None and external_id in dialogue.given["answers"]
    return dialogue.ticket_id if dialogue is not None and known else None


def leave(account: ChannelAccount, address: str, author_address: str) -> UUID | None:
    """End the person's dialogue in the chat without an effect. Returns its ticket; None when there was none."""
    dialogue = rows.of_person(account, address, author_address)
    if dialogue is None or not rows.is_open(dialogue):
        return None
    rows.end(dialogue)
    return dialogue.ticket_id


def _chosen(account: ChannelAccount, dialogue: TransitionDialogue, value: str, *, event_id: UUID) -> Answered | None:
    if value == questions.LEAVE or (dialogue.asked == questions.CONFIRM and value == questions.NO):
        rows.end(dialogue)
        _say(account, dialogue, texts.text(account, "dialogue_left", _locale(dialogue)), event_id)
        return Answered(f"left the questions of {dialogue.transition}", dialogue.ticket_id)
    if dialogue.asked == questions.CONFIRM:
        return _finish(account, dialogue, event_id=event_id) if value == questions.YES else None
    field = _field(dialogue)
    if field is None:
        return _finish(account, dialogue, event_id=event_id)
    if field.kind == "checkbox":
        return _set_field(account, dialogue, value == questions.YES, event_id=event_id)
    picked = list(dialogue.given["picked"])
    if value == questions.DONE:
        return _set_field(account, dialogue, picked, event_id=event_id)
    names = list(field.choices)
    if not value.isascii() or not value.isdecimal() or int(value) >= len(names):
        return None
    if field.kind != "multi_choice":
        return _set_field(account, dialogue, names[int(value)], event_id=event_id)
    dialogue.given = {**dialogue.given, "picked": list(dict.fromkeys([*picked, names[int(value)]]))}
    _ask(account, dialogue, dialogue.asked, event_id=event_id)
    return Answered(f"chose a value for {dialogue.transition}", dialogue.ticket_id)


def _is_checkbox(dialogue: TransitionDialogue) -> bool:
    field = _field(dialogue) if dialogue.asked.startswith(questions.FIELD) else None
    return field is not None and field.kind == "checkbox"


def _field(dialogue: TransitionDialogue) -> Field | None:
    return questions.field_of(_change(dialogue), dialogue.asked, dialogue.role)


def _commented(account: ChannelAccount, dialogue: TransitionDialogue, text: str, *, event_id: UUID) -> Answered | None:
    said = text.strip()
    if len(said) > limits.comment_chars_max:
        wrong = f"expected at most {limits.comment_chars_max} characters, found {len(said)}"
        return _ask_again(account, dialogue, wrong, event_id=event_id)
    dialogue.given = {**dialogue.given, "comment": said}
    return _go_on(account, dialogue, event_id=event_id)


def _set_field(account: ChannelAccount, dialogue: TransitionDialogue, value: Any, *, event_id: UUID) -> Answered | None:
    """Check a value by the model of the ticket's type; ask again for a wrong one."""
    name = dialogue.asked.removeprefix(questions.FIELD)
    change = _change(dialogue)
    wanted = {**dialogue.given["fields"], name: value}
    try:
        after = ticket_fields.changed_fields(
            change.ticket, wanted, role=dialogue.role, lookups=field_lookups.of(change.actor)
        )
        locks.check_fields(change, after, role=dialogue.role)
    except Invalid as error:
        return _ask_again(account, dialogue, "; ".join(one.message for one in error.problems), event_id=event_id)
    if name not in after:
        return _ask_again(account, dialogue, "expected a value", event_id=event_id)
    dialogue.given = {**dialogue.given, "fields": {**dialogue.given["fields"], name: after[name]}, "picked": []}
    return _go_on(account, dialogue, event_id=event_id)


def _go_on(account: ChannelAccount, dialogue: TransitionDialogue, *, event_id: UUID) -> Answered | None:
    """Ask for the next input, or take the transition when nothing is missing."""
    asked = questions.next_asked(_change(dialogue), dialogue.transition, dialogue.role, dialogue.given)
    if asked is None:
        return _finish(account, dialogue, event_id=event_id)
    _ask(account, dialogue, asked, event_id=event_id)
    return Answered(f"answered a question of {dialogue.transition}", dialogue.ticket_id)


def _ask_again(account: ChannelAccount, dialogue: TransitionDialogue, wrong: str, *, event_id: UUID) -> Answered:
    said = texts.text(account, "dialogue_wrong", _locale(dialogue), problem=wrong)
    _ask(account, dialogue, dialogue.asked, event_id=event_id, before=said)
    return Answered(f"an answer that does not fit: {wrong}", dialogue.ticket_id)


def _ask(
    account: ChannelAccount, dialogue: TransitionDialogue, asked: str, *, event_id: UUID, before: str = ""
) -> None:
    """Store the question as the present one, and send it. Each question renews the time for the answer."""
    change, locale = _change(dialogue), _locale(dialogue)
    transition = questions.transition_of(change, dialogue.transition)
    if transition is None or (asked == questions.CONFIRM and transition.confirm is None):
        # The ticket moved to another version or life cycle meanwhile, and the question makes no sense there.
        rows.end(dialogue)
        _say(account, dialogue, texts.text(account, "dialogue_left", locale), event_id)
        return
    field = questions.field_of(change, asked, dialogue.role) if asked.startswith(questions.FIELD) else None
    question = questions.question_of(account, locale, transition, asked, field, dialogue.given["picked"])
    dialogue.asked, dialogue.step = asked, dialogue.step + 1
    dialogue.expires_at = clock.now() + timedelta(seconds=limits.dialogue_waits_s)
    TransitionDialogue.update(
        asked=asked, step=dialogue.step, given=dialogue.given, expires_at=dialogue.expires_at
    ).where(TransitionDialogue.id == dialogue.id).execute()
    chats.set_asked(account, dialogue.conversation_address, dialogue.expires_at)
    text = f"{before}\n{question.text}" if before else question.text
    _say(account, dialogue, text, event_id, choices=question.choices)


def _finish(account: ChannelAccount, dialogue: TransitionDialogue, *, event_id: UUID) -> Answered:
    """End the dialogue and take the transition with all that the person gave."""
    rows.end(dialogue)
    actor, locale = _actor(dialogue), _locale(dialogue)
    try:
        _, reasons = tickets.transition(
            dialogue.ticket_id,
            dialogue.transition,
            fields=dialogue.given["fields"],
            comment=dialogue.given["comment"] or None,
            role=dialogue.role,
            actor=actor,
            confirmed=True,
        )
    except (Invalid, Conflict) as error:
        reasons = (error.message,)
    if reasons:
        why = "; ".join(reasons) if actor.kind == "user" else ""
        said = texts.text(account, "dialogue_refused", locale)
        _say(account, dialogue, f"{said}\n{why}".strip(), event_id)
        return Answered("; ".join(reasons), dialogue.ticket_id, dialogue.shown_in)
    change = _change(dialogue)
    state = steps.workflow_of(change).states[change.ticket.state]
    label = state.label if actor.kind == "user" else state.requester_label or state.label
    said = texts.text(
        account,
        "moved",
        locale,
        number=change.ticket.number,
        state=questions.in_language(account, locale, label),
    )
    _say(account, dialogue, said, event_id)
    return Answered(f"took {dialogue.transition}", dialogue.ticket_id, dialogue.shown_in)


def _say(
    account: ChannelAccount,
    dialogue: TransitionDialogue,
    text: str,
    event_id: UUID,
    *,
    choices: questions.Choices = (),
) -> None:
    tasks.enqueue(
        SendNotice(
            channel=account.channel,
            account=account.name,
            address=dialogue.address,
            text=text,
            question=f"{dialogue.id}:{dialogue.step}" if choices else "",
            question_ticket_id=dialogue.ticket_id if choices else None,
            choices=[list(one) for one in choices],
        ),
        key=messages.send_key(account.channel, account.name, dialogue.address),
        dedupe_key=f"dialogue:{event_id}",
    )


def _locale(dialogue: TransitionDialogue) -> str | None:
    """Return the requester's language; agents in their group are written to in the account's or the desk's."""
    if dialogue.actor_kind != "requester":
        return None
    return requesters.name_and_locale(UUID(dialogue.actor_id))[1]


def _change(dialogue: TransitionDialogue) -> TicketChange:
    return TicketChange.of(dialogue.ticket_id, actor=_actor(dialogue))


def _actor(dialogue: TransitionDialogue) -> Actor:
    kind: Literal["user", "requester"] = "user" if dialogue.actor_kind == "user" else "requester"
    return Actor(kind, dialogue.actor_id, dialogue.actor_name)
