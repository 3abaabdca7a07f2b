"""Texts of the desk lose the addresses of an erased person and keep the rest."""

from __future__ import annotations

import json
from uuid import UUID

import pytest

from models.bulk.tables import BulkChange
from models.drafts.tables import Draft
from models.events.commands import SYSTEM
from models.kernel import clock
from models.kernel.ids import new_id
from models.kernel.storage import database
from models.macros.tables import Macro
from models.privacy import desk_texts, erasure
from models.privacy.register.columns import TABLES
from models.requesters import commands as requesters
from models.saved_replies.tables import SavedReply
from models.ticket_lists.views.tables import TicketView
from models.tickets.tables import Ticket
from models.undo import commands as undo
from tests.desk import Desk

ADA = "an07587@over.test"
JO = "jo.an07587@over.test.example"


def person(address: str) -> UUID:
    with database.connection():
        found = requesters.find("email", address)
    assert found is not None
    return found.id


def erase() -> None:
    with database.transaction():
        erasure.erase(person(ADA), actor=SYSTEM)


def test_texts_of_the_desk_lose_the_persons_addresses_and_keep_the_rest(desk: Desk) -> None:
    desk.receive_email("Ada wrote this.", sender=f"Ada <{ADA}>")
    desk.receive_email("Jo wrote this.", sender=f"Jo <{JO}>")
    desk.run_due()
    of_jo = person_ticket(JO)
    words = f"Call {ADA.upper()}, or {JO}."
    now, me = clock.now(), UUID(str(desk.person().id))
    times = {"created_at": now, "updated_at": now}
    addresses = {"requester_address": [ADA, JO], "q": f"from:{ADA} printer"}
    with database.transaction():
        view = {"scope": "all", "columns_shown": [], "sort": "number", "position": 1, **times}
        TicketView.insert(id=new_id(), name=f"Of {ADA}", filter=addresses, **view).execute()
        acts = [{"note": {"texts": {"en": words}}}]
        Macro.insert(id=new_id(), name="m", folder="", scope="all", acts=acts, **times).execute()
        reply = {"name": "r", "folder": "", "scope": "all", "body_format": "text", **times}
        SavedReply.insert(id=new_id(), texts={"en": words}, **reply).execute()
        started = {"state": "done", "tickets": 0, "actor_kind": "user", "actor_id": str(me), "actor_name": "x"}
        bulk = {"id": new_id(), "kind": "change", "owner_id": me, "started_at": now, **started}
        BulkChange.insert(acts=acts, selection=addresses, note=words, **bulk).execute()
        draft = {"kind": "reply", "body_format": "text", "attachments": [], "version": 1, "updated_at": now}
        draft |= {"recipient": ADA, "copies": [{"address": ADA}, {"address": JO}]}
        Draft.insert(ticket_id=of_jo, user_id=me, body=words, **draft).execute()
        undo.remember("merge", {"participants": [["email", ADA]]}, actor=desk.person(), ticket_id=of_jo)

    erase()

    with database.connection():
        [view] = database.rows(TicketView.select().where(TicketView.position == 1, TicketView.scope == "all"))
        [macro] = database.rows(Macro.select().where(Macro.name == "m"))
        [reply] = database.rows(SavedReply.select().where(SavedReply.name == "r"))
        [bulk] = database.rows(BulkChange.select())
        [draft] = database.rows(Draft.select())
    told = f"Call [erased], or {JO}."
    filtered = {"requester_address": ["[erased]", JO], "q": "from:[erased] printer"}
    # A filter without its address would find the tickets of everybody.
    assert (view["name"], view["filter"], bulk["selection"]) == ("Of [erased]", filtered, filtered)
    assert macro["acts"] == bulk["acts"] == [{"note": {"texts": {"en": told}}}]
    assert (reply["texts"], bulk["note"], draft["body"]) == ({"en": told}, told, told)
    assert (draft["recipient"], draft["copies"]) == ("[erased]", [{"address": "[erased]"}, {"address": JO}])
    assert (view["version"], macro["version"], reply["version"], draft["version"]) == (3, 2, 2, 4)
    assert desk.rows("SELECT id FROM undos") == []


def test_an_answer_that_names_the_persons_address_is_not_repeated(desk: Desk) -> None:
    desk.receive_email("Ada wrote this.", sender=f"Ada <{ADA}>")
    desk.run_due()
    answers = {"ada": json.dumps({"filter": {"requester_address": [ADA]}}), "jo": json.dumps({"address": JO})}
    with database.transaction():
        for key, body in answers.items():
            database.execute(
                "INSERT INTO idempotency_keys (principal, key, request_hash, status, headers, body, created_at)"
                " VALUES ('x', :key, 'x', 201, '{}', :body, :now)",
                key=key,
                body=body,
                now=clock.now(),
            )

    erase()

    assert {row["key"]: row["status"] for row in desk.rows("SELECT key, status FROM idempotency_keys")} == {
        "ada": 410,
        "jo": 201,
    }


@pytest.mark.parametrize(
    ("value", "address", "expected"),
    [
        ("ADA@x.test", "ada@x.test", "[erased]"),
        ("<ada@x.test>.", "ada@x.test", "<[erased]>."),
        ("to ada@x.test.", "ada@x.test", "to [erased]."),
        ("jo.ada@x.test, ada@x.test.example", "ada@x.test", "jo.ada@x.test, ada@x.test.example"),
        ("order 4711", "4711", "order 4711"),
        (["4711", 4711], "4711", ["[erased]", 4711]),
        ("call +49 30 1", "+49301", "call +49 30 1"),
        ("call +49301!", "+49301", "call [erased]!"),
    ],
)
def test_an_address_is_found_alone_and_in_a_text_where_it_cannot_be_another_one(
    value: object, address: str, expected: object
) -> None:
    assert desk_texts.without(value, address) == expected


def test_every_table_whose_texts_lose_addresses_is_searched() -> None:
    named = {table for table, columns in TABLES.items() if any(one.without_addresses for one in columns.values())}

    assert named == {str(table._meta.table_name) for table in desk_texts.HOLDERS}


def person_ticket(address: str) -> UUID:
    """The ticket of a person."""
    owner = person(address)
    with database.connection():
        [row] = database.rows(Ticket.select(Ticket.id).where(Ticket.requester_id == owner))
    return UUID(str(row["id"]))
