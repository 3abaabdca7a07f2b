"""Parse a mail from Mailjet's fields: headers, two texts, and parts that refer to fields with the files' bytes."""

from __future__ import annotations

import re

from models.channels.accounts import ChannelAccount
from models.ports.inbound import Ignored
from queues.channels.email.providers import compose, documents, header_objects
from queues.channels.email.providers.documents import Document
from queues.channels.email.providers.port import Mail

_FILENAME = re.compile(r"""(?:file)?name\s*=\s*(?:"([^"]{1,500})"|([^;\s"]{1,500}))""", re.IGNORECASE)
_FIELD = re.compile(r"(?:Inline)?Attachment[0-9]{1,3}")


def parse(raw: bytes, envelope: dict[str, str], account: ChannelAccount) -> Mail | Ignored:
    """Raises Unparseable."""
    told = documents.load_object(raw)
    if "event" in told:
        return Ignored(f"an event of Mailjet that needs nothing: {documents.text(told['event'])}")
    beside = [
        ("From", documents.text(told.get("From")) or documents.text(told.get("Sender"))),
        ("To", documents.text(told.get("Recipient"))),
        ("Cc", documents.text(told.get("Cc"))),
        ("Subject", documents.text(told.get("Subject"))),
        ("Date", documents.text(told.get("Date"))),
    ]
    return Mail(
        compose.mail(
            compose.completed(header_objects.pairs(told.get("Headers")), beside),
            text=documents.text(told.get("Text-part")),
            html=documents.text(told.get("Html-part")),
            files=_files(told),
        )
    )


def _files(told: Document) -> list[compose.File]:
    """Return the described files, then the files without a description."""
    described = {
        reference: header_objects.pairs(part.get("Headers"))
        for part in documents.objects(told.get("Parts"))
        if (reference := documents.text(part.get("ContentRef")))
    }
    names = [name for name in described if _FIELD.fullmatch(name) and name in told]
    names += [name for name in told if _FIELD.fullmatch(name) and name not in described]
    return [_file(name, documents.text(told[name]), described.get(name, [])) for name in names]


def _file(field: str, content: str, headers: list[tuple[str, str]]) -> compose.File:
    kind, disposition = compose.first(headers, "Content-Type"), compose.first(headers, "Content-Disposition")
    named = _FILENAME.search(disposition) or _FILENAME.search(kind)
    inline = field.startswith("Inline") or disposition.strip().lower().startswith("inline")
    return compose.File(
        (named[1] or named[2]) if named else "",
        kind.partition(";")[0].strip(),
        content.encode("ascii", "replace"),
        encoded=True,
        content_id=compose.first(headers, "Content-ID"),
        inline=inline,
    )
