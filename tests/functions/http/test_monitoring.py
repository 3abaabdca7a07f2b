"""/metrics, /healthz/deep and /docs need MONITOR_TOKEN outside of the demo, and metrics have a bounded size."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from falcon import testing

from functions.gateway.app import operations
from functions.http import web
from models.kernel import settings
from models.kernel.settings import Settings
from tests.desk import Desk
from tests.functions.callers import sqlite_only

PAGES = ("/metrics", "/healthz/deep", "/docs")
TOKEN = "token-of-the-monitoring-program"

pytestmark = sqlite_only


def client(desk: Desk, **configured: Any) -> testing.TestClient:
    base = settings.current()
    config = Settings(secret_key=base.secret_key, database_url=base.database_url, **configured)
    return testing.TestClient(web.create_app("gateway", operations(), configured=config))


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"prometheus:{password}".encode()).decode()


def test_the_pages_open_with_the_token_alone(desk: Desk) -> None:
    asked = client(desk, monitor_token=TOKEN)

    for path in PAGES:
        for refused in ("", f"Bearer {TOKEN}x", "Bearer ", "Bearer demo-key", basic(""), basic("x"), "Basic %%%"):
            answer = asked.simulate_get(path, headers={"Authorization": refused} if refused else {})
            assert answer.status_code == 401, (path, refused)
            assert "Basic" in answer.headers["WWW-Authenticate"]
        for accepted in (f"Bearer {TOKEN}", basic(TOKEN)):
            assert asked.simulate_get(path, headers={"Authorization": accepted}).status_code == 200, path


def test_without_a_token_the_pages_are_closed_and_probes_are_open(desk: Desk) -> None:
    asked = client(desk)

    for path in PAGES:
        for header in ("Bearer ", basic(""), "Bearer"):
            assert asked.simulate_get(path, headers={"Authorization": header}).status_code == 401
    assert asked.simulate_get("/healthz").status_code == 200
    assert asked.simulate_get("/openapi.json").status_code == 200


def test_the_demo_opens_them(desk: Desk) -> None:
    asked = client(desk, monitor_open=True)

    assert [asked.simulate_get(path).status_code for path in PAGES] == [200, 200, 200]


@pytest.mark.filterwarnings("ignore:Unknown REQUEST_METHOD")
def test_strange_methods_and_paths_make_no_series(desk: Desk) -> None:
    """They made 2.5 MB of series."""
    asked = client(desk, monitor_open=True)
    paths = {operation.path.replace("{", "").replace("}", "") for operation in operations().all}
    for path in sorted(paths):
        asked.simulate_request("GET", path)
    before = series(asked)

    for path in sorted(paths):
        for method in ("BREW", "PROPFIND", "COPY", "TRACE", "CONNECT", "OPTIONS", "REPORT", "PUT", "DELETE", "POST"):
            asked.simulate_request(method, f"{path}", protocol="http")
        asked.simulate_get(f"/{path.strip('/')}/nowhere-{len(path)}")

    more = series(asked) - before
    assert {line for line in more if "PROPFIND" in line or "BREW" in line or "nowhere" in line} == set()
    declared = {(operation.method, operation.path) for operation in operations().all}
    assert {
        (line.split('method="')[1].split('"')[0], line.split('route="')[1].split('"')[0])
        for line in more
        if 'route="(unknown)"' not in line and 'route="/v1' in line
    } <= declared


def series(asked: testing.TestClient) -> set[str]:
    """The names and labels of the request counters."""
    lines = asked.simulate_get("/metrics").text.splitlines()
    return {line.partition(" ")[0] for line in lines if line.startswith("nestor_http_request_seconds_count")}
