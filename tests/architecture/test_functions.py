"""The list of functions agrees with the folders, with the operations and with the commands that start functions."""

from __future__ import annotations

import re
import sys
from types import ModuleType
from typing import Any

import pytest
from falcon import testing

from functions import listing
from functions.http import web
from functions.http.operations import Answer, Call, Operations
from functions.listing import Function
from models.kernel.settings import Settings
from tests.architecture.code import REPOSITORY

COMMANDS = [REPOSITORY / "compose.yaml", REPOSITORY / "Dockerfile", *(REPOSITORY / "knative").rglob("*.yaml")]
_FACTORY = re.compile(r"functions\.\w+\.\w+:\w+\(\)")
CONFIG = Settings(secret_key="a key of forty-two characters for the test", database_url="sqlite:///:memory:")


def test_every_folder_with_an_application_is_listed() -> None:
    folders = {path.parent.name for path in (REPOSITORY / "functions").glob("*/app.py")}

    assert {function.name for function in listing.FUNCTIONS} == folders


def test_each_function_serves_paths_of_its_own() -> None:
    paths = [path for function in listing.FUNCTIONS if not function.rest for path in function.paths]

    assert len(paths) == len(set(paths))
    assert [(a, b) for a in paths for b in paths if a != b and a.startswith(b)] == []


@pytest.mark.parametrize("function", listing.FUNCTIONS, ids=lambda function: function.name)
def test_the_operations_of_a_function_are_under_its_paths(function: Function) -> None:
    """The embedded desk routes by these prefixes: an operation outside them would only exist in production."""
    module: Any = __import__(f"functions.{function.name}.app", fromlist=["operations"])
    operations = module.operations() if function is listing.MAIN else module.operations(CONFIG)

    assert [o.path for o in operations.all if not o.path.startswith(function.paths)] == []


def test_commands_start_listed_functions_and_production_starts_all() -> None:
    factories = {function.factory for function in listing.FUNCTIONS}
    started = {path: set(_FACTORY.findall(path.read_text(encoding="utf-8"))) for path in COMMANDS}

    assert {path.name: found - factories for path, found in started.items() if found - factories} == {}
    base = REPOSITORY / "knative" / "base"
    assert set().union(*(found for path, found in started.items() if path.parent == base)) == factories


def test_a_folder_and_a_line_in_the_list_add_a_function(monkeypatch: pytest.MonkeyPatch) -> None:
    # given: an application in a folder of its own, and its line
    for name, answer in (("first", "of the first"), ("second", "of the second")):
        module = ModuleType(f"functions.{name}.app")
        module.create_app = _factory(name, answer)  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, module.__name__, module)
    first, second = Function("first", ("/first",)), Function("second", ("/second",))

    # when
    client = testing.TestClient(listing.mounted((first, second), first))

    # then: each path reaches its function, and any other the main one
    assert client.simulate_get("/first").text == "of the first"
    assert client.simulate_get("/second").text == "of the second"
    assert client.simulate_get("/healthz").json["function"] == "first"


def _factory(name: str, answer: str) -> Any:
    def create_app() -> Any:
        operations = Operations()

        @operations.add("GET", f"/{name}", summary="Get", answers={200: str}, public=True, unlocked=True)
        def get(call: Call) -> Answer:
            return Answer(raw=answer.encode(), content_type="text/plain")

        return web.create_app(name, operations, configured=CONFIG)

    return create_app
