"""Notices about customers whose messages are held back."""

from __future__ import annotations

from uuid import UUID

from models.channels.accounts import ChannelAccount
from models.identity import queries as identity
from models.inbound import quarantine
from models.kernel import limits
from models.notices import commands as notices
from models.ports.inbound import InboundMessage
from models.requesters import commands as requesters
from models.tasks import rates

_RULE = "customer_held_back"


def notify(account: ChannelAccount, parsed: InboundMessage, reason: str, *, event_id: UUID) -> None:
    """Tell managers and admins that a message of a known requester is in quarantine. Joins the caller's transaction.

    A requester causes one notice in an hour, and all requesters of an account a few, so that a flood of forged mails
    does not become a flood of notices.
    """
    if requesters.find(account.channel, parsed.author_address) is None:
        return
    name = quarantine.address_hash(account, parsed)
    buckets = [
        rates.Bucket(f"held_back:{account.channel}:{account.name}:{name}", limits.held_back_notice_every_s, 1),
        rates.Bucket(
            f"held_back:{account.channel}:{account.name}",
            limits.held_back_notice_every_s / limits.held_back_notices_burst,
            limits.held_back_notices_burst,
        ),
    ]
    if rates.take(buckets) > 0:
        return
    text = (
        f"A message of a known requester in {account.channel}.{account.name} is held back as event {event_id}: {reason}"
    )
    notices.add_for_users(identity.active_ids(("manager", "admin")), rule=_RULE, text=text)
