"""The acts of a macro, and their check before a ticket is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
from models.workflow.definition import Workflow

acts_max = 20  # of a macro: more than a person could follow in a preview
_ASSIGN_WORDS = ("me", "none")


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


def problems(acts: Sequence[MacroAct]) -> list[FieldProblem]:
    """Return everything that keeps the acts from being applied to any ticket: wrong texts, names that nothing has."""
    if not 1 <= len(acts) <= acts_max:
        return [FieldProblem("/acts", f"expected 1 to {acts_max} acts, found {len(acts)}")]
    return [problem for index, act in enumerate(acts) for problem in _of_act(act, f"/acts/{index}")]


def _of_act(act: MacroAct, place: str) -> Iterator[FieldProblem]:
    if len(act.kinds) != 1:
        expected = ", ".join(act.__struct_fields__)
        yield FieldProblem(place, f"expected exactly one of {expected}, found {', '.join(act.kinds) or 'none'}")
        return
    [kind] = act.kinds
    place = f"{place}/{kind}"
    for text in (act.reply, act.note):
        if text is not None:
            yield from saved_replies.problems(text.texts, f"{place}/texts")
    if act.fields is not None:
        yield from _unknown_fields(act.fields, place)
    if act.team is not None:
        yield from _unknown(act.team, [team["name"] for team in teams.all_teams()], place)
    if act.priority is not None:
        yield from _unknown(act.priority, _priorities(), place)
    if act.transition is not None:
        yield from _unknown(act.transition.name, _transitions(), f"{place}/name")
    if act.tags is not None:
        yield from _wrong_tags(act.tags, place)
    if act.assign is not None:
        yield from _wrong_assignee(act.assign, place)


def _unknown(name: str, known: Sequence[str], place: str) -> Iterator[FieldProblem]:
    if name in known:
        return
    close = get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(sorted(known)[:20]) or 'none'}"
    yield FieldProblem(place, f"unknown name {name[:80]!r}; {hint}")


def _unknown_fields(fields: JsonObject, place: str) -> Iterator[FieldProblem]:
    if len(fields) > limits.fields_max:
        yield FieldProblem(place, f"expected at most {limits.fields_max} fields, found {len(fields)}")
        return
    known = sorted({name for model in published.all_models() for name in model.fields})
    for name in fields:
        yield from _unknown(name, known, f"{place}/{name}")


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
    if assignee in _ASSIGN_WORDS:
        return
    user_id: UUID | None = parse_id(assignee)
    if user_id is None or not identity.can_take_tickets(user_id):
        yield FieldProblem(place, "expected the id of an active user who works on tickets, me or none")


def _definitions() -> list[Workflow]:
    return [workflows.newest(one.name).definition for one in store.all_latest("workflow")]


def _priorities() -> list[str]:
    return sorted({name for one in _definitions() for name in one.priorities})


def _transitions() -> list[str]:
    return sorted({name for one in _definitions() for name in one.transitions})
