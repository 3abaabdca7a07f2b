"""Finds the staff groups that follow a ticket. It must stay cheap, because every change of a ticket asks it."""

from __future__ import annotations

from collections.abc import Iterable

from models.channels import accounts
from models.channels.accounts import ChannelAccount
from models.events.payload import EventPayload
from models.events.sorting_payloads import TicketEscalated
from models.events.workflow_payloads import SlaBreached
from models.tickets.tables import Ticket


def that_hear_of(ticket: Ticket, events: Iterable[EventPayload] = ()) -> list[ChannelAccount]:
    """The accounts whose staff group has a topic for this ticket; the look-up of accounts is cached.

    The group of a team also gets the tickets that one of the `events` escalates to the team.
    """
    to = {_escalates_to(ticket, event) for event in events} - {None}
    return [one for one in accounts.every() if _hears(one, ticket) or (to and to & set(_teams_of(one)))]


def _escalates_to(ticket: Ticket, event: EventPayload) -> str | None:
    """Return the team to whose group an event escalates the ticket; None for most events."""
    if isinstance(event, TicketEscalated):
        return event.team
    return ticket.team if isinstance(event, SlaBreached) else None


def of_team(team: str) -> list[ChannelAccount]:
    """The accounts whose staff group is the group of the team."""
    return [account for account in accounts.every() if team in _teams_of(account)]


def _teams_of(account: ChannelAccount) -> tuple[str, ...]:
    staff = account.config.get("staff")
    if not isinstance(staff, dict) or account.config.get("enabled") is False:
        return ()
    return tuple(staff.get("teams") or ())


def _hears(account: ChannelAccount, ticket: Ticket) -> bool:
    staff = account.config.get("staff")
    if not isinstance(staff, dict) or account.config.get("enabled") is False:
        return False
    own = (ticket.channel, ticket.account) == (account.channel, account.name)
    return staff.get("tickets", "all") == "all" or own


def chat_of(account: ChannelAccount) -> str | None:
    """The address of the account's staff group, or None when it has none."""
    staff = account.config.get("staff")
    return str(staff["chat_id"]) if isinstance(staff, dict) else None
