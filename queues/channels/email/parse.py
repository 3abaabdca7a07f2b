"""Parse raw mail into a message. Pure, bounded in time and memory; only a mail without a sender is unparseable."""

from __future__ import annotations

import re
from datetime import datetime

from models.channels.accounts import ChannelAccount
from models.kernel import limits, settings
from models.kernel.open_json import JsonObject
from models.kernel.text import clean, cut, one_line
from models.ports.inbound import AttachmentInfo, Ignored, InboundMessage, Parsed, ReactionChange, Unparseable
from models.ports.mail_html import WholeHtml
from queues.channels.email import limits as mime_limits
from queues.channels.email import providers
from queues.channels.email.content.body_html import joined_html
from queues.channels.email.content.clean_html import sanitise
from queues.channels.email.content.found_files import Files, shown_cids
from queues.channels.email.judging import bounce, mailing_lists, mentioned, proof, reaction, recipients, spam
from queues.channels.email.judging.author import NO_SENDER, NOBODY, Author, author_of
from queues.channels.email.judging.automatic import DESK_HEADER, classify, desk_id, has_null_sender, use_marks
from queues.channels.email.providers.port import Mail
from queues.channels.email.reading.body_text import Texts
from queues.channels.email.reading.header_block import Headers, all_values, first_value, mail_start, split_headers
from queues.channels.email.reading.headers import Address, addresses, instant, message_ids, text_of
from queues.channels.email.reading.mime import Part, Reader, declared_charset
from queues.channels.email.reading.structure import structure_of
from queues.channels.email.replies.html_reply import HtmlCut, cut_html
from queues.channels.email.replies.visible_reply import split
from queues.channels.html_text import html_to_text

_LOCALE = re.compile(rb"\s*([A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3})\s*(,|$)")
# The desk has no list of trusted certificates and keys.
_SIGNATURE_VERDICT = "signed, not verified"
_ARMOUR = re.compile(r"^-----BEGIN PGP (SIGNED )?MESSAGE-----", re.MULTILINE)


def parse(raw: bytes, envelope: dict[str, str], account: ChannelAccount) -> Parsed:
    """Parse an event of the account's provider: a mail, or a receipt for a mail of ours. Raises Unparseable."""
    told = providers.parse(raw, envelope, account)
    return read_mail(told.raw, envelope, account) if isinstance(told, Mail) else told


def derived(raw: bytes, account: ChannelAccount) -> dict[str, str]:
    """Return the marks of the account's own address and of the mail's From, for a parser that runs without SECRET_KEY.

    Raises ConfigurationError if this process lacks the key and the mail has a mark to compare with.
    """
    if not settings.current().secret_key and DESK_HEADER.lower().encode() not in raw.lower():
        return {}
    headers, _ = split_headers(raw, mail_start(raw))
    sender = [one.address for value in all_values(headers, b"from") for one in addresses(value)]
    return {one: desk_id(one) for one in (*recipients.own_addresses(account)[:1], *sender[:1])}


def use_derived(values: dict[str, str]) -> None:
    """Take the marks that `derived` returned in another process."""
    use_marks(values)


def people(raw: bytes, envelope: dict[str, str], account: ChannelAccount) -> tuple[str, ...]:
    """Return the addresses of those whose mail or report it is."""
    return mentioned.people(raw, envelope, ours=frozenset(recipients.own_addresses(account)))


def read_mail(
    raw: bytes, envelope: dict[str, str], account: ChannelAccount
) -> InboundMessage | Ignored | ReactionChange:
    """Read a mail. Raises Unparseable if no header names an author, except for a bounce, which needs none.

    `envelope` has `from` and `to` of SMTP, and the provider's own checks of the sender (`judging/provider_results.py`).
    """
    reader = Reader(raw)
    root = reader.read()
    headers = root.headers
    report_type = bounce.report_type_of(root, headers)
    has_no_sender = report_type is not None or has_null_sender(headers, envelope)
    found = author_of(raw, headers, envelope, account, raw_charset=declared_charset(root), may_be_missing=has_no_sender)
    author = found.mailbox
    ours = recipients.own_addresses(account)
    subject = _subject(root)
    content = _Content(reader, root, subject)
    body = content.visible if account.config.get("strip_quotes", True) else content.full
    automation = classify(
        headers,
        sender=author.address,
        from_address=author.address if found.from_header is None else found.from_header.address,
        own_addresses=ours,
        envelope=envelope,
        report_type=report_type,
        subject=subject,
        text=content.full,
    )
    reported = _reported(
        root,
        content.full,
        automatic=automation.kind,
        headers=headers,
        sender=author.address,
        report_type=report_type,
        subject=subject,
    )
    if automation.kind == "bounce" and reported is not None and reported.failure is None:
        return Ignored("a report of a mail that is late or was passed on; nothing failed")
    report = reported or bounce.NO_REPORT
    if author == NOBODY and report.failure is None:
        raise Unparseable(NO_SENDER)
    judged = proof.judge(found, headers, envelope, account)
    emojis = () if automation.by_machine else reaction.emojis_of(root)
    if emojis:
        return _reaction(author, emojis, _references(headers, ()), judged)
    details = content.details | report.details
    if judged.proof.judged or judged.verdict != "none":
        details["authentication"] = judged.proof.rests_on
    answers_go_to = None if automation.by_machine else _answers_go_to(found, headers)
    if answers_go_to is not None:
        details["reply_to"] = {"name": answers_go_to.name, "address": answers_go_to.address}
    if found.from_header is not None:
        details["from_header"] = {"name": found.from_header.name, "address": found.from_header.address}
    if reader.left_out:
        details["left_out"] = list(reader.left_out)
    body = cut(_with_left_out(body, reader.left_out) or _stand_in(content), limits.message_body_chars_max)
    return InboundMessage(
        author_address=author.address,
        author_name=author.name or author.address.partition("@")[0],
        contact_address=author.address if answers_go_to is None else answers_go_to.address,
        body=body,
        external_id=_own_id(headers),
        references=_references(headers, report.ids),
        subject=subject or None,
        body_full=content.full if content.full.strip() not in ("", body) else None,
        body_html=content.html,
        body_html_remote=content.html_remote,
        html_whole=content.html_whole,
        sent_at=_sent_at(headers),
        is_dated=instant(first_value(headers, b"date") or b"") is not None,
        automatic=automation.kind,
        by_machine=automation.kind is None or automation.by_machine,
        failure=report.failure,
        locale=_locale(headers),
        attachments=content.attachments,
        reply_token=recipients.reply_token(headers, envelope, ours),
        subject_number=recipients.subject_number(subject),
        verdict=judged.verdict,
        proof=judged.proof,
        spam=spam.verdict(headers, envelope),
        copies=recipients.copies(headers, author=author.address, ours=ours),
        details=details,
    )


def _reaction(
    author: Address, emojis: tuple[str, ...], references: tuple[str, ...], judged: proof.Judgement
) -> ReactionChange | Ignored:
    """Return the change that a reaction makes; the mail that it answers is the one that it is about."""
    if not references:
        return Ignored("a reaction that names no message")
    if judged.verdict == "fail" or (judged.proof.judged and judged.proof.grade == "unproved"):
        return Ignored(f"a reaction whose author is not proved ({judged.proof.rests_on})")
    name = author.name or author.address.partition("@")[0]
    return ReactionChange(references[0], author.address, name, emojis, adds=True)


def _reported(
    root: Part,
    text: str,
    *,
    automatic: str | None,
    headers: Headers,
    sender: str,
    report_type: str | None,
    subject: str,
) -> bounce.Report | None:
    """Read the report in a bounce or a read receipt; None for any other mail."""
    if automatic == "bounce":
        return bounce.report(root, text, headers=headers, sender=sender, report_type=report_type, subject=subject)
    return bounce.read_receipt(root) if report_type == "disposition-notification" else None


def _with_left_out(body: str, left_out: list[str]) -> str:
    if not left_out:
        return body
    return f"{body}\n[Not all of this mail was read: {'; '.join(left_out)}. It is kept whole.]".strip()


class _Content:
    """The content of a mail: text, HTML, files."""

    def __init__(self, reader: Reader, root: Part, subject: str) -> None:
        structure, texts = structure_of(root), Texts(reader.leave_out)
        source = joined_html(structure, texts)
        html_cut = None if source is None else cut_html(source, subject=subject)
        is_html_alone = not any(texts.of(part).strip() for block in structure.blocks for part in block.plain)
        self.full = _text_of_uncut(html_cut) if is_html_alone else ""
        self.full = self.full or texts.plain(structure)
        files = Files(shown_cids(source), reader.leave_out)
        files.take_parts(structure.files)
        files.take_uuencoded(texts.files)
        if files.tnef is not None and not self.full.strip():
            html_cut = cut_html(clean(files.tnef.html), subject=subject) if files.tnef.html else html_cut
            self.full = clean(files.tnef.text or html_to_text(files.tnef.html)).strip("\n")
        self.attachments: tuple[AttachmentInfo, ...] = tuple(files.found)
        self.details: JsonObject = files.details
        self.visible = self._visible(subject, html_cut, is_html_alone=is_html_alone)
        self.html_remote: str | None = None
        self.html = None if html_cut is None else self._cleaned(html_cut.html)
        self.html_whole = None if html_cut is None else self._whole(html_cut)
        armour = _ARMOUR.search(self.full)
        if armour is not None:
            self.details.setdefault("signed" if armour[1] else "encrypted", "pgp")
        if "signed" in self.details:
            self.details["signature_verdict"] = _SIGNATURE_VERDICT

    def _visible(self, subject: str, html_cut: HtmlCut | None, *, is_html_alone: bool) -> str:
        """Return the reply: from the HTML if the mail has no other text, or if only the HTML shows a quote."""
        found = split(self.full, subject=subject)
        if html_cut is not None and html_cut.text.strip() and (is_html_alone or (html_cut.hidden and not found.hidden)):
            return clean(html_cut.text).strip()
        return found.visible.strip()

    def _cleaned(self, source: str) -> str | None:
        cleaned = sanitise(clean(source))
        if cleaned.too_deep:
            self.details["html"] = "nested too deeply to be shown; its text is shown instead"
        if cleaned.blocked_remote:
            self.details["blocked_remote"] = cleaned.blocked_remote
            self.html_remote = sanitise(clean(source), remote=True).html or None
        return cleaned.html or None

    def _whole(self, html_cut: HtmlCut) -> WholeHtml | None:
        """Return the HTML with the quotes and the signature that were cut from it; None if nothing was cut."""
        if html_cut.html == html_cut.source:
            return None
        cleaned = sanitise(clean(html_cut.source))
        if not cleaned.html:
            return None
        remote = sanitise(clean(html_cut.source), remote=True).html if cleaned.blocked_remote else None
        return WholeHtml(cleaned.html, remote, cleaned.blocked_remote)


def _text_of_uncut(html_cut: HtmlCut | None) -> str:
    """Return the text of HTML that nothing was cut from, so that the HTML is read once; empty otherwise."""
    if html_cut is None or html_cut.hidden or html_cut.signature:
        return ""
    return clean(html_cut.text).strip("\n")


def _subject(root: Part) -> str:
    written = text_of(first_value(root.headers, b"subject") or b"", raw_charset=declared_charset(root))
    return one_line(written, limits.ticket_title_chars_max)


def _answers_go_to(author: Author, headers: Headers) -> Address | None:
    """Return the Reply-To address for answers; None if they go to the author.

    A list that writes its own address into Reply-To asks for answers to all its readers. The desk answers the author.
    """
    reply_to = author.reply_to
    if reply_to is None or not mailing_lists.has_list_headers(headers):
        return reply_to
    return None if mailing_lists.is_list_address(headers, reply_to.address) else reply_to


def _own_id(headers: Headers) -> str | None:
    """Return the Message-ID in brackets, also one without an @, because other mails refer to it."""
    value = first_value(headers, b"message-id") or b""
    found = message_ids(value) or message_ids(b"<" + value.strip(b"<> ") + b">")
    return found[0] if found else None


def _references(headers: Headers, reported: tuple[str, ...]) -> tuple[str, ...]:
    """Return the ids that a report is about, then those of In-Reply-To, then those of References, the newest first."""
    answered = message_ids(first_value(headers, b"in-reply-to") or b"")
    thread = message_ids(first_value(headers, b"references") or b"")
    return tuple(dict.fromkeys([*reported, *answered, *reversed(thread)]))[: mime_limits.references_max]


def _sent_at(headers: Headers) -> datetime | None:
    """Read Date, or the time at which the last server on the way received the mail."""
    date = first_value(headers, b"date")
    if date is not None:
        return instant(date)
    return instant((first_value(headers, b"received") or b"").rpartition(b";")[2])


def _locale(headers: Headers) -> str | None:
    match = _LOCALE.match(first_value(headers, b"content-language") or b"")
    return match[1].decode("ascii") if match else None


def _stand_in(content: _Content) -> str:
    """Return a line for a mail without text, so that agents see that it is empty and which files it has."""
    calendar = "\n\n".join(event["text"] for event in content.details.get("calendar", []))
    if calendar:
        return str(calendar)
    names = ", ".join(info.filename for info in content.attachments[:5])
    kind = "encrypted mail" if "encrypted" in content.details else "no text"
    return f"[{kind}; attached: {names}]" if names else f"[{kind}]"
