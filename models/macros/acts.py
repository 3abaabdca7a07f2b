"""The acts of a macro, and their check before a ticket is known."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from models.definitions import store
from models.identity import queries as identity
from models.infomodel import published
from models.kernel import limits, names
from models.kernel.errors import FieldProblem
from models.kernel.ids import parse_id
from models.kernel.open_json import JsonObject
from models.publishing import workflows
from models.saved_replies import commands as saved_replies
from models.teams import queries as teams

acts_max = 20  # of a macro: more than a person could follow in a preview
ASSIGN_WORDS = ("me", "none")


class MacroText(msgspec.Struct, forbid_unknown_fields=True):
    """A text with variables, as in a saved reply. `texts` has a text for each language."""

    texts: dict[str, str]
    body_format: Literal["text", "markdown"] = "text"


class TagChange(msgspec.Struct, forbid_unknown_fields=True):
    """The tags to add and to remove."""

    add: list[str] = []
    remove: list[str] = []


class MacroTransition(msgspec.Struct, forbid_unknown_fields=True):
    """A transition to take. A transition that asks for a confirmation needs `confirm: true`."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=names.word_chars_max, pattern=names.WORD_PATTERN)]
    comment: str | None = None
    confirm: bool = False


class MacroSnooze(msgspec.Struct, forbid_unknown_fields=True):
    """The end of a snooze: a distance (`for`, such as `PT4H` or `2 working hours`), or the requester's next message."""

    for_: str | None = msgspec.field(name="for", default=None)
    note: str | None = None


class MacroAct(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One act: exactly one of the members. `fields` is merged as in a change of a ticket. `assign` is a user's id, `me`
    (who applies the macro) or `none`.
    """

    reply: MacroText | None = None
    note: MacroText | None = None
    fields: JsonObject | None = None
    priority: str | None = None
    team: str | None = None
    tags: TagChange | None = None
    assign: str | None = None
    transition: MacroTransition | None = None
    snooze: MacroSnooze | None = None

    @property
    def kinds(self) -> list[str]:
        """The names of the members that are there; a valid act has one."""
        return [name for name in self.__struct_fields__ if getattr(self, name) is not None]


def decoded(stored: object) -> list[MacroAct]:
    """Read stored acts."""
    return msgspec.convert(stored, list[MacroAct])


@dataclass(frozen=True, slots=True)
class Known:
    """The names that acts may use: fields of tickets, teams, priorities and transitions of life cycles."""

    fields: set[str]
    teams: Collection[str]
    priorities: Collection[str]
    transitions: Collection[str]

    @classmethod
    def in_force(cls) -> Known:
        """The names that are published."""
        definitions = [workflows.newest(one.name).definition for one in store.all_latest("workflow")]
        return cls(
            {name for model in published.all_models() for name in model.fields},
            [team["name"] for team in teams.all_teams()],
            {name for one in definitions for name in one.priorities},
            {name for one in definitions for name in one.transitions},
        )


def problems(acts: Sequence[MacroAct], known: Known | None = None) -> list[FieldProblem]:
    """Return everything that keeps the acts from being applied to any ticket: wrong texts, names that nothing has.

    `known`: the names that there are; without them, those that are published.
    """
    if not 1 <= len(acts) <= acts_max:
        return [FieldProblem("/acts", f"expected 1 to {acts_max} acts, found {len(acts)}")]
    names = known or Known.in_force()
    return [problem for index, act in enumerate(acts) for problem in _of_act(act, f"/acts/{index}", names)]


def _of_act(act: MacroAct, place: str, known: Known) -> Iterator[FieldProblem]:
    if len(act.kinds) != 1:
        expected = ", ".join(act.__struct_fields__)
        yield FieldProblem(place, f"expected exactly one of {expected}, found {', '.join(act.kinds) or 'none'}")
        return
    [kind] = act.kinds
    place = f"{place}/{kind}"
    for text in (act.reply, act.note):
        if text is not None:
            yield from saved_replies.problems(text.texts, f"{place}/texts", known.fields)
    if act.fields is not None:
        yield from _unknown_fields(act.fields, place, known)
    if act.team is not None:
        yield from _unknown(act.team, known.teams, place)
    if act.priority is not None:
        yield from _unknown(act.priority, known.priorities, place)
    if act.transition is not None:
        yield from _unknown(act.transition.name, known.transitions, f"{place}/name")
    if act.tags is not None:
        yield from _wrong_tags(act.tags, place)
    if act.assign is not None:
        yield from _wrong_assignee(act.assign, place)


def _unknown(name: str, known: Collection[str], place: str) -> Iterator[FieldProblem]:
    if name in known:
        return
    close = get_close_matches(name, sorted(known), n=1)
    hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(sorted(known)[:20]) or 'none'}"
    yield FieldProblem(place, f"unknown name {name[:80]!r}; {hint}")


def _unknown_fields(fields: JsonObject, place: str, known: Known) -> Iterator[FieldProblem]:
    if len(fields) > limits.fields_max:
        yield FieldProblem(place, f"expected at most {limits.fields_max} fields, found {len(fields)}")
        return
    for name in fields:
        yield from _unknown(name, known.fields, f"{place}/{name}")


def _wrong_tags(tags: TagChange, place: str) -> Iterator[FieldProblem]:
    if not tags.add and not tags.remove:
        yield FieldProblem(place, "expected tags to add or to remove")
    for part, listed in (("add", tags.add), ("remove", tags.remove)):
        if len(listed) > limits.tags_max:
            yield FieldProblem(f"{place}/{part}", f"expected at most {limits.tags_max} tags, found {len(listed)}")
            return
        for index, tag in enumerate(listed):
            if not names.is_word(names.folded(tag)):
                yield FieldProblem(f"{place}/{part}/{index}", f"expected a tag, found {tag[:80]!r}")


def _wrong_assignee(assignee: str, place: str) -> Iterator[FieldProblem]:
    if assignee in ASSIGN_WORDS:
        return
    user_id: UUID | None = parse_id(assignee)
    if user_id is None or not identity.can_take_tickets(user_id):
        yield FieldProblem(place, "expected the id of an active user who works on tickets, me or none")
