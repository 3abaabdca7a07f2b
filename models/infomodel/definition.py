"""A ticket type, or the fields of requesters and organisations, as data: the shape of the YAML (`checks` says what must
fit together).
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from models.definitions import shape
from models.kernel.open_json import JsonObject

Kind = Literal[
    "text",
    "long_text",
    "number",
    "money",
    "choice",
    "multi_choice",
    "date",
    "duration",
    "person",
    "ticket",
    "checkbox",
    "email",
    "phone",
    "url",
]
# Language (BCP 47) -> text.
Label = dict[str, str]
Role = Literal["admin", "manager", "accountant", "agent", "automation"]
Portal = Literal["hidden", "read", "edit"]
ROLES: tuple[Role, ...] = ("admin", "manager", "accountant", "agent", "automation")
TEXTS = ("text", "long_text", "email", "phone", "url")

text_chars_max, long_text_chars_max = 500, 20_000  # of a value: a line; some pages


class Choice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One value of a choice field."""

    label: Label


class Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One field. `min`, `max`: of numbers, durations (s) and money (minor units); `*_length`: of texts; `currencies`:
    of money (default: the desk's).

    `required_when`, `visible_when`: CEL over `fields` and `ticket.type`, `ticket.priority`, `ticket.state`. A field
    that is not visible takes no value and is never required. `see`, `edit`: roles; empty means all. `portal`: what a
    requester may do with it. `retired`: kept, read only, not asked for. `locked_in`: states of the type's life cycle in
    which nobody changes the value, except the life cycle itself.
    """

    kind: Kind
    label: Label
    help: Label | None = None
    required: bool = False
    required_when: str | None = None
    visible_when: str | None = None
    default: Any = None
    min: float | None = None
    max: float | None = None
    whole: bool = False
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    currencies: list[str] = []
    choices: dict[str, Choice] = {}
    see: list[Role] = []
    edit: list[Role] = []
    portal: Portal = "hidden"
    searchable: bool = False
    retired: bool = False
    locked_in: list[str] = []


class Entity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A ticket type (`type`) or the fields of requesters or organisations (`entity`).

    `open`: the type also takes any other fields, and tickets whose type no file declares follow this model.
    """

    label: Label
    fields: dict[str, Field]
    type: str | None = None
    entity: Literal["requester", "organisation"] | None = None
    workflow: str = "support"
    other_fields: Literal["allowed", "refused"] = "refused"
    open: bool = False
    description: str = ""

    @property
    def takes_any_field(self) -> bool:
        """Return True if tickets of the type may have fields that it does not declare."""
        return self.open or self.other_fields == "allowed"

    @property
    def name(self) -> str:
        """Return the name that it is published under: the type's name, `entity.requester` or `entity.organisation`."""
        return self.type or f"entity.{self.entity}"


def read(body: JsonObject) -> Entity:
    """Read the structure alone. Raises Invalid."""
    return shape.convert(body, Entity)


def json_schema() -> JsonObject:
    """JSON Schema 2020-12 of the file, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(Entity)}
