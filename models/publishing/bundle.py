"""A bundle: definition files that are sent together as texts. They are read against each other and against what is in
force, and published in one transaction.

A text may include a fragment of the bundle or a published one.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from models.definitions import desk as desks
from models.definitions import files, store
from models.definitions.desk import Desk
from models.definitions.files import Document
from models.kernel.errors import FieldProblem, Invalid
from models.publishing import catalogue, dependents, desk_defaults, publishing
from models.publishing.catalogue import Found
from models.workflow.analysis import Finding

_PATHS = {"workflow": "{}/workflow.yaml", "model": "model/{}.yaml", "answers": "answers/{}.yaml"}


@dataclass
class Bundle:
    """The definitions of a bundle, and what is wrong with its files: (file, problem with file:line:column: path)."""

    found: list[Found] = field(default_factory=list)
    problems: list[tuple[str, FieldProblem]] = field(default_factory=list)


def path_of(kind: str, name: str) -> str:
    """Return the path in a folder that a definition has by custom, to which its includes are relative."""
    return _PATHS.get(kind, "{}.yaml").format(name.removeprefix("entity."))


def read(sources: Mapping[str, str]) -> Bundle:
    """Read and check each file; joins the caller's connection. Paths are relative to the folder of definitions."""
    texts = {posixpath.normpath(path): source for path, source in sources.items()}
    bundle = Bundle()
    documents: dict[str, Document] = {}
    for path in texts:
        try:
            documents[path] = files.assemble(path, lambda one: texts.get(one) or _published_fragment(one))
        except Invalid as error:
            bundle.problems.extend((path, problem) for problem in error.problems)
    desk = _desk_of(documents.values())
    seen: dict[tuple[str, str], str] = {}
    for path, document in documents.items():
        try:
            found = _definition(path, document, texts[path], desk)
            other = seen.setdefault((found.kind, found.name), path)
            if other != path:
                raise Invalid([FieldProblem("", f"{found.kind} {found.name} is in {other} already")])
        except Invalid as error:
            bundle.problems.extend((path, problem) for problem in document.located(error).problems)
        else:
            bundle.found.append(found)
    return bundle


def _published_fragment(path: str) -> str | None:
    in_force = store.latest(files.FRAGMENT, path)
    return None if in_force is None else store.source_of(files.FRAGMENT, path, in_force.version)


def _desk_of(documents: Iterable[Document]) -> Desk:
    """Return the bundle's own desk if it is sound, else the one in force."""
    for document in documents:
        if desks.KIND in document.body:
            try:
                return desks.parse(document.body)
            except Invalid:
                break
    return desks.current()


def _definition(path: str, document: Document, source: str, desk: Desk) -> Found:
    kind = catalogue.kind_of(document.body)
    if kind is None:
        raise Invalid([FieldProblem("", "scenarios are run and not published: `scripts.defs test`")])
    if kind == "channel":
        raise Invalid([FieldProblem("", "channel accounts are published from files: `scripts.defs apply`")])
    if kind == files.FRAGMENT:
        return Found(kind, path, document.body, source, Path(path), document)
    desk_defaults.fill(document.body, desk)
    return Found(kind, catalogue.name_of(kind, document.body), document.body, source, Path(path), document)


def findings(found: list[Found]) -> list[tuple[Found, Finding]]:
    """Return the findings of static analysis about the bundle among what is in force."""
    around = catalogue.surroundings_of(found, catalogue.published_surroundings())
    return catalogue.judged(found, around)


def refusals(found: list[Found]) -> list[tuple[Found | None, FieldProblem]]:
    """Return the reasons against publishing: values that would be lost, life cycles in force that would break."""
    lost = [(one, problem) for one in found for problem in publishing.refusals(one)]
    return [*lost, *((None, problem) for problem in dependents.broken(found))]
