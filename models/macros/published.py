"""Saved replies and macros that are published from files (`answers:` at the top).

They are rows like those that people write, so that lists, rendering, application and counts of uses treat them alike.
`definition` names the set that a row comes from. Nobody changes such a row over the API: the file would take the
change back. The id follows from the set and the name in it, so a new version keeps the ids.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Final, Literal
from uuid import UUID, uuid5

import msgspec

from models.definitions import shape
from models.kernel import clock, limits, names
from models.kernel.errors import FieldProblem, Invalid
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.kernel.storage.advisory_lock import advisory_lock
from models.kernel.text import has_visible, one_line
from models.macros import acts
from models.macros import commands as macros
from models.macros.acts import MacroAct
from models.macros.tables import Macro
from models.publishing.kinds import DefinitionKind
from models.publishing.surroundings import Surroundings
from models.saved_replies import commands as saved_replies
from models.saved_replies.reach import Scope
from models.saved_replies.tables import SavedReply
from models.workflow.analysis import Finding, of_label

_NAMESPACE: Final = UUID("6f0c6a52-3f3e-4c43-9d0e-3d2f8a1f5b11")  # drawn once; the ids of published rows follow from it
items_max = 500  # of one file, each of saved replies and macros; a file of more is not reviewed by anybody

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=limits.name_chars_max)]
Key = Annotated[str, msgspec.Meta(min_length=1, max_length=names.word_chars_max, pattern=names.WORD_PATTERN)]


class PublishedReply(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A saved reply. `texts`: language -> text with variables."""

    name: Name
    texts: dict[str, str]
    folder: str = ""
    shortcut: Key | None = None
    body_format: Literal["text", "markdown"] = "text"


class PublishedMacro(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A macro: acts that happen all or not at all. `assign` is `me` or `none`."""

    name: Name
    acts: list[MacroAct]
    folder: str = ""


class Answers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A set of saved replies and macros, of the whole desk or of one team. `answers`: the name of the set."""

    answers: Key
    team: str | None = None
    saved_replies: dict[Key, PublishedReply] = {}
    macros: dict[Key, PublishedMacro] = {}
    description: str = ""


def json_schema() -> JsonObject:
    """JSON Schema 2020-12 of the file, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(Answers)}


def read(body: Mapping[str, Any]) -> Answers:
    """Read the structure alone. Raises Invalid."""
    return shape.convert(dict(body), Answers)


def check(body: Mapping[str, Any]) -> str:
    """Check what needs no other definition. Return the name of the set. Raises Invalid."""
    answers = read(body)
    if problems := list(_problems(answers)):
        raise Invalid(problems)
    return answers.answers


def _problems(answers: Answers) -> Iterator[FieldProblem]:
    shortcuts: dict[str, str] = {}
    for section, items in (("saved_replies", answers.saved_replies), ("macros", answers.macros)):
        if len(items) > items_max:
            yield FieldProblem(f".{section}", f"expected at most {items_max}, found {len(items)}")
        for key, item in items.items():
            yield from _line_problems(f".{section}.{key}", item.name, item.folder)
    for key, reply in answers.saved_replies.items():
        other = shortcuts.setdefault(reply.shortcut, key) if reply.shortcut else key
        if other != key:
            yield FieldProblem(f".saved_replies.{key}.shortcut", f"{other} has the shortcut {reply.shortcut} already")
    for key, macro in answers.macros.items():
        for index, act in enumerate(macro.acts):
            if act.assign not in (None, *acts.ASSIGN_WORDS):
                told = f"expected {' or '.join(acts.ASSIGN_WORDS)}, found {act.assign!r}: a file names no user"
                yield FieldProblem(f".macros.{key}.acts[{index}].assign", told)


def _line_problems(place: str, name: str, folder: str) -> Iterator[FieldProblem]:
    if not has_visible(name) or one_line(name, limits.name_chars_max) != name:
        yield FieldProblem(f"{place}.name", "expected one line of text that is not blank")
    if folder and one_line(folder, limits.name_chars_max) != folder:
        yield FieldProblem(f"{place}.folder", f"expected one line of at most {limits.name_chars_max} characters")


def findings(body: Mapping[str, Any], around: Surroundings) -> Iterator[Finding]:
    """Find the names that no other definition has, wrong texts, and texts that lack a language of the desk."""
    answers = read(body)
    if answers.team is not None and answers.team not in around.teams:
        yield Finding("undefined_team", "error", ".team", f"there is no team {answers.team!r}")
    fields = {name for entity in around.types.values() for name in entity.fields}
    known = acts.Known(fields, set(around.teams), set(around.priorities), set(around.transitions))
    for key, reply in answers.saved_replies.items():
        place = f".saved_replies.{key}.texts"
        yield from _as_findings("wrong_text", saved_replies.problems(reply.texts, place, fields))
        yield from of_label(place, reply.texts, around.desk)
    for key, macro in answers.macros.items():
        place = f".macros.{key}"
        for problem in acts.problems(macro.acts, known):
            yield Finding("wrong_act", "error", f"{place}{_dotted(problem.path)}", problem.message)
        for index, act in enumerate(macro.acts):
            for kind, text in (("reply", act.reply), ("note", act.note)):
                if text is not None:
                    yield from of_label(f"{place}.acts[{index}].{kind}.texts", text.texts, around.desk)


def _as_findings(code: str, problems: Sequence[FieldProblem]) -> Iterator[Finding]:
    return (Finding(code, "error", _dotted(one.path), one.message) for one in problems)


def _dotted(path: str) -> str:
    """Return a path such as `/acts/0/note` as places of YAML are written: `.acts[0].note`."""
    parts = path.replace("/", ".").split(".")
    return "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in parts if part)


def put_in_force(name: str, body: JsonObject) -> None:
    """Write the rows of a set; rows that it has no longer are deleted. Joins the caller's transaction.

    Raises Invalid if a shortcut is taken, or the desk would have too many rows.
    """
    answers = read(body)
    scope = Scope.all if answers.team is None else Scope.team
    common = {"definition": name, "scope": str(scope), "team": answers.team, "user_id": None}
    advisory_lock("saved_replies")
    replies = {_id(name, "saved_replies", key): one for key, one in answers.saved_replies.items()}
    _remove(SavedReply, name, replies)
    for reply_id, reply in replies.items():
        _check_shortcut(reply, answers.team, scope, reply_id)
        _put(SavedReply, reply_id, common | msgspec.structs.asdict(reply) | {"texts": dict(reply.texts)})
    advisory_lock("macros")
    wanted = {_id(name, "macros", key): one for key, one in answers.macros.items()}
    _remove(Macro, name, wanted)
    for macro_id, macro in wanted.items():
        row = {"name": macro.name, "folder": macro.folder, "acts": msgspec.to_builtins(list(macro.acts))}
        _put(Macro, macro_id, common | row)
    for table, most in ((SavedReply, saved_replies.saved_replies_max), (Macro, macros.macros_max)):
        if (found := table.select().where(table.definition.is_null(False)).count()) > most:
            raise Invalid([FieldProblem("", f"expected at most {most} {table._meta.table_name}, found {found}")])


def retire(name: str) -> None:
    """Delete the rows of a set. Messages that were written with them stay."""
    for table in (SavedReply, Macro):
        _remove(table, name, {})


def _id(name: str, section: str, key: str) -> UUID:
    return uuid5(_NAMESPACE, f"{name}/{section}/{key}")


def _remove(table: Any, name: str, but: Mapping[UUID, Any]) -> None:
    gone = table.delete().where(table.definition == name)
    (gone.where(table.id.not_in(sorted(but))) if but else gone).execute()


def _check_shortcut(reply: PublishedReply, team: str | None, scope: Scope, reply_id: UUID) -> None:
    if reply.shortcut is None:
        return
    same = SavedReply.select(SavedReply.name).where(
        SavedReply.shortcut == reply.shortcut, SavedReply.scope == str(scope), SavedReply.id != reply_id
    )
    for row in database.rows(same.where(SavedReply.team == team) if team is not None else same):
        told = f"the saved reply {row['name']!r} has the shortcut {reply.shortcut} already"
        raise Invalid([FieldProblem(".saved_replies", told)])


def _put(table: Any, row_id: UUID, values: Mapping[str, Any]) -> None:
    """Insert the row, or change it; a row that is the same keeps its version."""
    now = clock.now()
    columns = {getattr(table, name): value for name, value in values.items()}
    known = database.rows(table.select().where(table.id == row_id))
    if not known:
        table.insert({**columns, table.id: row_id, table.created_at: now, table.updated_at: now}).execute()
    elif any(known[0][name] != value for name, value in values.items()):
        changed = {table.version: known[0]["version"] + 1, table.updated_at: now}
        table.update({**columns, **changed}).where(table.id == row_id).execute()


KIND: Final = DefinitionKind(check, findings, put_in_force, retire)
