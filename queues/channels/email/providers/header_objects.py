"""Headers of Mailjet and Brevo: an object whose values are text, or lists for repeated headers."""

from __future__ import annotations

from queues.channels.email.providers import documents


def pairs(headers: object) -> list[tuple[str, str]]:
    """Return the headers in their order; other values than text and lists of text are left out."""
    return [(name, value) for name, values in documents.part(headers).items() for value in documents.texts(values)]
