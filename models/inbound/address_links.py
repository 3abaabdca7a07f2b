"""Confirm the number of a deep link where the link was made, and tell the person's other addresses."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from models.channels import accounts, texts
from models.channels.accounts import ChannelAccount
from models.conversations import messages
from models.kernel import limits
from models.requesters import links, queries
from models.requesters.tables import Requester
from models.staff import addresses
from models.tasks import commands as tasks
from models.tasks.payloads import SendNotice


def confirm_for_requester(requester_id: UUID, token: str, number: str) -> Requester:
    """Join the chat that opened the link to the requester. Raises WrongNumber; a wrong number counts.

    The chat gets a greeting, and the requester's other addresses a message. Call this in a transaction that commits
    even when it raises WrongNumber.
    """
    joined = links.confirm(requester_id, token, number)
    owner = joined.owner
    _send(joined.channel, joined.address, "joined", owner.locale, name=owner.name)
    known = queries.addresses_of(owner.id)[: limits.addresses_told_max]
    others = (
        (channel, address) for channel, address in known if (channel, address) != (joined.channel, joined.address)
    )
    _tell(others, joined.channel, owner.locale)
    return owner


def confirm_for_user(user_id: UUID, token: str, number: str) -> None:
    """Connect the chat that opened the link to the agent. Raises WrongNumber; a wrong number counts.

    The chat gets a message, the agent a mail, and the agent's other chats a message. Call this in a transaction that
    commits even when it raises WrongNumber.
    """
    connected = addresses.confirm(user_id, token, number)
    user = connected.user
    _send(connected.channel, connected.address, "agent_linked", user.locale, name=user.name)
    known = addresses.of_user(user_id)[: limits.addresses_told_max]
    others = ((one["channel"], one["address"]) for one in known)
    _tell((one for one in others if one != (connected.channel, connected.address)), connected.channel, user.locale)


def _tell(others: Iterable[tuple[str, str]], channel: str, locale: str | None) -> None:
    for other_channel, address in others:
        _send(other_channel, address, "chat_connected", locale, channel=channel)


def _send(channel: str, address: str, name: str, locale: str | None, /, **values: object) -> None:
    """Send a text of the desk to an address, by the default account of its channel."""
    account: ChannelAccount | None = accounts.default_for(channel)
    if account is None:
        return
    said = texts.text(account, name, locale, **values)
    subject = texts.text(account, "chat_connected_subject", locale)
    tasks.enqueue(
        SendNotice(channel=channel, account=account.name, address=address, text=said, subject=subject),
        key=messages.send_key(channel, account.name, address),
    )
