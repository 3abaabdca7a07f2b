"""A database that is away, or has another schema than ours: 503, worth a retry, nothing half-written, and back without
a restart.
"""

from __future__ import annotations

from typing import Any

import pytest

from models import migrations
from models.kernel import settings
from models.kernel.storage import database
from tests.desk import Desk
from tests.fixtures_desk import SECRETS, bind
from tests.functions.callers import DEMO_KEY, PASSWORD, Caller, problem
from tests.functions.test_webhooks import EMAIL, EMAIL_HEADERS, MAIL, TELEGRAM, TELEGRAM_HEADERS, update

AWAY = {
    "sqlite": "sqlite:////dev/null/nowhere/nestor.db",
    # Port 1 is nobody's; the connection is refused at once.
    "postgresql": "postgresql://nobody:secret-word@127.0.0.1:1/nowhere",
}
SIGN_IN = {"email": "agent@example.test", "password": PASSWORD}


def point_at(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    settings.current.cache_clear()
    bind(url)


def everything(gateway: Any, webhooks: Any, tick: Any) -> list[Any]:
    """One request to each kind of door that needs the database."""
    machine, stranger, provider = Caller(gateway, DEMO_KEY), Caller(gateway), Caller(webhooks)
    return [
        machine.get("/v1/tickets"),
        machine.post("/v1/tickets", {"title": "x"}),
        machine.post("/v1/tickets", {"title": "x"}, headers={"Idempotency-Key": "k"}),
        stranger.post("/v1/auth/tokens", SIGN_IN),
        stranger.post("/v1/auth/tokens/refresh", {"refresh_token": "00000000000070008000000000000000.x.y"}),
        provider.post(TELEGRAM, raw=update(), headers=TELEGRAM_HEADERS),
        provider.post(EMAIL, raw=MAIL, headers=EMAIL_HEADERS),
        Caller(tick).post("/tick", headers={"Ce-Ticktoken": "secret-tick"}),
    ]


@pytest.fixture
def apps(monkeypatch: pytest.MonkeyPatch, desk: Desk) -> tuple[Any, Any, Any]:
    from functions.gateway import app as gateway
    from functions.tick import app as tick
    from functions.webhooks import app as webhooks

    monkeypatch.setenv("TICK_TOKEN", "secret-tick")
    settings.current.cache_clear()
    return gateway.create_app(), webhooks.create_app(), tick.create_app()


def test_every_door_is_503_while_the_database_is_away_and_opens_again(
    apps: tuple[Any, Any, Any], desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    if desk.engine == "sqlite":
        monkeypatch.setattr("pathlib.Path.mkdir", lambda *a, **k: None)
    here = desk.settings.database_url

    point_at(AWAY[desk.engine], monkeypatch)
    away = everything(*apps)
    probes = [Caller(app).get("/readyz").status_code for app in apps]
    deep = [Caller(app).get("/healthz/deep") for app in apps]
    metrics = [Caller(app).get("/metrics").status_code for app in apps]
    point_at(here, monkeypatch)
    back = everything(*apps)

    for result in away:
        problem(result, 503, "unavailable")
        assert "secret" not in result.text
    assert probes == metrics == [200, 200, 200]
    for result in deep:
        assert (result.status_code, result.json["status"]) == (503, "failing")
        assert "secret" not in result.text
    assert [result.status_code for result in back] == [200, 201, 201, 201, 401, 200, 200, 200]


@pytest.mark.parametrize(
    "database_engine", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)  # SQLite is in this process: it cannot go away alone
def test_a_database_that_goes_in_the_middle_of_a_request_leaves_nothing(
    apps: tuple[Any, Any, Any], desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from models.ticket_actions import commands

    machine, real = Caller(apps[0], DEMO_KEY), commands.create

    def create_and_lose(*arguments: Any, **named: Any) -> Any:
        made = real(*arguments, **named)
        database.proxy.obj.connection().cursor().connection.close()
        return made

    monkeypatch.setattr(commands, "create", create_and_lose)
    lost = machine.post("/v1/tickets", {"title": "x"}, headers={"Idempotency-Key": "k"})
    monkeypatch.setattr(commands, "create", real)
    again = machine.post("/v1/tickets", {"title": "x"}, headers={"Idempotency-Key": "k"})

    problem(lost, 503, "unavailable")
    assert again.status_code == 201
    assert len(desk.tickets()) == 1


def test_an_empty_database_is_503_until_it_is_migrated(
    apps: tuple[Any, Any, Any], empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(f"NESTOR_SECRET_{name}", value)
    point_at(empty_database_url, monkeypatch)

    results = everything(*apps)

    for result in results:
        assert "scripts.migrate" in problem(result, 503, "schema_mismatch")["detail"]
    migrations.run()
    assert Caller(apps[0], DEMO_KEY).get("/v1/tickets").status_code == 401  # nobody is seeded, but the desk is there


def test_a_newer_schema_is_503_with_what_to_do(
    apps: tuple[Any, Any, Any], desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.command(
        database.execute,
        "INSERT INTO schema_migrations (version, name, min_program, applied_at) VALUES (9999, 'later', 9999, NOW())",
    )

    for result in everything(*apps):
        assert "newer" in problem(result, 503, "schema_mismatch")["detail"]
