"""Requests of scripts, mail servers and our Worker: the body is the mail, headers have the SMTP envelope."""

from __future__ import annotations

from models.kernel.errors import UnsupportedMediaType
from models.kernel.text import one_line
from models.ports.inbound import IngressRequest, Received, ReceivedEvent
from queues.channels.email.mail_key import mail_key


def receive(request: IngressRequest) -> Received:
    """Receive the mail of the request. Raises UnsupportedMediaType unless it is sent as message/rfc822."""
    content_type = request.content_type.partition(";")[0].strip().lower()
    if content_type != "message/rfc822":
        found = one_line(content_type, 80) or "none"
        raise UnsupportedMediaType(f"send the raw mail as message/rfc822; the content type found is {found}")
    headers = request.headers
    told = {side: headers.get(f"x-envelope-{side}", request.query.get(f"envelope_{side}")) for side in ("from", "to")}
    return Received((ReceivedEvent(mail_key(request.body, envelope(told["from"], told["to"]))),))


def envelope(sender: str | None, recipients: str | None) -> dict[str, str]:
    """Return the SMTP envelope of a request; an empty `from` is the null sender, an absent one is unknown."""
    return {side: value for side, value in (("from", sender), ("to", recipients)) if value is not None}
