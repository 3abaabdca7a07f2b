"""A receipt from a stranger's values: each on one line, storable, no longer than it can be."""

from __future__ import annotations

from models.kernel import limits
from models.ports.inbound import Receipt, ReceiptKind
from queues.channels.email import limits as mime_limits
from queues.channels.email.providers import documents
from queues.channels.email.providers import limits as bounds
from queues.channels.text import one_line


def receipt(
    reference: str,
    kind: ReceiptKind,
    *,
    recipient: object = "",
    detail: str = "",
    status: object = "",
    permanent: bool = False,
) -> Receipt:
    """What became of the mail that the provider knows by `reference`."""
    return Receipt(
        one_line(reference, mime_limits.message_id_chars_max),
        kind,
        recipient=one_line(documents.text(recipient), limits.email_address_chars_max),
        detail=detail,
        status=one_line(documents.text(status), bounds.status_chars_max) or None,
        permanent=permanent,
    )
