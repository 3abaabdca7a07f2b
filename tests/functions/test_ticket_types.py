"""Types of tickets: a misspelt one is refused, unless a model is open."""

from __future__ import annotations

from typing import Any

from models.definitions import store
from models.kernel.storage import database
from tests.desk import Desk
from tests.functions.callers import Caller, paths, problem, sqlite_only

pytestmark = sqlite_only

OTHER = """\
type: other
label: {en: Other, ru: Другое}
workflow: task
open: true
fields:
  place: {kind: text, label: {en: Place, ru: Место}, max_length: 5}
"""


def published(machine: Caller, source: str, name: str) -> Any:
    return machine.post(f"/v1/model/types/{name}/versions", {"source": source})


def test_a_misspelt_type_is_refused_with_the_type_that_was_meant(machine: Caller) -> None:
    refused = machine.post("/v1/tickets", {"title": "x", "type": "incdent"})

    [error] = problem(refused, 422)["errors"]
    assert error["path"] == "/type"
    assert error["message"].endswith("found 'incdent'; did you mean incident?")
    assert machine.read("/v1/tickets")["items"] == []


def test_a_change_to_a_misspelt_type_is_refused_and_a_change_of_anything_else_is_not(
    machine: Caller, desk: Desk
) -> None:
    ticket = machine.ticket()
    with database.transaction():
        database.execute("UPDATE tickets SET type = 'from_an_earlier_release'")

    def changed(**what: Any) -> Any:
        version = machine.get(f"/v1/tickets/{ticket['id']}").headers["etag"]
        return machine.ask("PATCH", f"/v1/tickets/{ticket['id']}", what, headers={"If-Match": version})

    assert paths(problem(changed(type="qestion"), 422)) == ["/type"]
    assert changed(title="Still editable", fields={"anything": 1}).json["fields"] == {"anything": 1}
    assert changed(type="from_an_earlier_release").status_code == 200


def test_an_open_type_takes_any_field_and_the_tickets_of_undeclared_types(machine: Caller) -> None:
    assert published(machine, OTHER, "other").status_code == 201

    own = machine.ticket(type="other", fields={"free": [1, 2], "place": "here"})
    undeclared = machine.ticket(type="whatever", fields={"free": True})
    refused = machine.post("/v1/tickets", {"title": "x", "type": "whatever", "fields": {"place": "far away"}})

    assert (own["type"], own["workflow"], own["fields"]["free"]) == ("other", "task", [1, 2])
    assert (undeclared["type"], undeclared["workflow"]) == ("whatever", "task")
    assert paths(problem(refused, 422)) == ["/fields/place"]
    assert machine.get("/v1/model/types/whatever").status_code == 404
    assert machine.read("/v1/model/types/other")["open"] is True


def test_only_one_type_is_open(machine: Caller) -> None:
    assert published(machine, OTHER, "other").status_code == 201

    refused = published(machine, OTHER.replace("type: other", "type: second"), "second")

    assert "other is open already" in problem(refused, 422)["errors"][0]["message"]


def test_requesters_have_no_open_model(machine: Caller) -> None:
    files = {"model/requester.yaml": OTHER.replace("type: other", "entity: requester")}

    checked = machine.post("/v1/definition_bundles/check", {"files": files})

    assert "expected in ticket types only" in checked.json["findings"][0]["message"]


def test_a_desk_without_models_takes_every_type(machine: Caller) -> None:
    with database.transaction():
        for one in store.all_latest("model"):
            store.retire("model", one.name, by="tests", reason="none is needed")

    assert machine.ticket(type="anything")["workflow"] == "support"


def test_a_message_opens_its_ticket_even_if_its_accounts_type_is_gone(desk: Desk) -> None:
    with database.transaction():
        store.retire("model", "question", by="tests", reason="gone")

    desk.receive_telegram()
    desk.run_due()

    assert desk.ticket().type == "question"
