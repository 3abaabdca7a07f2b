"""Finds the staff groups that follow a ticket. It must stay cheap, because every change of a ticket asks it."""

from __future__ import annotations

from models.channels import accounts
from models.channels.accounts import ChannelAccount
from models.tickets.tables import Ticket


def that_hear_of(ticket: Ticket) -> list[ChannelAccount]:
    """The accounts whose staff group has a topic for this ticket; the look-up of accounts is cached."""
    return [account for account in accounts.every() if _hears(account, ticket)]


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
