"""The payloads of tasks: one type for each kind, read by the actor and written by who enqueues.

A payload holds ids and names, not documents. In a rolling update a worker reads payloads of the release before and
after its own, so a field is only added with a default, and a field that a reader does not know is ignored. A shape that
cannot keep to that becomes a new kind of task.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeVar
from uuid import UUID

import msgspec

from models.kernel.storage.batch import as_json, from_json

P = TypeVar("P", bound="Payload")


class Payload(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The base of all payloads."""


class IngestEvent(Payload, frozen=True):
    """Reads a stored provider event."""

    inbox_id: UUID


class AdvanceTicket(Payload, frozen=True):
    """Lets a life cycle react to `event`; the other fields depend on it.

    A message of a person has `message_id`; `timer` has the timer's name and how often it has fired; `signal` has its
    name and the `event_id` of the history's entry with its facts; `rated` has `event_id`; `sla` has `target`;
    `approval_expired` has `transition`; `linked_ticket_done` has `linked_id` and the kind of the `link`.
    """

    ticket_id: UUID
    event: str
    message_id: UUID | None = None
    timer: str | None = None
    count: int = 1
    signal: str | None = None
    event_id: UUID | None = None
    target: str | None = None
    transition: str | None = None
    linked_id: UUID | None = None
    link: str | None = None
    about_id: UUID | None = None  # the event of the history that a failed delivery wrote

    def __post_init__(self) -> None:
        needed = {"sla": self.target, "approval_expired": self.transition}
        if self.event in needed and needed[self.event] is None:
            raise ValueError(f"the event {self.event} needs its target or transition")


class ReleaseMessage(Payload, frozen=True):
    """Hands a scheduled message to the send queue."""

    delivery_id: UUID


class SendDelivery(Payload, frozen=True):
    """Carries one delivery to its provider."""

    delivery_id: UUID


class SendNotice(Payload, frozen=True):
    """Sends a notice of the desk itself to a chat.

    `question`: the question of a dialogue (`<dialogue>:<step>`) whose `choices` (label, value) are shown as buttons.
    """

    channel: str
    account: str
    address: str
    text: str
    subject: str = ""
    question: str = ""
    question_ticket_id: UUID | None = None
    choices: Sequence[Sequence[str]] = ()


class FetchAttachment(Payload, frozen=True):
    """Fetches a file from its provider."""

    attachment_id: UUID


class ScanFile(Payload, frozen=True):
    """Has the bytes of a file scanned for malware."""

    sha256: str


class SendCode(Payload, frozen=True):
    """Mails a code that proves an address; `account` is the sender."""

    code_id: UUID
    account: str


class SendDeskMail(Payload, frozen=True):
    """Sends a mail of the desk itself to a user."""

    mail_id: UUID


class RequestPasswordReset(Payload, frozen=True):
    """Mails a link to choose a new password to the user with this address, if there is one."""

    email: str


class MailPortalLink(Payload, frozen=True):
    """Mails the link by which a requester signs in at the portal."""

    link_id: UUID


class OpenAccount(Payload, frozen=True):
    """Opens the ledger's account of a new user."""

    user_id: UUID


class ActivateUser(Payload, frozen=True):
    """Lets a user be given work, whose account is open."""

    user_id: UUID
    account_id: UUID


class RepairActivations(Payload, frozen=True):
    """Completes the activations of users that are stuck."""


class TellStaff(Payload, frozen=True):
    """Posts a ticket's new events in its topic of the staff's group."""

    channel: str
    account: str
    ticket_id: UUID


class MakeLinkedTicket(Payload, frozen=True):
    """Makes the ticket that the event `linked_ticket_wanted` describes."""

    ticket_id: UUID
    event_id: UUID


class CallWebhook(Payload, frozen=True):
    """Makes the call that the event `webhook_called` describes."""

    ticket_id: UUID
    event_id: UUID


class DeliverWebhook(Payload, frozen=True):
    """Sends one event to one subscriber."""

    subscription_id: UUID
    event_id: UUID


class ReassignTickets(Payload, frozen=True):
    """Frees the open tickets of a user, or gives them to another one. `actor_*`: the person who decided it."""

    from_id: UUID
    actor_kind: Literal["user", "api_key", "requester", "system"]
    to_id: UUID | None = None
    actor_id: str | None = None
    actor_name: str = ""


class NotifyPeople(Payload, frozen=True):
    """Gives the users whom an event of a ticket concerns a notice of it."""

    ticket_id: UUID
    event_id: UUID


class PlanNotice(Payload, frozen=True):
    """Decides by which ways a notice leaves, and when."""

    notice_id: UUID


class HandOverNotices(Payload, frozen=True):
    """Hands the due notices of a user over to one way."""

    user_id: UUID
    way: str


class SendChatNotices(Payload, frozen=True):
    """Sends a batch of notices to the chat of its user."""

    batch_id: UUID
    user_id: UUID


class PullAccount(Payload, frozen=True):
    """Reads an account that has to be asked."""

    channel: str
    account: str


class WatchAccounts(Payload, frozen=True):
    """Asks the providers about all accounts."""


class MigrateTickets(Payload, frozen=True):
    """Moves the live tickets of a life cycle to another version."""

    migration_id: UUID


class ReplayEvents(Payload, frozen=True):
    """Drives recorded events through a draft of a life cycle."""

    replay_id: UUID


class WakeTicket(Payload, frozen=True):
    """Ends the snooze of a ticket at its instant, unless the snooze ended or changed before."""

    ticket_id: UUID
    until: datetime


class FollowLog(Payload, frozen=True):
    """Lets a consumer of the event log read on."""

    consumer: str


class ApplyBulkChange(Payload, frozen=True):
    """Changes the tickets of a bulk change."""

    bulk_id: UUID


class RunImport(Payload, frozen=True):
    """Writes the records of an import."""

    import_id: UUID


class IndexTickets(Payload, frozen=True):
    """Writes the search documents of marked tickets."""


class CollectGarbage(Payload, frozen=True):
    """Deletes rows and files that have served."""


@dataclass(frozen=True, slots=True)
class Undecodable:
    """A payload that its kind's type does not accept; `reason` names the field and what was expected."""

    reason: str


def encoded(payload: Payload) -> str:
    """Return the JSON of the column. Fields that hold their default are left out."""
    return as_json(msgspec.to_builtins(payload))


def decoded(kind: type[P], stored: Any) -> P | Undecodable:
    """Return the column's value as its kind's type."""
    try:
        return msgspec.convert(from_json(stored), kind)
    except (msgspec.ValidationError, ValueError) as error:
        return Undecodable(f"the payload does not fit {kind.__name__}: {error}")
