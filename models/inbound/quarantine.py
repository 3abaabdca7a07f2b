"""Quarantine of forged, unproved, spam and too frequent messages.

A quarantined event is kept as `failed` with a reason that people see; a person's replay releases it.
"""

from __future__ import annotations

import hashlib

from models.channels.accounts import ChannelAccount
from models.kernel import limits
from models.ports.author_proof import SpamVerdict
from models.ports.inbound import InboundMessage
from models.requesters.commands import normalise_address
from models.tasks import rates


def forged_reason(account: ChannelAccount, parsed: InboundMessage) -> str | None:
    """Return the reason why a message whose authentication failed is quarantined, or None."""
    if parsed.verdict != "fail" or account.config.get("on_auth_fail") == "accept":
        return None
    return "quarantined: the mail's authentication failed, so its sender may be forged; replay it to release it"


def unproved_reason(account: ChannelAccount, parsed: InboundMessage) -> str | None:
    """Return the reason why a message without proof is quarantined in a mailbox that has a judge, or None.

    The From mailbox decides: a web form whose own address is proved may name its visitors in Reply-To. A failed
    authentication is the matter of `on_auth_fail`.
    """
    proof = parsed.proof
    if proof is None or not proof.judged or proof.carrier != "unproved" or parsed.verdict == "fail":
        return None
    if account.config.get("on_unproved") == "accept":
        return None
    return f"quarantined: its author is not proved ({proof.rests_on}); replay it to release it"


def spam_reason(account: ChannelAccount, parsed: InboundMessage) -> str | None:
    """Return the reason why a message is quarantined as spam by the account's `spam_threshold`, or None."""
    threshold = account.config.get("spam_threshold", limits.spam_threshold)
    if parsed.spam is None or threshold is None or not _is_spam(parsed.spam, float(threshold)):
        return None
    return f"quarantined: a spam filter reports {parsed.spam.rests_on}; replay it to release it"


def _is_spam(spam: SpamVerdict, threshold: float) -> bool:
    """A verdict without a number counts as spam under every threshold."""
    return spam.score is None or spam.score >= threshold


def frequency_reason(account: ChannelAccount, parsed: InboundMessage) -> str | None:
    """Return the reason why this message may not open a ticket now, or None. Joins the caller's transaction.

    Each address has a bucket for each grade, so that forged mails do not use up the bucket of the proved ones. The
    limit holds when all headers are forged.
    """
    per_hour = int(account.config.get("new_tickets_per_hour") or limits.new_tickets_per_sender_hour)
    name = address_hash(account, parsed)
    grade = "" if parsed.grade is None else f"{parsed.grade}:"
    bucket = rates.Bucket(f"new_ticket:{account.channel}:{account.name}:{grade}{name}", 3600 / per_hour, per_hour)
    if rates.take([bucket]) == 0.0:
        return None
    return f"quarantined: more than {per_hour} new tickets in an hour from one address; replay it to release it"


def address_hash(account: ChannelAccount, parsed: InboundMessage) -> str:
    """Return a name for the author's address that does not reveal it."""
    address = normalise_address(account.channel, parsed.author_address)
    return hashlib.sha256(address.encode()).hexdigest()[:16]
