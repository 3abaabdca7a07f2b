"""The outbound half of the channel port: what the domain asks an adapter's `send.py` to carry, and how it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

OutcomeKind = Literal["accepted", "transient", "permanent", "unknown", "throttled"]


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """One message to one address.

    `external_id` is the Message-ID that e-mail keeps over all attempts (None where the provider gives the id). `in_reply_to` is the
    provider id of the message answered; `references` the thread's ids, oldest first. `automatic` marks what no person wrote.
    """

    delivery_id: str
    attempt_number: int
    address: str
    recipient_name: str
    body: str
    body_format: Literal["text", "markdown", "html"]
    subject: str | None
    external_id: str | None
    in_reply_to: str | None
    references: tuple[str, ...]
    automatic: bool
    ticket_number: int


@dataclass(frozen=True, slots=True)
class SendOutcome:
    """How an attempt ended.

    accepted: the provider has it (`external_id` is its id for the message, in the form that replies refer to).
    transient: certainly not sent; try again (after `retry_after_s` if given). permanent: never will be.
    unknown: it may or may not have been sent. throttled: not sent, come back after `retry_after_s`; not a used-up attempt;
    `pause_account` stops the whole account for that time, not only this address.
    `new_address`: the address moved for good (a migrated Telegram group); the send is repeated there at once.
    `suppress`: reason why this address must not be written to again (the bot is blocked).
    `detail` is for people: no address, no token, no body.
    """

    kind: OutcomeKind
    detail: str = ""
    external_id: str | None = None
    retry_after_s: float | None = None
    pause_account: bool = False
    new_address: str | None = None
    suppress: str | None = None

    @property
    def partly_sent(self) -> bool:
        """A message of several parts of which the first arrived (`external_id`) and a later one did not."""
        return self.kind == "unknown" and self.external_id is not None


def accepted(external_id: str | None, detail: str = "") -> SendOutcome:
    return SendOutcome("accepted", detail, external_id=external_id)


def transient(detail: str, *, retry_after_s: float | None = None) -> SendOutcome:
    return SendOutcome("transient", detail, retry_after_s=retry_after_s)


def permanent(detail: str, *, suppress: str | None = None) -> SendOutcome:
    return SendOutcome("permanent", detail, suppress=suppress)


def unknown(detail: str) -> SendOutcome:
    return SendOutcome("unknown", detail)
