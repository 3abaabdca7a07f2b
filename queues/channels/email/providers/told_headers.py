"""Headers as Mailjet and Brevo tell them: an object whose values are text, or lists where a header stood several times."""

from __future__ import annotations

from queues.channels.email.providers import documents


def pairs(told: object) -> list[tuple[str, str]]:
    """The headers in their order; what is neither text nor a list of it is left out."""
    return [(name, value) for name, values in documents.part(told).items() for value in documents.texts(values)]
