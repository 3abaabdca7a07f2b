"""Escalate a ticket to the staff group of a team. Joins the caller's transaction.

The staff group of a team is that of each account whose `staff.teams` names the team. The group gets a topic of the
ticket with the reason, also if it follows only the tickets of its own account. A broken promise of a ticket escalates
it to the group of its team in the same way (`models/tickets/staff_groups.py`).
"""

from __future__ import annotations

from uuid import UUID

from models.channels.accounts import ChannelAccount
from models.events.commands import Actor
from models.events.sorting_payloads import TicketEscalated
from models.kernel.errors import Conflict
from models.staff_chat import ticket_posts
from models.teams import queries as teams
from models.ticket_workflow.people_acts import explain
from models.tickets import staff_groups
from models.tickets.ticket_change import TicketChange


class NoStaffGroup(Conflict):
    """The team has no staff group that may see the ticket."""

    code = "no_staff_group"


def escalate(ticket_id: UUID, team: str, reason: str, *, actor: Actor) -> list[ChannelAccount]:
    """Post the reason in the staff groups of a team; return their accounts.

    Raises Invalid for an unknown team, and NoStaffGroup.
    """
    teams.get_or_invalid(team)
    change = TicketChange.of(ticket_id, actor=actor)
    groups = [one for one in staff_groups.of_team(team) if ticket_posts.is_seen_by_group(one, change.ticket)]
    if not groups:
        raise NoStaffGroup()
    change.record(TicketEscalated(team=team, reason=reason))
    explain(change, "escalated", f"the request of {actor.kind}, to the staff group of the team {team}")
    change.save()
    return groups
