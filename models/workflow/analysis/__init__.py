"""Static analysis of a life cycle: finds rules that the file format allows and that surprise people at run time.

`checks` refuses definitions that cannot run. Each finding here says what is wrong, why it matters and what to do. The
analysis reports only what it can decide. A definition with errors cannot be published.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from models.definitions.desk import Desk
from models.infomodel.definition import Entity
from models.workflow.analysis import (
    conditions,
    consequences,
    facts,
    flow,
    loops,
    promises,
    references,
    required,
    texts,
)
from models.workflow.analysis.findings import Finding
from models.workflow.analysis.subject import Subject
from models.workflow.analysis.texts import MISSING, of_label
from models.workflow.definition import Workflow

__all__ = ["MISSING", "Finding", "analyse", "of_label"]


def analyse(
    workflow: Workflow,
    *,
    types: Mapping[str, Entity] | None = None,
    teams: Collection[str] | None = None,
    workflows: Collection[str] | None = None,
    desk: Desk | None = None,
    people: Collection[str] | None = None,
) -> list[Finding]:
    """Everything suspicious, errors first.

    `types`, `teams`, `workflows`: the names that there are; `desk`: its languages; `people`: the e-mail
    addresses of active users. None: not known, so not judged.
    """
    subject = Subject(workflow, types, teams, workflows, desk, people)
    rules = (references, required, flow, conditions, facts, loops, consequences, promises, texts)
    found = [finding for rule in rules for finding in rule.findings(subject)]
    return sorted(dict.fromkeys(found), key=lambda one: (one.severity != "error", one.path))
