"""/v1/audit: who may read it, filters, pages, CSV; refused rights become entries."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

from models.kernel import limits
from tests.functions.callers import Caller, problem, sqlite_only
from tests.functions.conftest import LogLines


def entries(machine: Caller, **parameters: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = machine.read("/v1/audit", params=parameters)["items"]
    return found


@sqlite_only
def test_a_refused_right_is_an_entry_with_actor_address_and_operation(
    machine: Caller, as_role: Callable[[str], Caller]
) -> None:
    caller = as_role("agent")
    me = caller.read("/v1/me")["id"]

    problem(caller.get("/v1/webhooks", headers={"User-Agent": "browser"}), 403, "forbidden")

    [entry] = entries(machine, action="access_refused", actor_id=me)
    assert (entry["outcome"], entry["object_id"], entry["actor_kind"]) == ("refused", "GET:/v1/webhooks", "api_key")
    assert (entry["user_agent"], entry["after"]) == ("browser", {"permission": "webhooks_manage"})
    assert entry["address"] == "127.0.0.1"
    assert entry["request_id"]


@sqlite_only
def test_repeated_refusals_of_one_operation_are_one_entry_a_minute(
    machine: Caller, as_role: Callable[[str], Caller]
) -> None:
    caller = as_role("agent")
    me = caller.read("/v1/me")["id"]

    for _ in range(20):
        caller.get("/v1/webhooks")
    caller.get("/v1/users")

    assert len(entries(machine, actor_id=me)) == 2


@sqlite_only
def test_only_the_permission_opens_the_trail(as_role: Callable[[str], Caller], stranger: Caller) -> None:
    for role in ("manager", "accountant", "agent"):
        problem(as_role(role).get("/v1/audit"), 403, "forbidden")
    problem(stranger.get("/v1/audit"), 401)


@sqlite_only
def test_csv_has_the_filters_and_links_to_its_next_part(machine: Caller, as_role: Callable[[str], Caller]) -> None:
    caller = as_role("agent")
    for path in ("/v1/webhooks", "/v1/users", "/v1/tasks"):
        caller.get(path)

    first = machine.get("/v1/audit.csv", params={"action": "access_refused", "limit": 2})

    assert first.headers["content-type"].startswith("text/csv")
    assert len(list(csv.DictReader(io.StringIO(first.text)))) == 2
    link = first.headers["link"]
    assert link.endswith('; rel="next"')
    second = machine.get(link[1 : link.index(">")])
    assert second.text.count("access_refused") == 1
    assert "link" not in second.headers
    assert len(entries(machine, action="audit_exported")) == 2


@sqlite_only
def test_a_malformed_filter_is_refused_with_its_place(machine: Caller) -> None:
    problem(machine.get("/v1/audit", params={"action": "dance"}), 422)
    problem(machine.get("/v1/audit", params={"since": "yesterday"}), 422)
    problem(machine.get("/v1/audit.csv", params={"limit": limits.audit_csv_rows_max + 1}), 422)


@sqlite_only
def test_request_lines_carry_the_callers_id_and_network_and_no_address(machine: Caller, log_lines: LogLines) -> None:
    me = machine.read("/v1/me")["id"]

    [line] = [line for line in log_lines.events("request") if line["route"] == "/v1/me"]

    assert (line["caller"], line["network"]) == (f"api_key:{me}", "127.0.0.0/24")
    assert "127.0.0.1" not in str(line)
