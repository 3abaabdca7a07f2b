"""A receipt from the values of a provider's document, which may have any type."""

from __future__ import annotations

from models.ports.inbound import Receipt, ReceiptKind
from queues.channels.email.providers import documents


def receipt(
    reference: str,
    kind: ReceiptKind,
    *,
    recipient: object = "",
    detail: str = "",
    status: object = "",
    permanent: bool = False,
) -> Receipt:
    """Make a receipt for the mail that the provider names by `reference`."""
    return Receipt(
        reference,
        kind,
        recipient=documents.text(recipient),
        detail=detail,
        status=documents.text(status) or None,
        permanent=permanent,
    )
