"""Check whether the receiving server removes foreign Authentication-Results headers (RFC 8601 section 5).

The author's proof trusts the topmost header that carries an id of `authserv_ids`. If the server removes no such headers
and adds none of its own, a sender can write one.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from email.utils import formatdate

from models.channels.accounts import ChannelAccount
from models.kernel.errors import ConfigurationError, NestorError
from models.kernel.settings import Settings
from models.ports.inbound import Unparseable
from queues.channel_port import Finding
from queues.channels.email import providers
from queues.channels.email.judging import authentication_results
from queues.channels.email.providers.port import Mail
from queues.channels.email.reading.header_block import Headers, all_values, mail_start, split_headers
from queues.channels.email.writing import smtp
from queues.channels.email.writing.build import BadAddress, checked_address
from queues.channels.email.writing.relay import BadUrl, relay_of

Event = tuple[bytes, dict[str, str]]


def received(events: Sequence[Event], account: ChannelAccount) -> list[Finding]:
    """Judge the latest mails of the mailbox by their Authentication-Results headers."""
    trusted = _trusted(account)
    if not trusted:
        return [Finding(True, "no authserv_ids: no author is proved by Authentication-Results")]
    blocks = [headers for event in events if (headers := _headers(event, account)) is not None]
    if not blocks:
        return [Finding(True, "no mail has come in yet, so its Authentication-Results cannot be checked")]
    judged = sum(1 for headers in blocks if _ids(headers)[:1] and _ids(headers)[0] in trusted)
    text = f"{judged} of the last {len(blocks)} mails have a topmost Authentication-Results header of authserv_ids"
    return [Finding(judged == len(blocks), text if judged == len(blocks) else f"{text}; the others prove no author")]


def send(account: ChannelAccount, settings: Settings) -> tuple[str, Finding]:
    """Send a mail with a foreign Authentication-Results header to the mailbox itself, by `smtp_url`.

    Returns the mark of the mail, by which it is recognised when it comes in; an empty one if it was not sent.
    """
    trusted = sorted(_trusted(account))
    if not trusted:
        return "", Finding(True, "no authserv_ids: there is no header that a sender could write")
    try:
        relay = relay_of(account, settings)
        ours = checked_address(str(account.config.get("address", "")))
    except (ConfigurationError, BadUrl, BadAddress) as error:
        return "", Finding(False, f"the probe needs smtp_url and address: {error}")
    mark = f"probe-{secrets.token_hex(12)}"
    address = str(account.config.get("address", ""))
    lines = [
        f"Authentication-Results: {trusted[0]}; dmarc=pass header.from={mark}.invalid",
        f"From: {address}",
        f"To: {address}",
        "Subject: Probe of the desk",
        f"Date: {formatdate()}",
        f"Message-ID: <{mark}@{ours.domain}>",
        "Auto-Submitted: auto-generated",
        "",
        "This mail tests whether the mail server removes foreign Authentication-Results headers.",
        "",
    ]
    letter = smtp.Letter("\r\n".join(lines).encode("utf-8", "replace"), address, address)
    try:
        outcome = smtp.hand_over(relay, letter, helo=ours.domain)
    except NestorError as error:
        return "", Finding(False, f"the probe was not sent: {error.message}")
    if outcome.kind != "accepted":
        return "", Finding(False, f"the probe was not sent: {outcome.detail}")
    return mark, Finding(True, "the probe was sent to the mailbox by smtp_url")


def arrived(event: Event, mark: str, account: ChannelAccount) -> Finding | None:
    """Judge the probe when it has come in; None for another mail."""
    headers = _headers(event, account)
    if headers is None or not any(mark.encode() in value for value in all_values(headers, b"message-id")):
        return None
    if any(mark.encode() in value for value in all_values(headers, b"authentication-results")):
        text = (
            "the mail server keeps Authentication-Results headers that a sender writes with its id: let it remove them"
            " (RFC 8601 section 5), or every sender can prove to be anybody"
        )
        return Finding(False, text)
    return Finding(True, "the mail server removes Authentication-Results headers that a sender writes with its id")


def _trusted(account: ChannelAccount) -> set[str]:
    return {str(one).strip().lower() for one in account.config.get("authserv_ids") or ()}


def _headers(event: Event, account: ChannelAccount) -> Headers | None:
    """Return the headers of the mail in an event; None for an event that holds no mail."""
    try:
        found = providers.parse(*event, account)
    except Unparseable:
        return None
    return split_headers(found.raw, mail_start(found.raw))[0] if isinstance(found, Mail) else None


def _ids(headers: Headers) -> list[str]:
    values = all_values(headers, b"authentication-results")
    return [one.authserv_id for value in values if (one := authentication_results.read(value)) is not None]
