"""The notice settings of a user: own, seen by admins, defaults until they are changed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.desk import Desk
from tests.functions.callers import Caller, paths, problem, sqlite_only

pytestmark = sqlite_only
PATH = "/v1/me/notice_settings"


def test_a_user_reads_the_defaults_and_replaces_them(agent: Caller) -> None:
    before = agent.read(PATH)
    body = {
        "ways": {"new_work": ["mail", "chat"], "assigned": []},
        "quiet_hours": {"begins": "20:00", "ends": "07:00", "days": ["sun"]},
        "digest": {"mail": "daily"},
        "digest_at": "06:30",
        "time_zone": "Europe/Berlin",
        "follow_when_mentioned": True,
    }

    changed = agent.ask("PUT", PATH, body).json

    assert before["ways"]["assigned"] == ["mail"]
    assert before["ways"]["new_work"] == []
    assert before["quiet_hours"] is None
    assert (before["digest"], before["time_zone"]) == ({"mail": "none", "chat": "none"}, "UTC")
    assert changed == {
        "ways": before["ways"] | {"new_work": ["chat", "mail"], "assigned": []},
        "quiet_hours": body["quiet_hours"],
        "digest": {"mail": "daily", "chat": "none"},
        "digest_at": "06:30",
        "time_zone": "Europe/Berlin",
        "follow_when_mentioned": True,
    }
    assert agent.read(PATH) == changed
    assert agent.ask("PUT", PATH, {}).json == before


def test_an_admin_reads_the_settings_of_a_user_and_others_do_not(
    desk: Desk, agent: Caller, as_user: Callable[[str], Caller]
) -> None:
    agent.ask("PUT", PATH, {"time_zone": "Asia/Tokyo"})
    path = f"/v1/users/{desk.person('agent').id}/notice_settings"

    assert as_user("admin").read(path)["time_zone"] == "Asia/Tokyo"
    problem(as_user("manager").get(path), 403)
    problem(as_user("admin").get("/v1/users/00000000-0000-7000-8000-000000000000/notice_settings"), 404)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"time_zone": "Europe/Atlantis"}, "/time_zone"),
        ({"quiet_hours": {"begins": "20:00", "ends": "20:00"}}, "/quiet_hours/ends"),
        ({"digest_at": "8 o'clock"}, "/digest_at"),
        ({"ways": {"weather": ["mail"]}}, "/ways"),
        ({"ways": {"assigned": ["pigeon"]}}, "/ways"),
    ],
)
def test_settings_that_cannot_be_followed_are_refused_and_change_nothing(
    agent: Caller, body: dict[str, object], path: str
) -> None:
    before = agent.read(PATH)

    refused = problem(agent.ask("PUT", PATH, body), 422)

    assert [one.startswith(path) for one in paths(refused)] == [True]
    assert agent.read(PATH) == before


def test_an_api_key_has_no_notice_settings(machine: Caller) -> None:
    assert "sign in as a user" in problem(machine.get(PATH), 409)["detail"]
    problem(machine.ask("PUT", PATH, {"digest": {}}), 409)
