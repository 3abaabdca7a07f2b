"""Texts of agents with variables: saved replies, texts of macros, and signatures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from models.workflow import templates
from models.workflow.definition import Workflow
from models.workflow.execution import effects
from models.workflow.execution.run import Run
from models.workflow.instance import Context, Instance


@dataclass(frozen=True, slots=True)
class RenderedText:
    """A rendered text, its language, and the variables of its template that have no value for this ticket."""

    text: str
    language: str
    missing: tuple[str, ...]


def render(
    workflow: Workflow, instance: Instance, context: Context, texts: Mapping[str, str], language: str | None, agent: str
) -> RenderedText:
    """Render a text for a ticket. `language`: the wanted one; None: the requester's. `agent`: the name of who writes.

    Dates are in the requester's time zone, or in the desk's. Raises TemplateError for a value that does not fit.
    """
    run = Run(workflow, instance, context)
    requester = run.requester()
    chosen = context.desk.tag_for(texts, language, str(requester.get("locale") or "") or None)
    values = effects.values(run, chosen) | {"agent": {"name": agent}}
    zone = str(requester.get("time_zone") or "") or context.desk.zone
    text = templates.render(texts[chosen], values, chosen, zone=zone, words=context.desk.texts)
    missing = tuple(path for path in templates.reads(texts[chosen]) if _is_empty(values, path))
    return RenderedText(text, chosen, missing)


def _is_empty(values: Mapping[str, object], path: str) -> bool:
    found: object = values
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found in (None, "", [], {}) or isinstance(found, type(templates.EMPTY_NUMBER))
