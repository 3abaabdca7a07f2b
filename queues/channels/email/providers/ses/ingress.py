"""SNS messages: basic authentication in the subscription's address if the account has it, and the cheap checks of
`sns.py`.

Amazon's signature is verified in the worker (`fetch.py`, `signature.py`): until then an event is stored, and nothing of
it is believed.
"""

from __future__ import annotations

from collections.abc import Mapping

from models.channels.accounts import ChannelAccount
from models.kernel.settings import Settings
from models.ports.inbound import EventKey, IngressRequest, Received, ReceivedEvent, Verdict
from queues.channels.email.providers import auth, documents, raw_request
from queues.channels.email.providers.documents import Document, Unreadable
from queues.channels.email.providers.ses import sns


def authenticate(
    headers: Mapping[str, str], query: Mapping[str, str], account: ChannelAccount, settings: Settings
) -> bool:
    """Check the header's credential if the account has one, and the topic. Raises Unauthenticated."""
    auth.by_header(headers, account, settings, required=False)
    return False


def verify(request: IngressRequest, account: ChannelAccount, settings: Settings) -> None:
    """One of our topics, Amazon's certificate, not too old. Raises Unauthenticated."""
    try:
        message = documents.load_unproved(request.body)
    except Unreadable as error:
        raise auth.refused(account) from error
    if not sns.plausible(message, account):
        raise auth.refused(account)


def receive(request: IngressRequest, account: ChannelAccount) -> Received:
    """Return the one message of the request. Its key is SNS's unguessable id, so a forger cannot take a
    mail's place.
    """
    message = documents.load_object(request.body)
    message_id = documents.text(message.get("MessageId"))
    if not message_id:
        return Received((ReceivedEvent(documents.unreadable(request.body, "the message has no MessageId")),))
    inner = _inner(message)
    mail = documents.part(inner.get("mail"))
    source = documents.text(mail.get("source"))
    if inner.get("notificationType") == "Received":
        receipt = documents.part(inner.get("receipt"))
        to = documents.texts(receipt.get("recipients"))
        envelope = raw_request.envelope(source, ", ".join(to or documents.texts(mail.get("destination"))) or None)
        envelope["dmarc"] = _dmarc(receipt)
        if _status(receipt, "spamVerdict") == "FAIL":
            envelope["spam"] = "fail"
        order = documents.from_order(source)
    else:
        envelope, order = {}, documents.about_order(documents.text(mail.get("messageId")))
    return Received((ReceivedEvent(EventKey(documents.key_of("sns", message_id), order, envelope)),))


def _status(receipt: Document, name: str) -> str:
    return documents.text(documents.part(receipt.get(name)).get("status")).upper()


def _dmarc(receipt: Document) -> Verdict:
    """Return the DMARC result of SES. A failure counts only if the domain has a policy (quarantine or reject)."""
    found = _status(receipt, "dmarcVerdict")
    if found == "PASS":
        return "pass"
    asked = documents.text(receipt.get("dmarcPolicy")).lower()
    return "fail" if found == "FAIL" and asked in ("reject", "quarantine") else "none"


def _inner(message: Document) -> Document:
    try:
        return documents.load_object(documents.text(message.get("Message")).encode("utf-8", "replace"))
    except Unreadable:
        return {}  # a confirmation, or SES's greeting to a new topic
