"""The questions of a dialogue: which input is missing, and how the person is asked for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.channels import texts
from models.channels.accounts import ChannelAccount
from models.definitions import desk
from models.infomodel.definition import Field
from models.kernel import limits
from models.kernel.open_json import JsonObject
from models.ticket_actions import input_needed
from models.ticket_workflow import steps
from models.tickets.ticket_change import TicketChange
from models.workflow.definition import Transition

COMMENT, CONFIRM, FIELD = "comment", "confirm", "field:"
# The values of buttons beside the numbers of choices.
LEAVE, YES, NO, DONE = "leave", "yes", "no", "done"

Choices = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its choices, as pairs of label and value."""

    text: str
    choices: Choices


def next_asked(change: TicketChange, name: str, role: str, given: JsonObject) -> str | None:
    """Return the next input to ask for; None when the transition can be taken, or became impossible. The confirmation
    comes last.
    """
    options = steps.options(change, role=role, fields=given["fields"])
    option = next((one for one in options if one.name == name), None)
    if option is None or option.obstacles:
        return None
    if option.missing:
        return FIELD + option.missing[0]
    if option.transition.comment == "required" and not given["comment"]:
        return COMMENT
    return CONFIRM if option.transition.confirm is not None else None


def transition_of(change: TicketChange, name: str) -> Transition | None:
    """Return the transition of the ticket's life cycle."""
    return steps.workflow_of(change).transitions.get(name)


def field_of(change: TicketChange, asked: str, role: str) -> Field | None:
    """Return the declaration of the field that a question asks for; None when the role may not set it now."""
    return input_needed.field_for(change, asked.removeprefix(FIELD), role=role)


def question_of(
    account: ChannelAccount,
    locale: str | None,
    transition: Transition,
    asked: str,
    field: Field | None,
    picked: Sequence[str],
) -> Question:
    """Compose a question in the reader's language. `picked`: the choices of a list that were chosen already."""
    leave = (texts.text(account, "dialogue_leave", locale), LEAVE)
    if asked == CONFIRM:
        assert transition.confirm is not None, "only a transition with a confirmation asks for it"
        both = [(texts.text(account, f"dialogue_{one}", locale), one) for one in (YES, NO)]
        return Question(in_language(account, locale, transition.confirm), both)
    label = in_language(account, locale, transition.label)
    if asked == COMMENT or field is None:
        return Question(texts.text(account, "dialogue_comment", locale, transition=label), [leave])
    lines = [
        texts.text(account, "dialogue_field", locale, transition=label, field=in_language(account, locale, field.label))
    ]
    if field.help:
        lines.append(in_language(account, locale, field.help))
    if (example := _example(field)) is not None:
        lines.append(texts.text(account, "dialogue_example", locale, example=example))
    if picked:
        chosen = [in_language(account, locale, field.choices[name].label) for name in picked]
        lines.append(texts.text(account, "dialogue_picked", locale, picked=", ".join(chosen)))
    done = [(texts.text(account, "dialogue_done", locale), DONE)] if picked else []
    return Question("\n".join(lines), [*_choices(account, locale, field, picked), *done, leave])


def _choices(account: ChannelAccount, locale: str | None, field: Field, picked: Sequence[str]) -> Choices:
    if field.kind == "checkbox":
        return [(texts.text(account, f"dialogue_{one}", locale), one) for one in (YES, NO)]
    # A choice's value is its number: names can be longer than a button's data.
    offered = [
        (in_language(account, locale, choice.label), str(number))
        for number, (name, choice) in enumerate(field.choices.items())
        if name not in picked
    ]
    return offered[: limits.question_choices_max]


def _example(field: Field) -> str | None:
    currency = (field.currencies or ["EUR"])[0]
    examples = {
        "money": f"19.99 {currency}",
        "date": "2026-01-31",
        "duration": "1h30m",
        "email": "ada@example.org",
        "phone": "+49 30 1234567",
        "url": "https://example.org/page",
    }
    return examples.get(field.kind)


def in_language(account: ChannelAccount, locale: str | None, label: Mapping[str, str]) -> str:
    """Return a label in the reader's language, else the account's, else the desk's."""
    return desk.current().pick(label, locale, account.config.get("locale"))
