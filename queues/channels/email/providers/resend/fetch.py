"""Fetch the mail of an event: raw from the address in the API's answer, or from its fields and files."""

from __future__ import annotations

from urllib.parse import quote

from models.channels.accounts import ChannelAccount
from models.kernel.errors import PermanentFailure, TransientFailure
from models.kernel.settings import Settings
from models.ports.inbound import Ignored, Unparseable
from queues.channels.email.providers import compose, documents, header_objects, http, limits, outgoing
from queues.channels.email.providers.documents import Document
from queues.channels.email.providers.fetching import answered
from queues.outside import safe_http

HOST = "https://api.resend.com"


def fetch(raw: bytes, envelope: dict[str, str], account: ChannelAccount, settings: Settings) -> bytes | Ignored | None:
    """Fetch the mail; None for a receipt. Raises Unparseable, TransientFailure, ConfigurationError."""
    told = documents.load_object(raw)
    if told.get("type") != "email.received":
        return None
    email_id = documents.text(documents.part(told.get("data")).get("email_id"))
    place = f"{outgoing.base_url(account, HOST)}/emails/receiving/{quote(email_id, safe='', errors='replace')}"
    mail = _document(f"{place}?html_format=cid", account, settings)
    if not mail.keys() & {"from", "raw", "text", "html"}:
        raise TransientFailure("Resend answered with something that is no mail of its own form")
    url = documents.text(documents.part(mail.get("raw")).get("download_url"))
    if url:
        return _download(url, account)
    files = _document(f"{place}/attachments", account, settings)
    return _rebuilt(mail, documents.objects(files.get("data")), account)


def _document(url: str, account: ChannelAccount, settings: Settings) -> Document:
    headers = {"Authorization": f"Bearer {outgoing.api_key(account, settings)}"}
    answer = answered("Resend", lambda: http.call("GET", url, headers=headers, answer_bytes_max=limits.mail_bytes_max))
    if answer is None:
        raise Unparseable("Resend does not have the mail any more")
    return answer.document()


def _download(url: str, account: ChannelAccount, bytes_max: int = limits.mail_bytes_max) -> bytes:
    """Download from Resend's signed address; a private network is allowed only if the account moves the API there."""
    private = bool(account.config.get("api_url"))
    try:
        with safe_http.download(
            url, headers={}, private=private, bytes_max=bytes_max, total_s=limits.download_s
        ) as file:
            return file.read()
    except PermanentFailure as error:
        raise Unparseable(f"the mail cannot be had from Resend: {error.message}") from error


def _rebuilt(mail: Document, files: list[Document], account: ChannelAccount) -> bytes:
    beside = [
        ("From", documents.text(mail.get("from"))),
        ("To", ", ".join(documents.texts(mail.get("to")))),
        ("Cc", ", ".join(documents.texts(mail.get("cc")))),
        ("Reply-To", ", ".join(documents.texts(mail.get("reply_to")))),
        ("Subject", documents.text(mail.get("subject"))),
        ("Date", documents.text(mail.get("created_at"))),
        ("Message-ID", documents.bracketed(documents.text(mail.get("message_id")))),
    ]
    found: list[compose.File] = []
    for one in files[: limits.download_attachments_max]:
        left = limits.mail_bytes_max - sum(len(file.content) for file in found)
        content = _download(documents.text(one.get("download_url")), account, left)
        found.append(
            compose.File(
                documents.text(one.get("filename")),
                documents.text(one.get("content_type")).partition(";")[0].strip(),
                content,
                content_id=documents.text(one.get("content_id")),
                inline=one.get("content_disposition") == "inline",
            )
        )
    return compose.mail(
        compose.completed(header_objects.pairs(mail.get("headers")), beside),
        text=documents.text(mail.get("text")),
        html=documents.text(mail.get("html")),
        files=found,
    )
