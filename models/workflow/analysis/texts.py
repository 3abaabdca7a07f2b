"""Languages: every text that people read should be in each language of the desk."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from models.definitions.desk import Desk, missing
from models.kernel import languages
from models.workflow.analysis.findings import Finding, warning
from models.workflow.analysis.subject import Subject
from models.workflow.definition import Workflow

# The code of these warnings. `scripts.defs check` has a switch of its own for it.
MISSING = "missing_translation"


def findings(subject: Subject) -> Iterator[Finding]:
    """Find the texts of a life cycle that lack a language of the desk, and copies that wait for their translator."""
    for place, label in labels(subject.workflow):
        yield from of_label(place, label, subject.desk)


def labels(workflow: Workflow) -> Iterator[tuple[str, Mapping[str, str]]]:
    """List every text of a life cycle with its place."""
    yield ".label", workflow.label
    for name, state in workflow.states.items():
        yield f".states.{name}.label", state.label
        if state.requester_label is not None:
            yield f".states.{name}.requester_label", state.requester_label
    for name, transition in workflow.transitions.items():
        yield f".transitions.{name}.label", transition.label
        if transition.confirm is not None:
            yield f".transitions.{name}.confirm", transition.confirm
    for name, template in workflow.templates.items():
        yield f".templates.{name}", template


def of_label(place: str, label: Mapping[str, str], desk: Desk | None) -> Iterator[Finding]:
    """Find the languages of the desk that a text lacks, and texts in the letters of another language."""
    for tag in missing(desk, label) if desk is not None else ():
        yield warning(MISSING, place, f"there is no text in {tag!r}, a language of the desk")
    for tag, text in label.items():
        words = re.sub(r"\{[{%].*?[}%]\}", "", text, flags=re.DOTALL)
        if languages.is_foreign_copy(words, tag):
            told = f"the text in {tag!r} has Latin letters only: is it translated?"
            yield warning(MISSING, f"{place}.{tag}", told)
