"""The mapping file: which words and fields of the source are which of the desk."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Any, Final, Literal

import msgspec

from models.imports import form
from models.kernel.errors import FieldProblem, Invalid
from models.kernel.open_json import JsonObject

Words = dict[str, str]


class CsvFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One CSV file. `columns`: member of the record -> name of the column; `fields`: field of the desk -> column."""

    file: str
    record: Literal["organisation", "requester", "ticket", "message"]
    columns: Words
    fields: Words = {}
    delimiter: Annotated[str, msgspec.Meta(min_length=1, max_length=1)] = ","
    encoding: Literal["utf-8", "utf-16", "cp1251", "cp1252", "latin-1"] = "utf-8"
    # How instants are written (strptime); without it, ISO 8601.
    time_format: str | None = None
    # The zone of instants that name none.
    zone: str = "UTC"
    # Between the items of one cell, as tags.
    separator: str = ","


class Defaults(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The values of tickets that say none."""

    type: str | None = None
    workflow: str | None = None
    priority: str | None = None
    state: str | None = None
    team: str | None = None
    channel: str | None = None
    account: str | None = None


class Mapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mapping file. A word that it does not name stays as it is. `source` names the system that the ids belong to."""

    source: Annotated[str, msgspec.Meta(pattern="^[a-z0-9][a-z0-9._-]{0,59}$")] | None = None
    defaults: Defaults = Defaults()
    states: Words = {}
    types: Words = {}
    priorities: Words = {}
    teams: Words = {}
    accounts: Words = {}
    users: Words = {}
    # Zendesk: the id or the title of a custom field -> the field of the desk.
    fields: Words = {}
    csv: Annotated[list[CsvFile], msgspec.Meta(max_length=100)] = []

    def applied(self, record: form.AnyRecord) -> form.AnyRecord:
        """Return the record with the words of the desk."""
        if isinstance(record, form.User):
            return msgspec.structs.replace(record, id=self.users.get(record.id, record.id))
        if not isinstance(record, form.Ticket) or self == NOTHING:
            return record
        messages = [self._message(one) for one in record.messages]
        contact = record.contact
        if contact is not None and contact.account is not None:
            contact = msgspec.structs.replace(contact, account=self.accounts.get(contact.account, contact.account))
        given = {name: value for name in _DEFAULTED if (value := getattr(self.defaults, name)) is not None}
        unset = {name: value for name, value in given.items() if getattr(record, name) == _UNSET.get(name)}
        mapped = msgspec.structs.replace(
            record,
            state=_mapped(self.states, record.state),
            type=self.types.get(record.type, record.type),
            priority=self.priorities.get(record.priority, record.priority),
            team=_mapped(self.teams, record.team),
            account=_mapped(self.accounts, record.account),
            assignee=_mapped(self.users, record.assignee),
            followers=[self.users.get(one, one) for one in record.followers],
            contact=contact,
            course=[self._step(one) for one in record.course],
            times=[msgspec.structs.replace(one, user=self.users.get(one.user, one.user)) for one in record.times],
            messages=messages,
        )
        defaulted = msgspec.structs.replace(mapped, **unset)
        # Tickets of the API have no account.
        return msgspec.structs.replace(defaulted, account=mapped.account) if defaulted.channel == "api" else defaulted

    def _step(self, step: form.Step) -> form.Step:
        return msgspec.structs.replace(
            step,
            state=_mapped(self.states, step.state),
            assignee=_mapped(self.users, step.assignee),
            by=_mapped(self.users, step.by),
        )

    def _message(self, message: form.Message) -> form.Message:
        author = msgspec.structs.replace(message.author, email=_mapped(self.users, message.author.email))
        return msgspec.structs.replace(message, author=author, account=_mapped(self.accounts, message.account))


NOTHING: Final = Mapping()
_DEFAULTED: Final = ("type", "workflow", "priority", "state", "team", "channel", "account")
# The values of a ticket's record that mean: the source says nothing.
_UNSET: Final[JsonObject] = {"type": "question", "priority": "normal", "channel": "api"}


def _mapped(words: Words, word: str | None) -> str | None:
    return None if word is None else words.get(word, word)


def convert(values: Any) -> Mapping:
    """Return the mapping of a JSON value. Raises Invalid."""
    try:
        found = msgspec.convert(values, Mapping)
    except msgspec.ValidationError as error:
        raise Invalid([FieldProblem("/mapping", str(error))]) from error
    for index, one in enumerate(found.csv):
        if PurePosixPath(one.file).is_absolute() or ".." in PurePosixPath(one.file).parts:
            raise Invalid([FieldProblem(f"/mapping/csv/{index}/file", "expected a name below the folder")])
    return found
