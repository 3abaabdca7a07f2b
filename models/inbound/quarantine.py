"""Quarantine: messages of a forged sender, or of one who opens too many tickets, wait until a person lets them in.

A quarantined event is `failed` with a reason that people see; replaying it lets it in.
"""

from __future__ import annotations

import hashlib

from models.channels.accounts import ChannelAccount
from models.kernel import limits
from models.ports.inbound import InboundMessage
from models.requesters.commands import normalise_address
from models.tasks import rates


def reason_before_reading(account: ChannelAccount, parsed: InboundMessage, *, released: bool) -> str | None:
    """Return the reason why this message may not even join a ticket, or None."""
    if released or parsed.verdict != "fail" or account.config.get("on_auth_fail") == "accept":
        return None
    return "quarantined: the mail's authentication failed, so its sender may be forged; replay it to let it in"


def reason_before_a_new_ticket(account: ChannelAccount, parsed: InboundMessage, *, released: bool) -> str | None:
    """Return the reason why this message may not open a ticket now, or None. Joins the caller's transaction.

    The cap per address works when all headers are forged.
    """
    if released:
        return None
    per_hour = int(account.config.get("new_tickets_per_hour") or limits.new_tickets_per_sender_hour)
    address = normalise_address(account.channel, parsed.author_address)
    name = hashlib.sha256(address.encode()).hexdigest()[:16]
    bucket = rates.Bucket(f"new_ticket:{account.channel}:{account.name}:{name}", 3600 / per_hour, per_hour)
    if rates.take([bucket]) == 0.0:
        return None
    return f"quarantined: more than {per_hour} new tickets in an hour from one address; replay it to let it in"
