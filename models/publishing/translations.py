"""The texts of definitions in the languages of the desk, and the texts of the program that a desk can supply."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from models.channels import texts as chat_texts
from models.definitions.desk import Desk, Label
from models.desk_mail import notice_texts
from models.desk_mail import texts as mail_texts
from models.infomodel.definition import Entity
from models.kernel import languages
from models.kernel.errors import FieldProblem
from models.kernel.text import has_visible
from models.workflow import local_forms
from models.workflow.analysis import MISSING, Finding, of_label


def of_model(entity: Entity, desk: Desk) -> Iterator[Finding]:
    """Find the labels of a ticket type, or of requesters and organisations, that lack a language of the desk."""
    yield from of_label(".label", entity.label, desk)
    for name, field in entity.fields.items():
        place = f".fields.{name}"
        yield from of_label(f"{place}.label", field.label, desk)
        if field.help is not None:
            yield from of_label(f"{place}.help", field.help, desk)
        for choice, of_choice in field.choices.items():
            yield from of_label(f"{place}.choices.{choice}.label", of_choice.label, desk)


def of_teams(teams: Mapping[str, Any], desk: Desk) -> Iterator[Finding]:
    """Find the labels of teams that lack a language of the desk."""
    for name, team in teams.items():
        yield from of_label(f".teams.{name}.label", team["label"], desk)


def of_desk(desk: Desk) -> Iterator[Finding]:
    """Find the texts of the program that neither the program nor the desk has in a language: readers get the next
    language of the desk, or English.
    """
    built_in = built_in_texts()
    for index, tag in enumerate(desk.languages):
        lacking = [
            name
            for name, label in built_in.items()
            if languages.match({*label, *desk.texts.get(name, {})}, tag) is None
        ]
        if lacking:
            told = (
                f"{len(lacking)} texts of the program have no {tag!r}; write them under `texts:`: {', '.join(lacking)}"
            )
            yield Finding(MISSING, "warning", f".languages[{index}]", told)


def text_problems(texts: Mapping[str, Label]) -> Iterator[FieldProblem]:
    """Find texts of a desk that the program never uses, texts without a visible character, places that the program
    never fills in, and mails without a place that their reader needs, such as the link.
    """
    built_in = built_in_texts()
    for name, label in texts.items():
        known = built_in.get(name)
        if known is None:
            close = get_close_matches(name, list(built_in), n=1)
            hint = f"; did you mean {close[0]}?" if close else f"; there are {', '.join(sorted(built_in))}"
            yield FieldProblem(f".texts.{name}", f"the program has no text of this name{hint}")
            continue
        places = {place for text in known.values() for place in chat_texts.PLACE.findall(text)}
        for tag, text in label.items():
            for place in chat_texts.PLACE.findall(text):
                if place not in places:
                    told = f"unknown place {{{place}}}; there are {', '.join(sorted(places)) or 'none'}"
                    yield FieldProblem(f".texts.{name}.{tag}", told)
            lacking = mail_texts.required_places(name) - set(chat_texts.PLACE.findall(text))
            if lacking:
                needed = ", ".join(f"{{{place}}}" for place in sorted(lacking))
                yield FieldProblem(f".texts.{name}.{tag}", f"expected {needed} in this text, which its reader needs")
            if text.strip() and not has_visible(text):
                yield FieldProblem(f".texts.{name}.{tag}", "expected a text with a visible character")


def built_in_texts() -> dict[str, Label]:
    """Return every text that the program has of its own, by name: in chats, in mails to users, in templates."""
    found: dict[str, Label] = {**chat_texts.BUILT_IN, "yes": local_forms.YES, "no": local_forms.NO}
    found |= {notice_texts.PREFIX + name: texts for name, texts in notice_texts.TEXTS.items()}
    for kind in mail_texts.TEXTS:
        for name, label in ((kind, mail_texts.bodies_of(kind)), (f"{kind}_subject", mail_texts.subjects_of(kind))):
            found[name] = _both(found[name], label) if name in found else label
    return found


def _both(one: Label, other: Label) -> Label:
    """Join two texts of one name, in the languages that both have: a chat's and a mail's."""
    return {tag: f"{one[tag]}\n{other[tag]}" for tag in one if tag in other}
