"""Through a real gunicorn: /readyz tells whether the process can do its work, and in words why it cannot."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.kernel import settings
from tests.desk import Desk
from tests.functions.test_real_server import Server, serving
from tests.services.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = ["gateway", "webhooks", "tick"]


@pytest.fixture(params=FUNCTIONS)
def function(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def environment(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """For what the test changes; this process's own settings stay as they are."""
    yield monkeypatch
    settings.current.cache_clear()


def why_not(server: Server) -> str:
    """The reason in the problem document, once the first look is over."""

    def looked() -> bool:
        return "has just started" not in server.ask("GET", "/readyz").text

    wait_until(looked, within_s=20, what="the first look")
    answer = server.ask("GET", "/readyz")
    assert (answer.status_code, answer.headers["Content-Type"]) == (503, "application/problem+json")
    assert answer.headers["Retry-After"] == "2"
    assert answer.json()["code"] == "not_ready"
    return str(answer.json()["detail"])


@pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)
def test_a_database_without_a_schema_is_not_ready_until_it_is_migrated(
    environment: pytest.MonkeyPatch, desk: Desk, function: str, tmp_path: Path
) -> None:
    environment.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'late.db'}")

    with serving(function, desk, tmp_path, until="/healthz") as server:
        assert "the database has schema 0" in why_not(server)
        for _ in range(20):
            server.ask("GET", "/readyz")
        subprocess.run([sys.executable, "-m", "scripts.migrate"], cwd=ROOT, check=True, capture_output=True)
        wait_until(lambda: server.ask("GET", "/readyz").status_code == 200, within_s=30, what="a ready process")
        problems = [line for line in server.lines() if line["level"] not in ("debug", "info")]

    # A check while the migrations run finds a schema between the two, which is another reason.
    reasons = [line["reason"] for line in problems]
    assert {line["event"] for line in problems} == {"not_ready"}
    assert len(reasons) == len(set(reasons)), "each reason is logged once, however often it is asked for"


@pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)
def test_a_function_without_its_secret_key_is_not_ready(
    environment: pytest.MonkeyPatch, desk: Desk, function: str, tmp_path: Path
) -> None:
    environment.delenv("SECRET_KEY")

    with serving(function, desk, tmp_path, until="/healthz") as server:
        assert why_not(server).startswith("SECRET_KEY is not set")


@pytest.mark.postgresql
@pytest.mark.parametrize("database_engine", ["postgresql"], indirect=True)
def test_a_database_that_is_away_leaves_a_function_ready(
    environment: pytest.MonkeyPatch, desk: Desk, function: str, tmp_path: Path
) -> None:
    environment.setenv("DATABASE_URL", "postgresql://nobody:secret-word@127.0.0.1:1/nowhere")
    environment.setenv("TICK_TOKEN", "secret-tick")

    with serving(function, desk, tmp_path) as server:
        if function == "gateway":
            asked = server.ask("POST", "/v1/auth/tokens", json={"email": "a@example.test", "password": "x" * 12})
        elif function == "tick":
            asked = server.ask("POST", "/tick", headers={"Ce-Ticktoken": "secret-tick"})
        else:
            asked = server.ask("POST", "/webhooks/telegram/demo", json={})
        assert (asked.status_code, server.ask("GET", "/readyz").status_code) == (503, 200)
        told = [line for line in server.lines() if line["level"] in ("error", "critical")]

    assert told == [], "what is away and comes back is a warning"
