"""The register of personal data knows every column that can hold a person's data (models/privacy/register).

A column that nobody considered survives an erasure, and nobody notices.
"""

from __future__ import annotations

import datetime
import importlib
import types
import typing
from typing import Any
from uuid import UUID

import msgspec
import peewee

from models.events.catalogue import EVENT_TYPES
from models.events.payload import Cause
from models.kernel.storage.table import JsonField, Table
from models.privacy.register import payload_keys
from models.privacy.register.columns import TABLES
from models.privacy.register.treatments import Treatment
from models.tasks import payloads
from tests.architecture.code import modules

for _module in modules("models"):
    if _module.name.endswith(".tables"):
        importlib.import_module(_module.name)

# EnumField is a TextField.
_HOLDS_TEXT = (peewee.TextField, JsonField, peewee.BlobField)
_HOW_TO_ADD = (
    "add each of these columns to models/privacy/register (person.py, conversation.py or desk.py) with one of the"
    " entries of treatments.py: exported(reason) or erased(reason) for words, names and addresses of requesters (the"
    " export and the erasure then need to find its rows), else STAFF, DESK, WORD, NAME, HASH, kept(reason) or"
    " impersonal(reason)"
)
# Python types of payload members that hold no text. A UUID is an id, and ids stay.
_NO_TEXT = (UUID, bool, int, float, datetime.datetime, type(None), msgspec.UnsetType)


def text_columns() -> set[str]:
    return {
        f"{model._meta.table_name}.{field.column_name}"
        for model in Table.__subclasses__()
        for field in model._meta.sorted_fields
        if isinstance(field, _HOLDS_TEXT)
    }


def registered() -> set[str]:
    return {f"{table}.{column}" for table, columns in TABLES.items() for column in columns}


def test_every_column_that_can_hold_text_has_an_entry() -> None:
    missing = sorted(text_columns() - registered())

    assert missing == [], _HOW_TO_ADD


def test_every_entry_has_its_column() -> None:
    gone = sorted(registered() - text_columns())

    assert gone == [], "remove these entries from models/privacy/register: there are no such columns"


def test_every_entry_says_why() -> None:
    silent = [
        f"{table}.{column}"
        for table, columns in TABLES.items()
        for column, entry in columns.items()
        if not entry.reason
    ]

    assert silent == []


def test_an_erased_json_column_says_its_empty_value() -> None:
    """NULL is no value of a column that is declared NOT NULL, and a reader expects an object or a list."""
    fields = {
        f"{model._meta.table_name}.{field.column_name}": field
        for model in Table.__subclasses__()
        for field in model._meta.sorted_fields
    }
    wrong = [
        f"{table}.{column}"
        for table, columns in TABLES.items()
        for column, entry in columns.items()
        if entry.is_erased
        and isinstance(field := fields[f"{table}.{column}"], JsonField)
        and not field.null
        and entry.blank is None
    ]

    assert wrong == []


def members(kind: Any) -> dict[str, Any]:
    """Name -> type of the members of a payload, and of the objects in it."""
    found: dict[str, Any] = {}
    if typing.is_typeddict(kind):
        found = dict(typing.get_type_hints(kind))
    else:
        hints = typing.get_type_hints(kind)
        found = {field.encode_name: hints[field.name] for field in msgspec.structs.fields(kind)}
    for inner in list(found.values()):
        for part in parts_of(inner):
            if typing.is_typeddict(part):
                found |= {name: hint for name, hint in members(part).items() if name not in found}
    return found


def parts_of(hint: Any) -> list[Any]:
    """The types in a union; a list of one for any other type."""
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        return [part for argument in typing.get_args(hint) for part in parts_of(argument)]
    return [hint]


def named_members() -> set[str]:
    """The members of all payloads of events and tasks that can hold text."""
    kinds = [*EVENT_TYPES.values(), Cause]
    kinds += [
        kind
        for kind in vars(payloads).values()
        if isinstance(kind, type) and issubclass(kind, payloads.Payload) and kind is not payloads.Payload
    ]
    return {
        name
        for kind in kinds
        for name, hint in members(kind).items()
        if not all(part in _NO_TEXT for part in parts_of(hint))
    }


def test_every_member_of_a_payload_is_a_text_or_plain() -> None:
    """The texts of events and tasks are emptied by the names of their members."""
    known = payload_keys.TEXTS | payload_keys.PLAIN | payload_keys.CONTAINERS

    missing = sorted(named_members() - known)

    assert missing == [], (
        "add these members of payloads to models/privacy/register/payload_keys.py: to TEXTS for what people wrote and"
        " for addresses of requesters, else to PLAIN"
    )
    assert sorted(known - named_members()) == [], "remove these names from payload_keys.py: no payload has them"
    assert not payload_keys.TEXTS & payload_keys.PLAIN


def test_a_payload_keeps_its_shape_without_its_texts() -> None:
    payload = {
        "title": "Ada's matter",
        "fields": {"iban": "DE1"},
        "reasons": ["because of Ada"],
        "comment": None,
        "type": "incident",
        "wanted": {"title": "Ada's matter", "type": "task", "fields": {"iban": "DE1"}},
    }

    assert payload_keys.emptied(payload) == {
        "title": "[erased]",
        "fields": {},
        "reasons": [],
        "comment": None,
        "type": "incident",
        "wanted": {"title": "[erased]", "type": "task", "fields": {}},
    }


def test_the_register_uses_each_treatment() -> None:
    used = {entry.treatment for columns in TABLES.values() for entry in columns.values()}

    assert used == set(Treatment)
