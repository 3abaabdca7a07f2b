"""Definitions that are checked and published together over the API, and a type that would break a life cycle."""

from __future__ import annotations

from typing import Any

import pytest

from models.kernel.storage import database
from scripts import defs
from tests.desk import Desk
from tests.functions.callers import Caller, problem, sqlite_only

pytestmark = sqlite_only

LABEL = "label: {en: Thing, ru: Вещь}"
TYPE = f"""\
type: repair
{LABEL}
workflow: repairs
fields:
  part: {{kind: text, {LABEL}}}
  price: {{kind: number, {LABEL}}}
"""
WORKFLOW = f"""\
workflow: repairs
{LABEL}
initial: open
types: [repair]
states:
  open: {{category: todo, {LABEL}}}
  done: {{category: done, {LABEL}}}
transitions:
  finish: {{from: [open], to: done, {LABEL}, who: [agent, admin], guard: 'fields.part != ""'}}
"""
WITHOUT_PART = TYPE.replace(f"  part: {{kind: text, {LABEL}}}\n", "")
FREE_OF_PART = WORKFLOW.replace(", guard: 'fields.part != \"\"'", "")
FRAGMENT = "fragment: timers\ntimers:\n  late: {in: [open], after: 3d}\n"
INCLUDING = (
    "include: [../shared/late.yaml]\n"
    + FREE_OF_PART
    + "reactions:\n  - {on: 'timer:late', name: end_it, in: [open], transition: close_it}\n"
).replace("transitions:\n", f"transitions:\n  close_it: {{from: [open], to: done, {LABEL}, who: [automation]}}\n")


def published(machine: Caller, **files: str) -> Any:
    return machine.post(
        "/v1/definition_bundles", {"files": {name.replace("__", "/") + ".yaml": text for name, text in files.items()}}
    )


@pytest.fixture
def repairs(machine: Caller) -> Caller:
    """A desk with the type `repair` and its life cycle."""
    made = published(machine, model__repair=TYPE, repairs__workflow=WORKFLOW)
    assert made.status_code == 201, made.text
    return machine


def test_a_type_and_its_life_cycle_are_published_together(machine: Caller) -> None:
    made = published(machine, model__repair=TYPE, repairs__workflow=WORKFLOW)
    again = published(machine, repairs__workflow=WORKFLOW, model__repair=TYPE)

    names = {(one["kind"], one["name"], one["version"]) for one in made.json["items"]}
    assert names == {("model", "repair", 1), ("workflow", "repairs", 1)}
    assert (again.status_code, again.json) == (200, {"items": []})
    assert machine.ticket(type="repair")["workflow"] == "repairs"


def test_a_type_alone_that_names_no_life_cycle_is_refused(machine: Caller) -> None:
    refused = published(machine, model__repair=TYPE)

    [error] = problem(refused, 422)["errors"]
    assert error["path"] == "/files/model~1repair.yaml"
    assert error["message"].startswith("line 3, column 11: .workflow: there is no life cycle 'repairs'")


def test_dropping_a_field_that_a_guard_in_force_reads_is_refused_and_changes_nothing(repairs: Caller) -> None:
    refused = repairs.post("/v1/model/types/repair/versions", {"source": WITHOUT_PART})
    checked = repairs.post("/v1/model/types/repair/check", {"source": WITHOUT_PART}).json

    [error] = problem(refused, 422)["errors"]
    assert "life cycle repairs, version 1 (in force): .transitions.finish.guard" in error["message"]
    assert "publish the life cycle in the same bundle" in error["message"]
    assert not checked["publishable"]
    assert [one["code"] for one in checked["findings"]] == ["breaks_life_cycle"]
    assert [field["name"] for field in repairs.read("/v1/model/types/repair")["fields"]] == ["part", "price"]


def test_a_field_is_dropped_together_with_the_guard_that_reads_it(repairs: Caller) -> None:
    made = published(repairs, model__repair=WITHOUT_PART, repairs__workflow=FREE_OF_PART)

    assert made.status_code == 201, made.text
    assert [one["version"] for one in made.json["items"]] == [2, 2]


def test_a_field_stays_while_a_live_ticket_is_on_a_version_that_reads_it(repairs: Caller) -> None:
    ticket = repairs.ticket(type="repair")
    refused = published(repairs, model__repair=WITHOUT_PART, repairs__workflow=FREE_OF_PART)
    retired = TYPE.replace("part: {kind: text,", "part: {kind: text, retired: true,")
    kept = published(repairs, model__repair=retired, repairs__workflow=FREE_OF_PART)

    [error] = problem(refused, 422)["errors"]
    assert "version 1 (live tickets)" in error["message"]
    assert kept.status_code == 201, kept.text
    assert repairs.read(f"/v1/tickets/{ticket['id']}/transitions")["items"][0]["transition"] == "finish"


def test_a_rollback_of_a_type_that_breaks_the_life_cycle_in_force_is_refused(repairs: Caller, desk: Desk) -> None:
    from models.kernel.errors import Invalid
    from models.publishing import publishing

    assert published(repairs, model__repair=WITHOUT_PART, repairs__workflow=FREE_OF_PART).status_code == 201

    with database.transaction(), pytest.raises(Invalid, match="part"):
        publishing.rollback("workflow", "repairs", to=1, by="tests", reason="back")


def test_the_shown_source_of_a_life_cycle_with_an_include_can_be_published(repairs: Caller) -> None:
    made = published(repairs, repairs__workflow=INCLUDING, shared__late=FRAGMENT)
    shown = repairs.read("/v1/workflows/repairs")["source"]

    again = repairs.post("/v1/workflows/repairs/versions", {"source": shown})
    changed = repairs.post(
        "/v1/workflows/repairs/versions", {"source": shown.replace("initial: open", "description: x\ninitial: open")}
    )

    assert made.status_code == 201, made.text
    assert shown == INCLUDING
    assert again.status_code == 200, again.text
    assert changed.status_code == 201, changed.text
    assert changed.json["definition"]["timers"] == {"late": {"in": ["open"], "after": "3d"}}


def test_the_source_of_every_shipped_life_cycle_can_be_published_as_it_is_shown(machine: Caller) -> None:
    for one in machine.read("/v1/workflows")["items"]:
        source = machine.read(f"/v1/workflows/{one['name']}")["source"]

        result = machine.post(f"/v1/workflows/{one['name']}/versions", {"source": source})

        assert result.status_code == 200, result.text


@pytest.mark.parametrize(
    ("files", "place", "told"),
    [
        (
            {"repairs__workflow": INCLUDING, "model__repair": TYPE},
            "/files/repairs~1workflow.yaml",
            "there is no file 'shared/late.yaml'",
        ),
        (
            {
                "a": FRAGMENT.replace("fragment: timers", "fragment: timers\ninclude: [b.yaml]"),
                "b": "fragment: x\ninclude: [a.yaml]\n",
            },
            "/files/a.yaml",
            "include each other: a.yaml -> b.yaml -> a.yaml",
        ),
        ({"a": "include: [../../etc/passwd]\n" + WORKFLOW}, "/files/a.yaml", "of the same folder tree"),
        ({"a": "channel: telegram\naccount: x\n"}, "/files/a.yaml", "published from files"),
        ({"a": "scenarios: support\n"}, "/files/a.yaml", "scenarios are run"),
        ({"a": TYPE, "b": TYPE, "w": WORKFLOW}, "/files/b.yaml", "model repair is in a.yaml already"),
        ({"a": "what: is\n"}, "/files/a.yaml", "expected a definition with"),
        ({"a": "]"}, "/files/a.yaml", "line 1, column 1"),
    ],
)
def test_a_wrong_file_of_a_bundle_is_named_with_its_place(
    machine: Caller, files: dict[str, str], place: str, told: str
) -> None:
    refused = published(machine, **files)
    checked = machine.post(
        "/v1/definition_bundles/check",
        {"files": {f"{name.replace('__', '/')}.yaml": text for name, text in files.items()}},
    ).json

    errors = problem(refused, 422)["errors"]
    assert any(one["path"] == place and told in one["message"] for one in errors), errors
    assert not checked["publishable"]
    assert checked["findings"][0]["file"] in {f"{name.replace('__', '/')}.yaml" for name in files}


def test_a_plan_of_a_bundle_changes_nothing(repairs: Caller) -> None:
    files = {"model/repair.yaml": WITHOUT_PART, "repairs/workflow.yaml": FREE_OF_PART}

    planned = repairs.made("/v1/definition_bundles/plan", {"files": files})["items"]

    assert {(one["kind"], one["action"], one["version"]) for one in planned} == {
        ("model", "changed", 2),
        ("workflow", "changed", 2),
    }
    assert repairs.read("/v1/workflows/repairs")["version"] == 1


def test_the_shipped_folder_is_one_bundle(machine: Caller) -> None:
    files = {
        path.relative_to(defs.ROOT).as_posix(): path.read_text()
        for path in sorted(defs.ROOT.rglob("*.yaml"))
        if path.name != "scenarios.yaml" and path.parent.name != "channels"
    }

    assert machine.post("/v1/definition_bundles", {"files": files}).status_code == 200


def test_a_desk_is_published_with_the_bundle_and_audited(machine: Caller, desk: Desk) -> None:
    text = "desk: Werkstatt\nlanguages: [en, ru, de]\n"

    assert published(machine, desk=text).status_code == 201
    entries = desk.rows("SELECT * FROM audit_entries WHERE action = 'definition_published' AND object_kind = 'desk'")
    [entry] = [one for one in entries if one["actor_kind"] == "api_key"]
    assert entry["object_id"] == "desk"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("desk", "desk: Werkstatt\ntexts: {password_reset: {en: 'Reset\\n\\nhttps://evil.example/?{link}'}}\n"),
        ("teams", "teams: {hr: {label: {en: HR, ru: Кадры}}}\n"),
    ],
)
def test_the_desk_and_its_teams_need_the_right_to_manage_users(
    gateway: Any, machine: Caller, path: str, text: str
) -> None:
    """The desk's texts stand in mails with links to sign in; a team's visibility decides who reads its tickets."""
    key = machine.made("/v1/api_keys", {"name": "publisher", "scopes": ["definitions_manage", "definitions_read"]})[
        "key"
    ]
    publisher = Caller(gateway, key)

    of_a_type = published(publisher, model__repair=TYPE.replace("repairs", "support"))
    of_all = published(publisher, **{path: text})

    assert of_a_type.status_code == 201
    problem(of_all, 403, "forbidden")
