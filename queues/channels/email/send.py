"""Carry a message by SMTP to the relay of its account, under one Message-ID over all attempts."""

from __future__ import annotations

import dataclasses
import secrets

from models.channels.accounts import ChannelAccount
from models.kernel.errors import ConfigurationError, NestorError, is_final
from models.kernel.settings import Settings
from models.ports.outbound import OutgoingMessage, SendOutcome, misconfigured, permanent, transient
from models.tasks.rates import Bucket
from queues.channels.email import providers
from queues.channels.email.writing import smtp
from queues.channels.email.writing.build import BadAddress, build, checked_address, copies_of
from queues.channels.email.writing.dkim import signer_of


def send(message: OutgoingMessage, account: ChannelAccount, settings: Settings) -> SendOutcome:
    """Hand the mail to the account's HTTP provider (`outbound`), or to its `smtp_url`."""
    try:
        carrier = providers.carrier_of(account)
        return (by_smtp if carrier is None else carrier.send)(message, account, settings)
    except ConfigurationError as error:  # a credential, SECRET_KEY, the blob store: the mail waits for the operator
        return misconfigured(error)
    except NestorError as error:  # an attachment's bytes: nothing was sent
        return permanent(error.message) if is_final(error) else transient(error.message)


def by_smtp(message: OutgoingMessage, account: ChannelAccount, settings: Settings) -> SendOutcome:
    """Hand the mail to the relay, for the recipient and the readers of copies at once.

    The recipient's refusal decides; a copy's is told in the outcome's `detail`. Raises what an attachment's `open()`
    raises.
    """
    try:
        relay = smtp.relay_of(account.credential("smtp_url", settings), ca_file=account.config.get("smtp_ca_file"))
        signer = signer_of(account, settings)
        ours = checked_address(str(account.config.get("address", "")))
    except (ConfigurationError, smtp.BadUrl, BadAddress) as error:  # can be mended; nothing was sent
        told = f"channel account {account.name}: {error}"
        return SendOutcome("transient", told, account_error=str(error))
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
        outcome = hand_over(message)
        plain = dataclasses.replace(message, copies=tuple(one for one in message.copies if one[1].isascii()))
        if outcome.detail == smtp.NO_UTF8 and len(plain.copies) < len(message.copies):
            # A reader of a copy must not keep the mail from the requester.
            outcome = hand_over(plain)
            if outcome.kind == "accepted":
                outcome = dataclasses.replace(outcome, detail=outcome.detail or f"copies left out: {smtp.NO_UTF8}")
    except OSError as error:
        return transient(f"a file of the message cannot be read ({type(error).__name__})")
    return dataclasses.replace(outcome, external_id=message.external_id) if outcome.kind == "accepted" else outcome


def buckets(account: ChannelAccount, address: str) -> list[Bucket]:
    """The relay's limit, when the account names one (`rate_per_s`)."""
    rate = account.config.get("rate_per_s")
    if isinstance(rate, bool) or not isinstance(rate, int | float) or rate <= 0:
        return []
    return [Bucket(f"email:{account.name}", 1.0 / rate, max(1, int(rate)))]


def external_id(account: ChannelAccount, message_id: str, ticket_number: int) -> str | None:
    """A new Message-ID. Its random part keeps strangers from making up the id of somebody's ticket."""
    domain = checked_address(str(account.config["address"])).domain
    return f"<nestor.{ticket_number}.{message_id.replace('-', '')}.{secrets.token_hex(8)}@{domain}>"
