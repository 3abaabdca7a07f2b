"""Organisations and the fields of people: created, changed and read by the API, and joined by a mail domain."""

from __future__ import annotations

from typing import Any

import pytest

from models.definitions import store
from models.kernel.storage import database
from models.requesters import commands, domains
from tests.desk import Desk
from tests.functions.callers import Caller, problem, sqlite_only

LABEL = {"en": "Label", "ru": "Надпись"}
REQUESTER: dict[str, Any] = {
    "entity": "requester",
    "label": LABEL,
    "fields": {
        "phone": {"kind": "phone", "label": LABEL, "searchable": True},
        "vip": {"kind": "checkbox", "label": LABEL, "edit": ["manager"]},
        "limit": {"kind": "number", "label": LABEL, "see": ["manager"], "edit": ["manager"]},
    },
}
ORGANISATION: dict[str, Any] = {
    "entity": "organisation",
    "label": LABEL,
    "fields": {
        "contract": {
            "kind": "choice",
            "label": LABEL,
            "choices": {"basic": {"label": LABEL}, "gold": {"label": LABEL}},
        },
        "renewal": {"kind": "date", "label": LABEL, "required_when": 'fields.contract == "gold"'},
        "discount": {"kind": "number", "label": LABEL, "see": ["manager"], "edit": ["manager"]},
    },
}
FIRM = {"name": "Firm", "domains": ["firma.example"]}


@pytest.fixture(autouse=True)
def models(desk: Desk) -> None:
    with database.transaction():
        store.publish("model", "entity.requester", REQUESTER, source="test", by="test")
        store.publish("model", "entity.organisation", ORGANISATION, source="test", by="test")
    store.forget()


@pytest.fixture
def manager(as_user: Any) -> Caller:
    caller: Caller = as_user("manager")
    return caller


def change(caller: Caller, path: str, **body: Any) -> Any:
    return caller.ask("PATCH", path, body, headers={"If-Match": "*"})


def places(answer: Any) -> set[str]:
    return {one["path"] for one in problem(answer, 422)["errors"]}


def person(desk: Desk, address: str) -> Any:
    with database.transaction():
        return commands.find_or_create("email", address, name="Ada")


def audited(desk: Desk, action: str) -> list[Any]:
    return desk.rows("SELECT * FROM audit_entries WHERE action = :action ORDER BY serial", action=action)


def test_a_requester_is_created_with_addresses_and_valid_fields(agent: Caller, desk: Desk) -> None:
    made = agent.made(
        "/v1/requesters",
        {
            "name": "Ida",
            "email": "Ida@Firma.example",
            "identities": [{"channel": "telegram", "address": "77"}],
            "locale": "de",
            "time_zone": "Europe/Berlin",
            "fields": {"phone": "+49 30 1234"},
        },
    )

    assert [(one["channel"], one["address"]) for one in made["identities"]] == [
        ("email", "ida@firma.example"),
        ("telegram", "77"),
    ]
    assert (made["fields"], made["locale"], made["time_zone"]) == ({"phone": "+49301234"}, "de", "Europe/Berlin")
    assert agent.read(f"/v1/requesters/{made['id']}") == made
    [entry] = audited(desk, "requester_created")
    assert "Ida" not in str(entry)


@sqlite_only
@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"fields": {"phone": "call me"}}, "/fields/phone"),
        ({"fields": {"colour": "red"}}, "/fields/colour"),
        ({"fields": {"vip": True}}, "/fields/vip"),
        ({"time_zone": "Mars/Olympus"}, "/time_zone"),
        ({"organisation_id": "019b0000-0000-7000-8000-000000000000"}, "/organisation_id"),
        ({"identities": [{"channel": "pigeon", "address": "1"}]}, "/identities/0/channel"),
    ],
)
def test_a_wrong_value_of_a_new_requester_is_refused(agent: Caller, body: dict[str, Any], place: str) -> None:
    assert places(agent.post("/v1/requesters", {"name": "Ida", **body})) == {place}
    assert agent.read("/v1/requesters")["items"] == []


@sqlite_only
def test_an_address_of_another_requester_is_a_conflict_and_creates_nobody(agent: Caller, desk: Desk) -> None:
    known = person(desk, "ida@firma.example")

    refused = agent.post("/v1/requesters", {"name": "Ida", "email": "ida@firma.example"})

    assert str(known.id) in problem(refused, 409)["detail"]
    assert len(agent.read("/v1/requesters")["items"]) == 1


@sqlite_only
def test_a_repeat_with_the_same_idempotency_key_creates_one_requester(agent: Caller) -> None:
    headers = {"Idempotency-Key": "ida-1"}

    first, second = (agent.post("/v1/requesters", {"name": "Ida"}, headers=headers) for _ in range(2))

    assert first.json == second.json
    assert len(agent.read("/v1/requesters")["items"]) == 1


@sqlite_only
def test_fields_of_a_requester_are_merged_guarded_and_audited_by_name(
    agent: Caller, manager: Caller, desk: Desk
) -> None:
    path = f"/v1/requesters/{agent.made('/v1/requesters', {'name': 'Ida', 'fields': {'phone': '+4930123'}})['id']}"

    assert places(change(agent, path, fields={"vip": True})) == {"/fields/vip"}
    changed = change(manager, path, fields={"vip": True, "limit": 90_210})
    assert changed.json["fields"] == {"phone": "+4930123", "vip": True, "limit": 90_210}

    assert agent.read(path)["fields"] == {"phone": "+4930123", "vip": True}
    assert change(agent, path, fields={"phone": None}).json["fields"] == {"vip": True}
    told = [entry["after"] for entry in audited(desk, "requester_updated")]
    assert ["fields.limit" in str(one) for one in told] == [True, False]
    assert "90210" not in str(told)


@sqlite_only
def test_a_requester_is_found_by_a_searchable_field_and_by_the_organisation(agent: Caller) -> None:
    firm = agent.made("/v1/organisations", FIRM)
    ida = agent.made("/v1/requesters", {"name": "Ida", "email": "i@firma.example", "fields": {"phone": "+4930777"}})
    agent.made("/v1/requesters", {"name": "Bo"})

    by_phone = agent.everything("/v1/requesters", q="30777")
    of_firm = agent.everything("/v1/requesters", organisation=firm["id"])

    assert [one["id"] for one in by_phone] == [one["id"] for one in of_firm] == [ida["id"]]


def test_an_organisation_is_created_listed_changed_and_deleted(agent: Caller, manager: Caller, desk: Desk) -> None:
    made = agent.made("/v1/organisations", {**FIRM, "fields": {"contract": "basic"}})
    path = f"/v1/organisations/{made['id']}"
    agent.made("/v1/organisations", {"name": "Other"})

    assert agent.read(path) == made
    assert [one["name"] for one in agent.everything("/v1/organisations", limit=1)] == ["Other", "Firm"]
    assert [one["name"] for one in agent.everything("/v1/organisations", q="firma")] == ["Firm"]
    assert places(change(agent, path, fields={"contract": "gold"})) == {"/fields/renewal"}
    assert places(change(agent, path, fields={"discount": 5})) == {"/fields/discount"}
    changed = change(
        manager, path, name="Firm & Co", domains=["firma.example", "Firma.Example.org"], fields={"discount": 5}
    )
    assert (changed.json["domains"], changed.json["version"]) == (["firma.example", "firma.example.org"], 2)
    assert agent.read(path)["fields"] == {"contract": "basic"}
    assert agent.ask("PATCH", path, {"name": "x"}, headers={"If-Match": '"1"'}).status_code == 412
    assert agent.ask("DELETE", path).status_code == 204
    problem(agent.get(path), 404)
    assert [len(audited(desk, f"organisation_{what}")) for what in ("created", "updated", "deleted")] == [2, 1, 1]


@sqlite_only
@pytest.mark.parametrize(
    "domain", ["gmail.com", "co.uk", "localhost", "a b.example", "-x.example", "@", "http://a.example"]
)
def test_a_domain_that_names_no_organisation_is_refused(agent: Caller, domain: str) -> None:
    assert places(agent.post("/v1/organisations", {"name": "Firm", "domains": [domain]})) == {"/domains/0"}


@sqlite_only
def test_a_domain_belongs_to_one_organisation(agent: Caller) -> None:
    firm = agent.made("/v1/organisations", FIRM)

    refused = agent.post("/v1/organisations", {"name": "Other", "domains": ["other.example", "FIRMA.example."]})

    assert firm["id"] in problem(refused, 409)["detail"]
    assert len(agent.read("/v1/organisations")["items"]) == 1


def test_who_writes_from_a_domain_belongs_to_its_organisation(agent: Caller, desk: Desk) -> None:
    firm = agent.made("/v1/organisations", FIRM)
    sales = agent.made("/v1/organisations", {"name": "Sales", "domains": ["sales.firma.example"]})

    found = {
        address: person(desk, address).organisation_id
        for address in ("a@firma.example", "b@post.firma.example", "c@eu.sales.firma.example", "d@otherfirma.example")
    }

    assert [None if one is None else str(one) for one in found.values()] == [firm["id"], firm["id"], sales["id"], None]


@sqlite_only
def test_a_new_domain_takes_in_people_who_have_no_organisation(agent: Caller, desk: Desk) -> None:
    other = agent.made("/v1/organisations", {"name": "Other"})
    ida, bo, far = (person(desk, address) for address in ("i@firma.example", "b@x.firma.example", "f@afirma.example"))
    change(agent, f"/v1/requesters/{bo.id}", organisation_id=other["id"])

    firm = agent.made("/v1/organisations", FIRM)

    members = agent.everything(f"/v1/organisations/{firm['id']}/members")
    assert [one["id"] for one in members] == [str(ida.id)]
    assert agent.read(f"/v1/requesters/{far.id}")["organisation"] is None


@sqlite_only
def test_an_address_that_is_added_later_brings_the_organisation_and_never_changes_one(
    agent: Caller, desk: Desk
) -> None:
    firm = agent.made("/v1/organisations", FIRM)
    other = agent.made("/v1/organisations", {"name": "Other"})
    ida, bo = (agent.made("/v1/requesters", {"name": name}) for name in ("Ida", "Bo"))
    change(agent, f"/v1/requesters/{bo['id']}", organisation_id=other["id"])

    for one, address in ((ida, "ida@firma.example"), (bo, "bo@firma.example")):
        agent.made(f"/v1/requesters/{one['id']}/identities", {"channel": "email", "address": address})

    organisations = [agent.read(f"/v1/requesters/{one['id']}")["organisation"] for one in (ida, bo)]
    assert organisations == [{"id": firm["id"], "name": "Firm"}, {"id": other["id"], "name": "Other"}]


@sqlite_only
def test_members_are_added_and_removed_and_keep_the_organisation_alive(agent: Caller) -> None:
    path = f"/v1/organisations/{agent.made('/v1/organisations', FIRM)['id']}"
    ida = agent.made("/v1/requesters", {"name": "Ida"})
    member = f"{path}/members/{ida['id']}"

    problem(agent.ask("DELETE", member), 404)
    assert agent.ask("PUT", member).json["organisation"]["name"] == "Firm"
    problem(agent.ask("DELETE", path), 409)
    assert agent.ask("DELETE", member).status_code == 204

    assert agent.read(f"/v1/requesters/{ida['id']}")["organisation"] is None
    assert agent.ask("DELETE", path).status_code == 204


@sqlite_only
def test_an_erased_person_leaves_the_organisation_and_has_no_fields(agent: Caller, machine: Caller) -> None:
    firm = agent.made("/v1/organisations", FIRM)
    ida = agent.made("/v1/requesters", {"name": "Ida", "email": "i@firma.example", "fields": {"phone": "+4930777"}})
    path = f"/v1/requesters/{ida['id']}"
    exported = machine.read(f"{path}/export")
    assert exported["requester"]["fields"] == {"phone": "+4930777"}
    assert exported["organisation"] == {"id": firm["id"], "name": "Firm"}

    machine.made(f"{path}/erasure")

    erased = machine.read(path)
    assert (erased["organisation"], erased["fields"]) == (None, {})
    problem(change(agent, path, fields={"phone": "+4930777"}), 409)
    assert machine.read(f"/v1/organisations/{firm['id']}/members")["items"] == []


def test_the_candidates_of_an_address_are_its_domain_and_those_above() -> None:
    assert domains.candidates("a@b.c.example") == ("b.c.example", "c.example")
    assert domains.candidates("a@localhost") == domains.candidates("77") == ()
