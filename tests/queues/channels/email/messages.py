"""The message that the senders' tests send, and files to go with it."""

from __future__ import annotations

import hashlib
import io

from models.ports.outbound import OutgoingAttachment, OutgoingMessage

MESSAGE = OutgoingMessage(
    delivery_id="d",
    attempt_number=1,
    address="ada@example.test",
    recipient_name="Ada Lovelace",
    body="The fire is out.\n.\nGrüße\n",
    body_format="text",
    subject="Re: Принтер горит [#7]",
    external_id="<nestor.7.0192.aa@example.test>",
    in_reply_to="<plain_text.1@example.test>",
    references=("<plain_text.1@example.test>",),
    automatic=False,
    ticket_number=7,
)


def file(
    filename: str, content: bytes, content_type: str = "application/octet-stream", *, cid: str | None = None
) -> OutgoingAttachment:
    """An attachment; with `cid` a picture within the text."""
    return OutgoingAttachment(
        filename,
        content_type,
        len(content),
        hashlib.sha256(content).hexdigest(),
        lambda: io.BytesIO(content),
        inline=cid is not None,
        content_id=cid,
    )
