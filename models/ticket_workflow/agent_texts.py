"""Render texts of agents for one ticket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from models.events.commands import Actor
from models.kernel.errors import Conflict
from models.ticket_workflow import steps
from models.tickets.tables import Ticket
from models.tickets.ticket_change import TicketChange
from models.visibility.seen import Guard
from models.workflow.execution import agent_texts
from models.workflow.execution.agent_texts import RenderedText
from models.workflow.templates import TemplateError


class TextNotRendered(Conflict):
    """The text does not fit the values of this ticket."""

    code = "text_not_rendered"


def render(ticket: Ticket, texts: Mapping[str, str], language: str | None, *, actor: Actor, role: str) -> RenderedText:
    """Render a text for a ticket, in the wanted language or in the requester's.

    Changes nothing. Raises TextNotRendered, for instance for a comparison of a text with a number.
    """
    return render_in(TicketChange(ticket, actor=actor, new=False), texts, language, role=role)


def render_in(change: TicketChange, texts: Mapping[str, str], language: str | None, *, role: str) -> RenderedText:
    """Render a text with the ticket as it is in a change. Fields that `role` may not see have no value. `render`
    explains the rest.
    """
    workflow = steps.workflow_of(change)
    instance, context = steps.instance_of(change, workflow), steps.context_of(change, workflow)
    instance = replace(instance, fields=Guard.of(change.ticket, role).fields(instance.fields))
    try:
        return agent_texts.render(workflow, instance, context, texts, language, change.actor.name)
    except TemplateError as error:
        raise TextNotRendered(f"The text cannot be rendered for this ticket: {error}") from error
