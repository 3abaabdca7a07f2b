"""Carry a message by SMTP to the relay of its account, under one Message-ID over all attempts."""

from __future__ import annotations

import secrets

from models.channels.accounts import ChannelAccount
from models.deliveries.port import OutgoingMessage, SendOutcome, accepted, permanent, transient
from models.kernel.errors import ConfigurationError
from models.kernel.settings import Settings
from models.tasks.rates import Bucket
from queues.channels.email import providers, smtp
from queues.channels.email.build import BadAddress, build, checked_address


def send(message: OutgoingMessage, account: ChannelAccount, settings: Settings) -> SendOutcome:
    """Hand the mail to the account's HTTP provider (`outbound`), or to its `smtp_url`."""
    try:
        carrier = providers.carrier_of(account)
    except ConfigurationError as error:
        return SendOutcome("transient", error.message, account_error=error.message)
    if carrier is not None:
        return carrier.send(message, account, settings)
    try:
        relay = smtp.relay_of(account.credential("smtp_url", settings))
        ours = checked_address(str(account.config.get("address", "")))
    except (ConfigurationError, smtp.BadUrl, BadAddress) as error:  # can be mended; nothing was sent
        return transient(f"channel account {account.name}: {error}")
    try:
        theirs = checked_address(message.address)
    except BadAddress as error:
        return permanent(str(error))
    null_sender = message.automatic and account.config.get("null_sender_for_automatic") is True
    outcome = smtp.hand_over(
        relay,
        build(message, account),
        sender="" if null_sender else ours.addr_spec,
        recipient=theirs.addr_spec,
        helo=ours.domain,
    )
    return accepted(message.external_id) if outcome is None else outcome


def buckets(account: ChannelAccount, address: str) -> list[Bucket]:
    """The relay's limit, when the account names one (`rate_per_s`)."""
    rate = account.config.get("rate_per_s")
    if isinstance(rate, bool) or not isinstance(rate, int | float) or rate <= 0:
        return []
    return [Bucket(f"email:{account.name}", 1.0 / rate, max(1, int(rate)))]


def external_id(account: ChannelAccount, message_id: str, ticket_number: int) -> str | None:
    """A new Message-ID. Its random part keeps strangers from making up the id of somebody's ticket (INGRESS 1.2)."""
    domain = checked_address(str(account.config["address"])).domain
    return f"<nestor.{ticket_number}.{message_id.replace('-', '')}.{secrets.token_hex(8)}@{domain}>"


def close() -> None:
    """Nothing stays open between two mails."""
