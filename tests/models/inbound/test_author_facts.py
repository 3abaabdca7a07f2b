"""Facts about the author that a channel knows fill empty fields of the requester, and never replace a value."""

from __future__ import annotations

from typing import Any

import pytest

from models.definitions import store
from models.kernel.storage import database
from models.kernel.storage.batch import from_json
from models.requesters import commands, facts
from models.requesters.tables import Requester
from models.tickets import ticket_fields
from tests.desk import Desk
from tests.functions.callers import sqlite_only
from tests.functions.test_organisations import REQUESTER


@pytest.fixture(autouse=True)
def model(desk: Desk) -> None:
    with database.transaction():
        store.publish("model", "entity.requester", REQUESTER, source="test", by="test")
    store.forget()


def ada(**fields: Any) -> Requester:
    found = commands.find_or_create("telegram", "700100", name="Ada")
    found.fields = fields
    Requester.update({Requester.fields: fields}).where(Requester.id == found.id).execute()
    return found


def learned(requester: Requester, **known: Any) -> Any:
    facts.learn(requester, known, lookups=ticket_fields.LOOKUPS)
    stored = commands.by_id(requester.id)
    assert stored.fields == requester.fields
    return stored.fields


def test_facts_that_fit_fill_empty_fields(desk: Desk) -> None:
    with database.transaction():
        assert learned(ada(), phone="+49 30 123", colour="red", limit="many") == {"phone": "+4930123"}

    [entry] = desk.rows("SELECT after FROM audit_entries WHERE action = 'requester_updated'")
    assert from_json(entry["after"]) == {"changed": ["fields.phone"]}


@sqlite_only
def test_a_value_that_somebody_set_stays(desk: Desk) -> None:
    with database.transaction():
        requester = ada(phone="+4930777")

        assert learned(requester, phone="+4930123") == {"phone": "+4930777"}
    assert desk.rows("SELECT * FROM audit_entries WHERE action = 'requester_updated'") == []
