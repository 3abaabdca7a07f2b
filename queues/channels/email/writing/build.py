"""Build a mail (RFC 5322): plain text, HTML, inline pictures, files.

No value can add a header: each value is one line before it is set, and the finished headers are compared with the names
that were set.
"""

from __future__ import annotations

import re
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime
from typing import Any

from models.channels.accounts import ChannelAccount
from models.kernel import clock, limits
from models.kernel.text import one_line
from models.ports.outbound import OutgoingMessage
from queues.channels.email import limits as mime_limits
from queues.channels.email.judging.automatic import DESK_HEADER, desk_id
from queues.channels.email.reading.headers import message_ids
from queues.channels.email.writing.bodies import bodies
from queues.channels.email.writing.outgoing_parts import FilePart, MultiPart, Part, TextPart

# RFC 5321 section 4.5.3.1.1.
_LOCAL_CHARS_MAX = 64
# Characters with a meaning in a header, and the beginning of an encoded word, which the library would decode.
_UNSAFE = re.compile(r'[\x00- <>,;:()\[\]"\\\x7f]|=\?')
_ID_HEADERS = frozenset({"message-id", "in-reply-to", "references"})


class BadAddress(ValueError):
    """The address cannot be written into a mail."""


class UnsafeHeader(BadAddress):
    """A value would have become several headers; nothing was sent."""


class _Policy(EmailPolicy):
    """The SMTP policy, except that message ids are folded only between ids and never parsed.

    The standard policy turns a long id into encoded words, and decodes an id that looks like one.
    """

    def header_store_parse(self, name: str, value: Any) -> tuple[str, Any]:
        if name.lower() in _ID_HEADERS:
            return name, str(value)
        return super().header_store_parse(name, value)

    def fold(self, name: str, value: str) -> str:
        if name.lower() in _ID_HEADERS:
            return f"{name}: " + "\r\n ".join(str(value).split()) + "\r\n"
        return str(super().fold(name, value))

    def fold_binary(self, name: str, value: str) -> bytes:
        if name.lower() in _ID_HEADERS:
            return self.fold(name, value).encode("ascii", "replace")
        return super().fold_binary(name, value)


# cte_type 7bit: quoted-printable or base64 where needed, so that no relay needs 8BITMIME.
_POLICY = _Policy(linesep=SMTP.linesep, max_line_length=76, cte_type="7bit")


def checked_address(address: str) -> Address:
    """Return the address for a header, with its domain in ASCII (RFC 5890). Raises BadAddress."""
    local, _, domain = address.strip().rpartition("@")
    if not local or not domain or _UNSAFE.search(local + domain) or len(address) > limits.email_address_chars_max:
        raise BadAddress("the address is not an e-mail address")
    try:
        ascii_domain = domain if domain.isascii() else domain.encode("idna").decode("ascii")
        return Address(username=local, domain=ascii_domain)
    except (UnicodeError, ValueError, IndexError) as error:
        raise BadAddress("the address is not an e-mail address") from error


def build(message: OutgoingMessage, account: ChannelAccount) -> bytes:
    """Build the mail. Raises BadAddress for an address of the recipient or the account, and the errors of `open()`.

    Readers of copies with an unusable address are left out (`copies_of` returns the others).
    """
    mail = _head(message, account)
    head = mail.as_bytes().rstrip(b"\r\n") + b"\r\n"
    _check(head, mail.keys())
    content = _content(message, account)
    out = bytearray(head + content.headers() + b"\r\n")
    content.write(out)
    return bytes(out)


def _check(head: bytes, names: list[str]) -> None:
    """Compare the written headers with those that were set. Raises UnsafeHeader when the library wrote others."""
    lines = head.removesuffix(b"\r\n").split(b"\r\n")
    written = [line.partition(b":")[0].decode("latin-1") for line in lines if line[:1] not in (b" ", b"\t")]
    bare = any(b"\n" in line or b"\r" in line or not line.strip() for line in lines)
    if bare or written != list(names):
        raise UnsafeHeader("a header would have become several; nothing was sent")


def _plain(text: str) -> str:
    """Break encoded words in a stranger's text: the library would decode them, with line ends, when a header is set."""
    return text.replace("=?", "= ?")


def copies_of(message: OutgoingMessage) -> list[Address]:
    """Return each reader of a copy once, without the recipient; an unusable address is left out."""
    seen, found = {message.address.strip().lower()}, []
    for name, text in message.copies[: limits.mail_copies_max]:
        try:
            address = checked_address(text)
        except BadAddress:
            continue
        if address.addr_spec.lower() not in seen:
            seen.add(address.addr_spec.lower())
            found.append(_named(address, name))
    return found


def _head(message: OutgoingMessage, account: ChannelAccount) -> EmailMessage:
    assert message.external_id, "the domain stores a Message-ID before the first attempt"
    ours = checked_address(str(account.config["address"]))
    theirs = checked_address(message.address)
    copies = copies_of(message)
    needs_utf8 = not all(one.username.isascii() for one in (ours, theirs, *copies))
    mail = EmailMessage(policy=_policy(utf8=needs_utf8))
    mail["From"] = _named(ours, _sender_name(message, account))
    mail["To"] = _named(theirs, message.recipient_name)
    if copies:
        mail["Cc"] = copies
    mail["Subject"] = _plain(one_line(message.subject or "", limits.ticket_title_chars_max + 20))
    mail["Date"] = format_datetime(clock.now())
    mail["Message-ID"] = " ".join(message_ids(message.external_id.encode())[:1])
    answered = message_ids((message.in_reply_to or "").encode("utf-8", "replace"))[:1]
    if answered:
        mail["In-Reply-To"] = answered[0]
    thread = _thread(message.references, answered)
    if thread:
        mail["References"] = " ".join(thread)
    mail["Reply-To"] = str(_reply_address(ours, message, account))
    mail[DESK_HEADER] = desk_id(ours.addr_spec)
    # A reaction of Outlook comes as a mail in words (Microsoft 365 roadmap 117433).
    mail["x-ms-reactions"] = "disallow"
    if message.automatic:
        mail["Auto-Submitted"] = "auto-replied"
        mail["X-Auto-Response-Suppress"] = "All"
        mail["Precedence"] = "bulk"
    mail["MIME-Version"] = "1.0"
    return mail


def _content(message: OutgoingMessage, account: ChannelAccount) -> Part:
    """Build mixed { alternative { text, related { HTML, pictures } }, files }, without levels of a single part."""
    said = bodies(message, account)
    policy = _policy(utf8=False)
    content: Part = TextPart(said.text, "plain", policy)
    if said.html:
        html: Part = TextPart(said.html, "html", policy)
        if said.shown:
            html = MultiPart("related", [html, *(FilePart(one, inline=True) for one in said.shown)])
        content = MultiPart("alternative", [content, html])
    shown = {id(one) for one in said.shown}
    files = [FilePart(one) for one in message.attachments if id(one) not in shown]
    return MultiPart("mixed", [content, *files]) if files else content


def _policy(*, utf8: bool) -> _Policy:
    return _POLICY.clone(utf8=True) if utf8 else _POLICY


def _sender_name(message: OutgoingMessage, account: ChannelAccount) -> str:
    """Return the desk's name, with the agent's name before it if the account is configured so."""
    desk = str(account.config.get("display_name") or "")
    if account.config.get("show_agent_name") is not True or not message.author_name or message.automatic:
        return desk
    return f"{message.author_name} ({desk})" if desk else message.author_name


def _reply_address(ours: Address, message: OutgoingMessage, account: ChannelAccount) -> Address:
    """Return the address for answers, with the ticket's token unless the account's mailbox takes no such addresses."""
    token = message.reply_token
    if not token or account.config.get("reply_address", "token") != "token":
        return ours
    local = f"{ours.username}+{token}"
    return Address("", local, ours.domain) if len(local) <= _LOCAL_CHARS_MAX else ours


def _named(address: Address, name: str) -> Address:
    return Address(_plain(one_line(name, limits.name_chars_max)), address.username, address.domain)


def _thread(references: tuple[str, ...], answered: list[str]) -> list[str]:
    """Return the first id and the last nine, the answered one last; mail programs need no more for threading."""
    ids = [found for one in references for found in message_ids(one.encode("utf-8", "replace"))]
    thread = [one for one in dict.fromkeys(ids) if one not in answered] + answered
    if len(thread) > mime_limits.references_sent_max:
        thread = [thread[0], *thread[-(mime_limits.references_sent_max - 1) :]]
    return thread
