"""Parse a mail from Brevo's fields, or a mail stored with its fetched files."""

from __future__ import annotations

from models.channels.accounts import ChannelAccount
from models.ports.inbound import Ignored
from queues.channels.email.providers import documents
from queues.channels.email.providers.brevo import rebuilt
from queues.channels.email.providers.port import Mail


def parse(raw: bytes, envelope: dict[str, str], account: ChannelAccount) -> Mail | Ignored:
    """Raises Unparseable."""
    if raw.lstrip()[:1] != b"{":
        return Mail(raw)
    item = documents.load_object(raw)
    if "event" in item and "MessageId" not in item:
        return Ignored(f"an event of Brevo that needs nothing: {documents.text(item['event'])}")
    return Mail(rebuilt.mail(item))
