"""Fetch the files of a mail by their tokens. A note replaces a file that Brevo no longer has."""

from __future__ import annotations

from urllib.parse import quote

from models.channels.accounts import ChannelAccount
from models.kernel.settings import Settings
from models.ports.inbound import Ignored
from queues.channels.email.providers import compose, documents, http, limits, outgoing
from queues.channels.email.providers.brevo import rebuilt
from queues.channels.email.providers.documents import Document
from queues.channels.email.providers.fetching import answered

HOST = "https://api.brevo.com"
_GONE = b"The provider does not have this file any more.\n"


def fetch(raw: bytes, envelope: dict[str, str], account: ChannelAccount, settings: Settings) -> bytes | Ignored | None:
    """Fetch the files and return the mail with them; None for a mail without files.

    Raises TransientFailure, ConfigurationError.
    """
    item = documents.load_object(raw)
    told = documents.objects(item.get("Attachments"))[: limits.download_attachments_max]
    if not told:
        return None
    files: list[compose.File] = []
    for one in told:
        left = limits.mail_bytes_max - sum(len(file.content) for file in files)
        files.append(_file(one, account, settings, bytes_max=left))
    return rebuilt.mail(item, files)


def _file(told: Document, account: ChannelAccount, settings: Settings, *, bytes_max: int) -> compose.File:
    name, cid = documents.text(told.get("Name")), documents.text(told.get("ContentID"))
    token = documents.text(told.get("DownloadToken"))
    key = outgoing.api_key(account, settings)
    answer = answered(
        "Brevo",
        lambda: http.call(
            "GET",
            f"{outgoing.base_url(account, HOST)}/v3/inbound/attachments/{quote(token, safe='', errors='replace')}",
            headers={"api-key": key},
            answer_bytes_max=bytes_max,
        ),
    )
    if answer is None:
        return compose.File(f"{name}.missing.txt", "text/plain", _GONE)
    kind = documents.text(told.get("ContentType")).partition(";")[0].strip()
    return compose.File(name, kind, answer.body, content_id=cid, inline=bool(cid))
