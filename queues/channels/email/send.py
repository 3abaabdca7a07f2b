"""Send a message by the account's HTTP provider or SMTP relay, under one Message-ID over all attempts."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Callable

from models.channels.accounts import ChannelAccount
from models.kernel.errors import ConfigurationError, NestorError, is_final
from models.kernel.settings import Settings
from models.ports.outbound import (
    OutgoingMessage,
    SendOutcome,
    account_trouble,
    misconfigured,
    permanent,
    transient,
)
from models.tasks.rates import Bucket
from queues.channels.email import providers
from queues.channels.email.writing import smtp
from queues.channels.email.writing.build import BadAddress, build, checked_address, copies_of
from queues.channels.email.writing.dkim import signer_of
from queues.channels.email.writing.relay import BadUrl, relay_of


def send(message: OutgoingMessage, account: ChannelAccount, settings: Settings) -> SendOutcome:
    """Send the mail by the account's HTTP provider (`outbound`), or by its `smtp_url`."""
    try:
        carrier = providers.carrier_of(account)
        return (by_smtp if carrier is None else carrier.send)(message, account, settings)
    except ConfigurationError as error:
        # A credential, SECRET_KEY or the blob store: the mail waits for the operator.
        return misconfigured(error)
    except NestorError as error:
        # The bytes of an attachment could not be read: nothing was sent.
        return permanent(error.message) if is_final(error) else transient(error.message)


def by_smtp(message: OutgoingMessage, account: ChannelAccount, settings: Settings) -> SendOutcome:
    """Send the mail to the relay, for the recipient and the readers of copies at once.

    A refusal of the recipient decides the outcome; a refusal of a copy stands in its `detail`. Raises the errors of an
    attachment's `open()`.
    """
    try:
        relay = relay_of(account, settings)
        signer = signer_of(account, settings)
        ours = checked_address(str(account.config.get("address", "")))
    except (ConfigurationError, BadUrl, BadAddress) as error:
        # The operator can correct the configuration; nothing was sent.
        return dataclasses.replace(account_trouble(str(error)), detail=f"channel account {account.name}: {error}")
    try:
        theirs = checked_address(message.address)
    except BadAddress as error:
        return permanent(str(error))
    null_sender = message.automatic and account.config.get("null_sender_for_automatic") is True

    def hand_over(wanted: OutgoingMessage) -> SendOutcome:
        mail = build(wanted, account)
        letter = smtp.Letter(
            mail if signer is None else signer.sign(mail),
            sender="" if null_sender else ours.addr_spec,
            recipient=theirs.addr_spec,
            copies=tuple(copy.addr_spec for copy in copies_of(wanted)),
        )
        return smtp.hand_over(relay, letter, helo=ours.domain)

    try:
        outcome = _with_utf8_fallback(message, hand_over)
    except OSError as error:
        return transient(f"a file of the message cannot be read ({type(error).__name__})")
    return dataclasses.replace(outcome, external_id=message.external_id) if outcome.kind == "accepted" else outcome


def _with_utf8_fallback(message: OutgoingMessage, hand_over: Callable[[OutgoingMessage], SendOutcome]) -> SendOutcome:
    """Send the mail, and once more without the copies that need SMTPUTF8 if the relay does not offer it."""
    outcome = hand_over(message)
    plain = dataclasses.replace(message, copies=tuple(one for one in message.copies if one[1].isascii()))
    if outcome.detail != smtp.NO_UTF8 or len(plain.copies) == len(message.copies):
        return outcome
    # The address of a copy must not keep the mail from the requester.
    outcome = hand_over(plain)
    if outcome.kind != "accepted":
        return outcome
    return dataclasses.replace(outcome, detail=outcome.detail or f"copies left out: {smtp.NO_UTF8}")


def buckets(account: ChannelAccount, address: str) -> list[Bucket]:
    """Return the rate limit of the relay, if the account names one (`rate_per_s`)."""
    rate = account.config.get("rate_per_s")
    if isinstance(rate, bool) or not isinstance(rate, int | float) or rate <= 0:
        return []
    return [Bucket(f"email:{account.name}", 1.0 / rate, max(1, int(rate)))]


def external_id(account: ChannelAccount, message_id: str, ticket_number: int) -> str | None:
    """Make a Message-ID. Strangers cannot guess its random part, and so cannot claim to answer somebody's ticket."""
    domain = checked_address(str(account.config["address"])).domain
    return f"<nestor.{ticket_number}.{message_id.replace('-', '')}.{secrets.token_hex(8)}@{domain}>"
