"""The strategy of a team: the member who gets a ticket that enters the team."""

from __future__ import annotations

from typing import Final

from models.workflow.acts import Assigned
from models.workflow.execution import choices, effects
from models.workflow.execution.run import Run
from models.workflow.instance import Event

RULE: Final = "team_assignment"  # the rule that events name


def note(run: Run, event: Event) -> None:
    """Note that the ticket enters its team: it is created there without an assignee, or its team changes."""
    if (event.type == "ticket_created" and not run.instance.assignee) or (
        event.type == "field_changed" and event.name == "team"
    ):
        run.entered_team = True


def is_due(run: Run) -> bool:
    """Return True if the ticket entered a team whose strategy chooses a member, and nothing else chose an assignee.

    An assignment of the same step goes before the strategy, also the one that leaves the ticket to nobody.
    """
    ticket = run.instance
    if not run.entered_team or not ticket.team or ticket.category in ("done", "closed"):
        return False
    if any(isinstance(act, Assigned) for act in run.acts):
        return False
    return run.context.strategy(ticket.team) != choices.MANUAL


def assign(run: Run) -> None:
    """Give the ticket to a member of the team that it has entered. An assignee who is a member stays."""
    ticket = run.instance
    if ticket.assignee and ticket.assignee in [one.id for one in run.context.roster(ticket.team)]:
        return
    choice = choices.choose(run, run.context.strategy(ticket.team), ticket.team)
    effects.give_by(run, choice, rule=RULE)
