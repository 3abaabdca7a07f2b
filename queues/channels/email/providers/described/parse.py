"""Parse the events of a described provider: a mail, a receipt, or nothing."""

from __future__ import annotations

import json
from typing import Any

from models.channels.accounts import ChannelAccount
from models.ports.inbound import Ignored, Receipts, Unparseable
from queues.channels.email.providers import documents as events
from queues.channels.email.providers.described import mails, reading, shipped
from queues.channels.email.providers.described.description import Description, Receipt
from queues.channels.email.providers.port import Mail
from queues.channels.email.providers.receipts import receipt
from queues.described import documents, expressions


def parse(raw: bytes, envelope: dict[str, str], account: ChannelAccount) -> Mail | Receipts | Ignored:
    """Apply the first rule that matches. Raises Unparseable."""
    description = shipped.of(account)
    document = _document(raw, envelope, description)
    rule = expressions.rule_of(description.events, document)
    if rule is None:
        if description.unmatched == "ignored":
            return Ignored("no rule of the description matches")
        raise Unparseable("no rule of the description matches; add one and replay the event")
    if rule.ignore is not None:
        return Ignored(rule.ignore)
    if rule.receipt is not None:
        return _receipts(description, rule.receipt, document)
    return Mail(mails.mail_of(rule, document))


def _document(raw: bytes, envelope: dict[str, str], description: Description) -> Any:
    try:
        return json.loads(raw) if envelope.get("form") == "item" else reading.document(raw, description)
    except documents.Unreadable as error:
        raise Unparseable(str(error)) from error
    except (ValueError, RecursionError) as error:
        raise Unparseable("the event is not JSON") from error


def _receipts(description: Description, rule: Receipt, document: Any) -> Receipts | Ignored:
    reference = expressions.text(rule.reference, document)
    if not reference.strip():
        return Ignored(f"{description.title}'s event names no message")
    found = receipt(
        reference.strip(),
        rule.kind,
        recipient="" if rule.recipient is None else expressions.text(rule.recipient, document),
        detail=events.detail("" if rule.detail is None else expressions.text(rule.detail, document)),
        status="" if rule.status is None else expressions.text(rule.status, document),
        permanent=rule.permanent,
    )
    return Receipts((found,))
