"""The words of a ticket's state, in the reader's language, and its failed sends: filters of the templates."""

from __future__ import annotations

from typing import Any, Final

from functions.console.frame import texts
from models.kernel.errors import ConfigurationError
from models.publishing import workflows


def state_label(ticket: Any) -> str:
    """Return the label of the ticket's state in the version of its life cycle."""
    try:
        states = workflows.of_version(ticket.workflow, ticket.workflow_version).definition.states
    except ConfigurationError:
        return texts.label(None, ticket.state)
    found = states.get(ticket.state)
    return texts.label(found.label if found is not None else None, ticket.state)


def failure(ticket: Any) -> str:
    """Return the reason of a message of the ticket that was not delivered, or an empty text."""
    found = getattr(ticket, "failed_send", None)
    return str(found.reason or texts.gettext("unknown reason")) if found else ""


FILTERS: Final = {"state_label": state_label, "failure": failure}
