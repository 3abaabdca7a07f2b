"""Checks of an inbound message: each may end the event before the message reaches a ticket."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from models.channels import accounts
from models.channels.accounts import ChannelAccount
from models.conversations import threading
from models.deliveries import bounces
from models.desk_mail import commands as desk_mail
from models.desk_mail import links
from models.inbound import held_back, notice_answers, quarantine
from models.inbox import commands as inbox
from models.kernel.storage.advisory_lock import advisory_lock
from models.notices import answers
from models.ports.inbound import InboundMessage
from models.requesters import commands as requesters
from models.side_conversations import answers as side_answers
from models.side_conversations import threads


@dataclass(frozen=True, slots=True)
class Settlement:
    """The end of an event, as the inbox shows it."""

    status: str
    reason: str | None = None
    ticket_id: UUID | None = None
    message_id: UUID | None = None


UNKNOWN_BOUNCE = Settlement("ignored", "a bounce that answers no message of ours")


def with_person(account: ChannelAccount, parsed: InboundMessage) -> InboundMessage:
    """Correct the facts about a mail by the desk's other mailboxes, which the parser does not know.

    An answer goes to no mailbox of the desk. A mail that another mailbox of the desk sends for a person is from the
    address in its Reply-To, unproved. A mail from an address of the desk is not answered automatically.
    """
    author_proof = parsed.proof
    if author_proof is None:
        return parsed
    if parsed.automatic is None and _is_from_us(account, parsed):
        parsed = dataclasses.replace(parsed, automatic="own", by_machine=False)
    if parsed.contact_address == parsed.author_address:
        return parsed
    if accounts.is_ours(account.channel, parsed.contact_address):
        details = {name: value for name, value in parsed.details.items() if name != "reply_to"}
        return dataclasses.replace(parsed, contact_address=parsed.author_address, details=details)
    if _is_echo(parsed) or not accounts.is_ours(account.channel, parsed.author_address):
        return parsed
    person = parsed.contact_address
    proof = dataclasses.replace(author_proof, address=person, grade="unproved", source="reply_to")
    named = dict(parsed.details.get("reply_to") or {})
    return dataclasses.replace(
        parsed,
        author_address=person,
        author_name=str(named.get("name") or "") or person.partition("@")[0],
        verdict="none",
        proof=proof,
        details={**parsed.details, "from_header": {"name": parsed.author_name, "address": parsed.author_address}},
    )


def _is_from_us(account: ChannelAccount, parsed: InboundMessage) -> bool:
    """Return True if From is an address of the desk, whoever wrote the mail: a form of the desk's site sends for its
    visitors.
    """
    named = str((parsed.details.get("from_header") or {}).get("address") or parsed.author_address)
    return accounts.is_ours(account.channel, named)


def _is_echo(parsed: InboundMessage) -> bool:
    return parsed.automatic == "own" and parsed.is_by_machine


def _own_message(event: inbox.RawEvent, account: ChannelAccount, parsed: InboundMessage) -> Settlement | None:
    """A message that the desk sent is ignored. The address alone does not say so: people write with it as well. A mail
    without the desk's mark needs a Message-ID that the desk made.
    """
    if _is_echo(parsed):
        return _OWN
    if not accounts.is_ours(account.channel, parsed.author_address):
        return None
    return _OWN if parsed.proof is None or _has_id_of_ours(account, parsed.external_id) else None


def _has_id_of_ours(account: ChannelAccount, external_id: str | None) -> bool:
    """Return True if the desk made this Message-ID: it is in the database, or has the MAC of the desk's own mails."""
    if external_id is None:
        return False
    return links.answered_mail((external_id,), None) is not None or threading.is_sent_by_us(account, external_id)


_OWN = Settlement("ignored", "a message of our own")


def _bounce_report(event: inbox.RawEvent, account: ChannelAccount, parsed: InboundMessage) -> Settlement | None:
    """A report about a message of ours goes to its delivery: a mailer is no requester, and its report is no message."""
    if parsed.failure is None:
        return None
    recipient = str(parsed.details.get("failed_recipient") or "")
    failed_in = bounces.record(account, parsed.references, parsed.failure, recipient=recipient)
    if failed_in is None:
        return UNKNOWN_BOUNCE
    return Settlement("processed", "a bounce of an answer of ours", failed_in)


def _quarantined(event: inbox.RawEvent, account: ChannelAccount, parsed: InboundMessage) -> Settlement | None:
    """A forged, unproved or spam message ends here, unless a person released it.

    An unproved answer with the token of its ticket or side conversation is let in: only the desk's mail has the token.
    """
    if event.released_by is not None:
        return None
    reason = quarantine.forged_reason(account, parsed) or quarantine.spam_reason(account, parsed)
    if reason is None:
        reason = quarantine.unproved_reason(account, parsed)
        if reason is not None and (
            _has_token_of_own_ticket(account, parsed) or threads.answered(account, parsed) is not None
        ):
            return None
    if reason is None:
        return None
    held_back.notify(account, parsed, reason, event_id=event.id)
    return Settlement("failed", reason)


def _has_token_of_own_ticket(account: ChannelAccount, parsed: InboundMessage) -> bool:
    if parsed.reply_token is None:
        return False
    requester = requesters.find(account.channel, parsed.author_address)
    clues = threading.Clues(reply_token=parsed.reply_token)
    found = threading.find(
        account,
        clues,
        requester_id=requester.id if requester else None,
        author_address=parsed.author_address,
        grade="unproved",
    )
    return found.ticket_id is not None


def _copy_of_earlier_mail(event: inbox.RawEvent, account: ChannelAccount, parsed: InboundMessage) -> Settlement | None:
    if not parsed.external_id or parsed.edit:
        return None
    # Two workers read a mail to two of our mailboxes at the same time, under two ordering keys.
    advisory_lock(f"message:{account.channel}:{parsed.external_id}")
    sent_at = parsed.sent_at if parsed.is_dated else None
    copy = threading.earlier_copy(account, parsed.external_id, parsed.author_address, body=parsed.body, sent_at=sent_at)
    if copy is None:
        return None
    how = "before" if copy["account"] == account.name else f"by the account {copy['account']}"
    return Settlement("ignored", f"the same mail came {how}", copy["ticket_id"])


def _repeat_in_another_event(
    event: inbox.RawEvent, account: ChannelAccount, parsed: InboundMessage
) -> Settlement | None:
    if not parsed.external_id or parsed.conversation_address is None or parsed.edit:
        return None
    earlier = threading.ticket_of_earlier_event(account, parsed.external_id, parsed.group_key, parsed.sent_at)
    return None if earlier is None else Settlement("ignored", "the same message came before, in another event", earlier)


def _blocked_sender(event: inbox.RawEvent, account: ChannelAccount, parsed: InboundMessage) -> Settlement | None:
    """A message of a blocked address is ignored. One of an address that was marked as spam waits in the quarantine."""
    standing = requesters.standing(account.channel, parsed.author_address)
    if standing == "spam":
        return _SPAM if event.released_by is None else None
    return _BLOCKED if standing == "blocked" else None


_SPAM = Settlement(
    "failed", "quarantined: a ticket of its sender was marked as spam; replay it to release it, or unmark the ticket"
)
_BLOCKED = Settlement("ignored", "its sender is blocked")


def _side_answer(event: inbox.RawEvent, account: ChannelAccount, parsed: InboundMessage) -> Settlement | None:
    """An answer of a third party becomes a note of the ticket; its author is no requester."""
    side = threads.answered(account, parsed)
    if side is None:
        return None
    if parsed.external_id is not None:
        # Two workers read a mail to two of our mailboxes at the same time, under two ordering keys.
        advisory_lock(f"message:{account.channel}:{parsed.external_id}")
        known = threads.known_answer(account, parsed.external_id)
        if known is not None:
            return Settlement("ignored", "the same mail came before", known["ticket_id"])
    if event.released_by is None and side_answers.is_too_frequent(side):
        return Settlement("failed", "quarantined: too many answers in a side conversation; replay it to release it")
    ticket_id, message_id = side_answers.take(side, account, parsed, inbox_id=event.id)
    return Settlement("processed", "an answer in a side conversation", ticket_id, message_id)


def _answer_to_desk_mail(event: inbox.RawEvent, account: ChannelAccount, parsed: InboundMessage) -> Settlement | None:
    """An answer to a mail of the desk itself is no request: it opens no ticket and makes no requester.

    An agent's proved answer to a notice of a ticket becomes a reply or a note. A mail that answers another mail of the
    thread, such as a customer's answer to a notice that an agent forwarded, is judged as any other mail.
    """
    answered = parsed.references if parsed.failure is not None else parsed.references[:1]
    mail_id = links.answered_mail(answered, parsed.reply_token)
    if mail_id is None:
        return None
    if parsed.failure is not None:
        desk_mail.record_error(mail_id, "the mail came back")
        answers.record_bounce(mail_id)
        return Settlement("ignored", "a bounce of a mail of the desk itself")
    taken = notice_answers.take(account, parsed, mail_id)
    if taken is None:
        return Settlement("ignored", "an answer to a mail of the desk itself")
    status = "ignored" if taken.message_id is None else "processed"
    return Settlement(status, taken.reason, taken.ticket_id, taken.message_id)


# The first check that gives a settlement ends the event.
CHECKS: tuple[Callable[[inbox.RawEvent, ChannelAccount, InboundMessage], Settlement | None], ...] = (
    _own_message,
    _answer_to_desk_mail,
    _bounce_report,
    _quarantined,
    _copy_of_earlier_mail,
    _repeat_in_another_event,
    _blocked_sender,
    _side_answer,
)
