"""An answer as RFC 5322 bytes. No value of ours or a stranger's can add a header: each is one line before it gets here."""

from __future__ import annotations

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime

from models.channels.accounts import ChannelAccount
from models.deliveries.port import OutgoingMessage
from models.kernel import clock, limits
from queues.channels.email import mime_limits
from queues.channels.email.automatic import DESK_HEADER, desk_id
from queues.channels.email.headers import message_ids
from queues.channels.email.html_text import html_to_text
from queues.channels.text import clean, one_line

_ID_HEADERS = frozenset({"message-id", "in-reply-to", "references"})


class BadAddress(ValueError):
    """The address cannot be written into a mail."""


class _Policy(EmailPolicy):
    """SMTP's policy, but ids are folded between them only: the standard one turns a long id into encoded words."""

    def fold(self, name: str, value: str) -> str:
        if name.lower() in _ID_HEADERS:
            return f"{name}: " + "\r\n ".join(str(value).split()) + "\r\n"
        return str(super().fold(name, value))

    def fold_binary(self, name: str, value: str) -> bytes:
        if name.lower() in _ID_HEADERS:
            return self.fold(name, value).encode("ascii", "replace")
        return super().fold_binary(name, value)


# cte_type 7bit: quoted-printable or base64 where needed, so that no relay has to know 8BITMIME.
_POLICY = _Policy(linesep=SMTP.linesep, max_line_length=76, cte_type="7bit")


def checked_address(address: str) -> Address:
    """The address ready for a header, its domain in ASCII. Raises BadAddress."""
    local, at, domain = address.strip().rpartition("@")
    bad = any(character <= " " or character in '<>,;:()[]"\\\x7f' for character in local + domain)
    if not at or not local or not domain or bad or len(address) > limits.email_address_chars_max:
        raise BadAddress("the address is not an e-mail address")
    try:
        ascii_domain = domain if domain.isascii() else domain.encode("idna").decode("ascii")
        return Address(username=local, domain=ascii_domain)
    except (UnicodeError, ValueError, IndexError) as error:
        raise BadAddress("the address is not an e-mail address") from error


def build(message: OutgoingMessage, account: ChannelAccount) -> bytes:
    """The mail. Raises BadAddress for the recipient's or the account's address."""
    assert message.external_id, "the domain stores a Message-ID before the first attempt"
    ours = checked_address(str(account.config["address"]))
    theirs = checked_address(message.address)
    needs_utf8 = not (ours.username.isascii() and theirs.username.isascii())
    mail = EmailMessage(policy=_POLICY.clone(utf8=True) if needs_utf8 else _POLICY)
    mail["From"] = _named(ours, str(account.config.get("display_name") or ""))
    mail["To"] = _named(theirs, message.recipient_name)
    mail["Subject"] = one_line(message.subject or "", limits.ticket_title_chars_max + 20)
    mail["Date"] = format_datetime(clock.now())
    mail["Message-ID"] = " ".join(message_ids(message.external_id.encode())[:1])
    answered = message_ids((message.in_reply_to or "").encode("utf-8", "replace"))[:1]
    if answered:
        mail["In-Reply-To"] = answered[0]
    thread = _thread(message.references, answered)
    if thread:
        mail["References"] = " ".join(thread)
    mail["Reply-To"] = str(ours)
    mail[DESK_HEADER] = desk_id(ours.addr_spec)
    if message.automatic:
        mail["Auto-Submitted"] = "auto-replied"
        mail["X-Auto-Response-Suppress"] = "All"
        mail["Precedence"] = "bulk"
    text = clean(message.body)
    mail.set_content(html_to_text(text) if message.body_format == "html" else text)
    if message.body_format == "html":
        mail.add_alternative(text, subtype="html")
    return mail.as_bytes()


def _named(address: Address, name: str) -> Address:
    return Address(one_line(name, limits.name_chars_max), address.username, address.domain)


def _thread(references: tuple[str, ...], answered: list[str]) -> list[str]:
    """The first id and the last nine, the answered one last: what clients need to thread, and no endless header."""
    ids = [found for one in references for found in message_ids(one.encode("utf-8", "replace"))]
    thread = [one for one in dict.fromkeys(ids) if one not in answered] + answered
    if len(thread) > mime_limits.references_sent_max:
        thread = [thread[0], *thread[-(mime_limits.references_sent_max - 1) :]]
    return thread
