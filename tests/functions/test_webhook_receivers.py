"""Who may choose the receiver of a webhook: it reads what the webhook's owner sees."""

from __future__ import annotations

from typing import Any

from tests.desk import Desk
from tests.functions.callers import Caller, problem, sqlite_only
from tests.functions.conftest import sign_in

NEW = {"url": "https://hooks.example.com/desk", "event_types": ["message_added"], "include_bodies": True}
ELSEWHERE = {"url": "https://elsewhere.example.com/"}
ANY_VERSION = {"If-Match": "*"}


def key_of(gateway: Any, machine: Caller, **more: Any) -> Caller:
    return Caller(gateway, machine.made("/v1/api_keys", {"name": "a key for a test", **more})["key"])


def keeper_of_webhooks(gateway: Any, machine: Caller) -> Caller:
    """A person who manages webhooks and does not see the tickets of all teams."""
    permissions = ["tickets_read", "webhooks_manage"]
    machine.made("/v1/roles", {"name": "keeper", "permissions": permissions})
    person = {"email": "keeper@example.test", "name": "Kim Keeper", "password": "secret-parrot-word"}
    machine.made("/v1/users", person | {"role": "keeper"})
    return sign_in(gateway, "keeper@example.test", "secret-parrot-word")[0]


@sqlite_only
def test_a_key_makes_no_webhook_that_reads_more_than_the_key(gateway: Any, machine: Caller) -> None:
    # given an administrator's keys: one may not read tickets, the other not those of all teams
    for scopes in (["webhooks_manage"], ["webhooks_manage", "tickets_read"]):
        narrow = key_of(gateway, machine, scopes=scopes)

        problem(narrow.post("/v1/webhooks", NEW), 403, "forbidden")

    assert machine.read("/v1/webhooks")["items"] == []
    wide = key_of(gateway, machine, scopes=["webhooks_manage", "tickets_read", "tickets_see_all"])
    assert wide.post("/v1/webhooks", NEW).status_code == 201


@sqlite_only
def test_nobody_redirects_a_webhook_that_reads_more_than_they_do(gateway: Any, machine: Caller) -> None:
    keeper = keeper_of_webhooks(gateway, machine)
    path = f"/v1/webhooks/{machine.made('/v1/webhooks', NEW | {'include_bodies': False})['id']}"

    for changes in (ELSEWHERE, {"include_bodies": True}, {"event_types": ["*"]}, {"active": True}):
        problem(keeper.ask("PATCH", path, changes, headers=ANY_VERSION), 403, "forbidden")

    assert machine.read(path)["url"] == NEW["url"]
    # A person who may manage webhooks can always switch one off.
    assert keeper.ask("PATCH", path, {"active": False}, headers=ANY_VERSION).status_code == 200


@sqlite_only
def test_people_redirect_the_webhooks_that_read_what_they_see(gateway: Any, machine: Caller) -> None:
    keeper = keeper_of_webhooks(gateway, machine)
    path = f"/v1/webhooks/{keeper.made('/v1/webhooks', NEW)['id']}"

    assert keeper.ask("PATCH", path, ELSEWHERE, headers=ANY_VERSION).status_code == 200
    assert machine.ask("PATCH", path, {"url": NEW["url"]}, headers=ANY_VERSION).status_code == 200


@sqlite_only
def test_a_key_with_the_sight_of_another_person_needs_the_right_to_manage_users(
    gateway: Any, machine: Caller, desk: Desk
) -> None:
    permissions = ["tickets_read", "api_keys_manage"]
    machine.made("/v1/roles", {"name": "key-keeper", "permissions": permissions})
    person = {"email": "keys@example.test", "name": "Kim Keys", "password": "secret-parrot-word"}
    machine.made("/v1/users", person | {"role": "key-keeper"})
    keeper = sign_in(gateway, "keys@example.test", "secret-parrot-word")[0]
    wanted = {"name": "another's sight", "role": "key-keeper"}

    refused = keeper.post("/v1/api_keys", wanted | {"owner_id": str(desk.person("admin").id)})

    problem(refused, 403, "more_than_yours")
    assert keeper.post("/v1/api_keys", wanted).status_code == 201
