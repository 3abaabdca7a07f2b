"""The form of a record: one line of NDJSON. An export writes it, an import reads it, other formats become it.

References between records are the source's ids. Users are named by their e-mail address, because ids of users are of
one desk alone. Ids that are UUIDs are kept if they are free, so that an export of the imported desk is equal.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from models.imports import limits
from models.kernel import limits as kernel_limits
from models.kernel.open_json import JsonObject

Id: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=limits.id_chars_max)]
Name: TypeAlias = Annotated[str, msgspec.Meta(max_length=kernel_limits.name_chars_max)]
Word: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Text: TypeAlias = Annotated[str, msgspec.Meta(max_length=limits.text_chars_max)]
Instant: TypeAlias = Annotated[datetime, msgspec.Meta(tz=True)]
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A part of a record. Unknown members are refused, so that nothing is lost silently."""


class Address(Part, frozen=True):
    """One address of a requester. `suppressed`: why the desk sends nothing to it; `blocked`: why it takes nothing."""

    channel: Word
    address: Annotated[str, msgspec.Meta(min_length=1, max_length=320)]
    name: Name | None = None
    verified_by: Word | None = None
    suppressed: Text | None = None
    blocked: Text | None = None


class File(Part, frozen=True):
    """A file of a message. `path`: its place next to the records; without it, `reason` says why there are no bytes."""

    filename: Annotated[str, msgspec.Meta(max_length=1_000)]
    content_type: str = "application/octet-stream"
    path: Annotated[str, msgspec.Meta(max_length=1_000)] | None = None
    sha256: str | None = None
    size_bytes: Count = 0
    inline: bool = False
    hidden: bool = False
    content_id: Name | None = None
    reason: Text | None = None


class Author(Part, frozen=True):
    """The author of a message. `id`: of a requester, the source's id; `email`: of an agent."""

    kind: Literal["requester", "agent", "system", "api"]
    id: Id | None = None
    email: Name | None = None
    name: Name = ""


class Message(Part, frozen=True):
    """A message or a note. `references`: further ids by which an answer finds the ticket."""

    id: Id
    author: Author
    created_at: Instant
    body: Text
    direction: Literal["inbound", "outbound"] | None = None
    kind: Literal["reply", "note"] = "reply"
    subject: Text | None = None
    body_full: Text | None = None
    body_format: Literal["text", "markdown", "html"] = "text"
    body_html: Text | None = None
    channel: Word | None = None
    account: Word | None = None
    external_id: Annotated[str, msgspec.Meta(max_length=1_000)] | None = None
    in_reply_to: Annotated[str, msgspec.Meta(max_length=1_000)] | None = None
    references: Annotated[list[str], msgspec.Meta(max_length=limits.list_max)] = []
    automatic: Word | None = None
    by_machine: bool = False
    verdict: Word | None = None
    edited_at: Instant | None = None
    deleted_at: Instant | None = None
    details: JsonObject = {}
    copies: Annotated[list[Any], msgspec.Meta(max_length=limits.list_max)] = []
    reactions: JsonObject | list[Any] = {}
    files: Annotated[list[File], msgspec.Meta(max_length=limits.files_max)] = []


class Step(Part, frozen=True):
    """A step of a ticket's course: its state or its assignee from an instant on. `by`: the e-mail address of a user."""

    at: Instant
    state: Word | None = None
    transition: Word | None = None
    assignee: Name | None = None
    unassigned: bool = False
    by: Name | None = None


class Participant(Part, frozen=True):
    """An address besides the requester's that may write into a ticket."""

    channel: Word
    address: Annotated[str, msgspec.Meta(max_length=320)]
    name: Name = ""
    role: Word = "copy"
    added_at: Instant | None = None
    confirmed_at: Instant | None = None


class Contact(Part, frozen=True):
    """The address to which replies go."""

    channel: Word
    address: Annotated[str, msgspec.Meta(max_length=320)]
    account: Word | None = None
    grade: Word | None = None


class Time(Part, frozen=True):
    """The minutes that a user spent on a ticket. `user`: an e-mail address."""

    user: Name
    minutes: Count
    created_at: Instant
    note: Text | None = None


class Rating(Part, frozen=True):
    """A rating of a requester."""

    asked_at: Instant
    score: int | None = None
    comment: Text | None = None
    rated_at: Instant | None = None


class Record(Part, frozen=True, tag_field="kind"):
    """A line of the file."""

    id: Id


class Organisation(Record, frozen=True, tag="organisation"):
    """A company that requesters belong to."""

    name: Name
    domains: Annotated[list[str], msgspec.Meta(max_length=limits.list_max)] = []
    fields: JsonObject = {}
    created_at: Instant | None = None
    updated_at: Instant | None = None


class User(Record, frozen=True, tag="user"):
    """A person who works at the desk. `id` is the e-mail address."""

    name: Name
    role: Word = "agent"
    locale: Word | None = None
    active: bool = True


class Requester(Record, frozen=True, tag="requester"):
    """A person who asks for help. `organisation`: the source's id."""

    name: Name
    addresses: Annotated[list[Address], msgspec.Meta(max_length=limits.list_max)] = []
    locale: Word | None = None
    time_zone: Word | None = None
    organisation: Id | None = None
    fields: JsonObject = {}
    created_at: Instant | None = None
    updated_at: Instant | None = None


class Ticket(Record, frozen=True, tag="ticket"):
    """A ticket with its conversation. `requester`: the source's id of a requester."""

    title: str
    created_at: Instant
    number: Annotated[int, msgspec.Meta(ge=1, le=2**53)] | None = None
    type: Word = "question"
    priority: Word = "normal"
    state: Word | None = None
    workflow: Word | None = None
    requester: Id | None = None
    assignee: Name | None = None
    team: Word | None = None
    channel: Word = "api"
    account: Word | None = None
    contact: Contact | None = None
    fields: JsonObject = {}
    tags: Annotated[list[str], msgspec.Meta(max_length=limits.list_max)] = []
    updated_at: Instant | None = None
    first_response_at: Instant | None = None
    solved_at: Instant | None = None
    closed_at: Instant | None = None
    participants: Annotated[list[Participant], msgspec.Meta(max_length=limits.list_max)] = []
    followers: Annotated[list[Name], msgspec.Meta(max_length=limits.list_max)] = []
    course: Annotated[list[Step], msgspec.Meta(max_length=limits.list_max)] = []
    times: Annotated[list[Time], msgspec.Meta(max_length=limits.list_max)] = []
    ratings: Annotated[list[Rating], msgspec.Meta(max_length=limits.list_max)] = []
    messages: Annotated[list[Message], msgspec.Meta(max_length=limits.messages_max)] = []


class Link(Record, frozen=True, tag="link"):
    """A relation of two tickets, by the source's ids."""

    from_ticket: Id
    to_ticket: Id
    relation: Word
    created_at: Instant | None = None


AnyRecord: TypeAlias = Organisation | User | Requester | Ticket | Link
_DECODER = msgspec.json.Decoder(AnyRecord)
_ENCODER = msgspec.json.Encoder()


def decode(line: bytes) -> AnyRecord:
    """Return the record of a line. Raises msgspec.ValidationError or msgspec.DecodeError."""
    found: AnyRecord = _DECODER.decode(line)
    return found


def convert(values: JsonObject) -> AnyRecord:
    """Return the record of a mapping. Raises msgspec.ValidationError."""
    found: AnyRecord = msgspec.convert(values, AnyRecord)
    return found


def encode(record: AnyRecord) -> bytes:
    """Return the line of a record. Members that hold their defaults are left out."""
    return _ENCODER.encode(record)
