"""The option `--all` and the markers `extended` and `on_request`: tests that take minutes run only when somebody asks.

Everybody runs the tests without the marker before each change. Soaks, drills, images and emulated machines carry the
marker, and CI runs them too. A file or a test that is named on the command line runs without `--all`.

A test with the marker `on_request` runs only when its file is named: it needs more of a machine than CI may count on,
such as a Debian archive and rights to start a system in a container.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

MARKER = "extended"
ON_REQUEST = "on_request"
_WORKER_OUTPUT = "nestor_left_out"
_left_out = pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--all",
        action="store_true",
        dest="run_extended",
        help="also run the tests marked `extended`: soaks, drills, images, emulated machines",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{MARKER}: takes minutes; runs with --all or when its file is named")
    config.addinivalue_line("markers", f"{ON_REQUEST}: runs only when its file is named")
    config.stash[_left_out] = 0


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the extended tests out, or move them to the end: the quick answers come first."""
    named = _named_files(config)
    on_request = [item for item in items if item.get_closest_marker(ON_REQUEST) is not None]
    extended = [item for item in items if item.get_closest_marker(MARKER) is not None]
    others = [item for item in items if item not in on_request and item not in extended]
    wanted = [item for item in extended if _all_wanted(config) or item.path in named]
    wanted += [item for item in on_request if item.path in named]
    left_out = [item for item in (*extended, *on_request) if item not in wanted]
    items[:] = [*others, *wanted]
    config.stash[_left_out] = len(left_out)
    if left_out:
        config.hook.pytest_deselected(items=left_out)


def _all_wanted(config: pytest.Config) -> bool:
    return bool(config.getoption("run_extended")) or MARKER in str(config.getoption("markexpr"))


def _named_files(config: pytest.Config) -> set[Path]:
    return {(config.invocation_params.dir / arg.partition("::")[0]).resolve() for arg in config.args}


def pytest_sessionfinish(session: pytest.Session) -> None:
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[_WORKER_OUTPUT] = session.config.stash[_left_out]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Every worker collects all tests and leaves out the same ones."""
    node.config.stash[_left_out] = getattr(node, "workeroutput", {}).get(_WORKER_OUTPUT, node.config.stash[_left_out])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if count := config.stash[_left_out]:
        terminalreporter.write_line(
            f"Left out: {count} extended tests; ./scripts/test --all runs them, except those marked `{ON_REQUEST}`."
        )
