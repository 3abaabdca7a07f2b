"""Raw mail becomes a message. Pure, bounded in time and memory; only a mail without a sender is unparseable."""

from __future__ import annotations

import re
from urllib.parse import unquote

from models.channels.accounts import ChannelAccount
from models.inbox.port import AttachmentInfo, Ignored, InboundMessage, Parsed, Unparseable
from models.kernel import limits
from queues.channels.email import attached, mime_limits, providers
from queues.channels.email.automatic import classify
from queues.channels.email.body_text import Texts
from queues.channels.email.bounce import report
from queues.channels.email.charset import decode
from queues.channels.email.header_block import Headers, all_values, first_value
from queues.channels.email.headers import Address, addresses, instant, message_ids, text_of
from queues.channels.email.mime import Part, Reader
from queues.channels.email.providers.port import Mail
from queues.channels.email.structure import content_id, structure_of
from queues.channels.email.visible_reply import visible_reply
from queues.channels.text import cut, one_line

_LOCALE = re.compile(rb"\s*([A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3})\s*(,|$)")
_SIGNATURES = frozenset(
    ["application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"]
)
_CID = re.compile(r"""[cC][iI][dD]:([^"'\s>)]{1,300})""")


def parse(raw: bytes, envelope: dict[str, str], account: ChannelAccount) -> Parsed:
    """What an event of the account's provider tells: a mail, or what became of one of ours. Raises Unparseable."""
    told = providers.told(raw, envelope, account)
    return read_mail(told.raw, envelope, account) if isinstance(told, Mail) else told


def read_mail(raw: bytes, envelope: dict[str, str], account: ChannelAccount) -> InboundMessage | Ignored:
    """Read a mail. Raises Unparseable when nobody can be found who sent it."""
    reader = Reader(raw)
    root = reader.read()
    headers = root.headers
    sender = _sender(headers, envelope)
    charset = next(
        (part.parameters["charset"] for part in root.leaves() if "charset" in part.parameters), None
    )
    written = text_of(first_value(headers, b"subject") or b"", raw_charset=charset)
    subject = one_line(written, limits.ticket_title_chars_max)
    structure, texts = structure_of(root), Texts(reader.leave_out)
    full = texts.plain(structure)
    attachments = _attachments(structure.files, texts, texts.html(structure), reader)
    body = visible_reply(full, subject=subject).strip()
    if reader.left_out:
        body = f"{body}\n[Not all of this mail was read: {'; '.join(reader.left_out)}. It is kept whole.]".strip()
    body = body or _stand_in(attachments)
    body = cut(body, limits.message_body_chars_max)
    own_ids = message_ids(first_value(headers, b"message-id") or b"")
    report_type = _report_type(root, headers)
    automatic = classify(
        headers,
        sender=sender.address,
        account_address=str(account.config.get("address", "")),
        envelope=envelope,
        report_type=report_type,
    )
    references, failure = _references(headers), None
    if automatic == "bounce":
        told = report(root, full, headers=headers, sender=sender.address, report_type=report_type)
        if told is not None:
            if told.failure is None:
                return Ignored("a report of a mail that is late or was passed on; nothing failed")
            failure = told.failure
            references = tuple(dict.fromkeys([*told.ids, *references]))[: mime_limits.references_max]
    return InboundMessage(
        author_address=sender.address,
        author_name=sender.name or sender.address.partition("@")[0],
        contact_address=sender.address,
        body=body,
        external_id=own_ids[0] if own_ids else None,
        references=references,
        subject=subject or None,
        body_full=full if full and full != body else None,
        sent_at=instant(first_value(headers, b"date") or b""),
        automatic=automatic,
        failure=failure,
        locale=_locale(headers),
        attachments=attachments,
    )


def _sender(headers: Headers, envelope: dict[str, str]) -> Address:
    """Who sent it: From, and only without a usable one Sender and the envelope. Never Reply-To: anybody could write as anybody."""
    candidates = (
        *all_values(headers, b"from"),
        *all_values(headers, b"sender"),
        *all_values(headers, b"return-path"),
        envelope.get("from", "").encode("utf-8", "replace"),
        *all_values(headers, b"x-original-sender"),
        *all_values(headers, b"resent-from"),
    )
    for value in candidates:
        found = addresses(value) if value else []
        if found:
            return found[0]
    raise Unparseable("no sender: From, Return-Path and the envelope hold no e-mail address")


def _references(headers: Headers) -> tuple[str, ...]:
    """The ids of In-Reply-To, then those of References from the newest back."""
    answered = message_ids(first_value(headers, b"in-reply-to") or b"")
    thread = message_ids(first_value(headers, b"references") or b"")
    return tuple(dict.fromkeys([*answered, *reversed(thread)]))[: mime_limits.references_max]


def _locale(headers: Headers) -> str | None:
    match = _LOCALE.match(first_value(headers, b"content-language") or b"")
    return match[1].decode("ascii") if match else None


def _report_type(root: Part, headers: Headers) -> str | None:
    """The kind of a multipart/report, from the header: a report without parts is one as well."""
    declared = (first_value(headers, b"content-type") or b"").lower()
    return (
        root.parameters.get("report-type", "").lower() if declared.startswith(b"multipart/report") else None
    )


def _attachments(
    files: list[Part], texts: Texts, html: list[str], reader: Reader
) -> tuple[AttachmentInfo, ...]:
    shown = {unquote(found) for document in html for found in _CID.findall(document)}
    found: list[AttachmentInfo] = []
    for part in files:
        if len(found) >= mime_limits.attachments_max:
            reader.leave_out(f"more than {mime_limits.attachments_max} attachments")
            break
        content = part.content()
        cid = content_id(part)
        found.append(
            attached.info(
                attached.name_of(part, content),
                part.content_type,
                content,
                number=len(found) + 1,
                content_id=cid and one_line(cid, limits.name_chars_max),
                inline=part.disposition != "attachment" and cid in shown,
                hidden=part.content_type in _SIGNATURES,
            )
        )
    for raw_name, content in texts.files[: max(0, mime_limits.attachments_max - len(found))]:
        name = decode(raw_name)
        found.append(attached.info(name, attached.type_by_name(name), content, number=len(found) + 1))
    return tuple(found)


def _stand_in(attachments: tuple[AttachmentInfo, ...]) -> str:
    """A line for a mail without text: agents see that it is empty, and what came with it."""
    names = ", ".join(info.filename for info in attachments[:5])
    return f"[no text; attached: {names}]" if names else "[no text]"
