"""The fixture `tell`: figures that a test measured, printed at the end of the run, also when it passed.

Printing past the capture does not reach the terminal from a worker of pytest-xdist; a property of the report does.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

Tell = Callable[[str], None]
_PROPERTY = "evidence"


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Tell:
    """Keep a line for the end of the run; a failure's captured output has it too."""

    def say(line: str) -> None:
        print(line)
        request.node.user_properties.append((_PROPERTY, line))

    return say


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    lines = [line for report in reports for name, line in report.user_properties if name == _PROPERTY]
    if lines:
        terminalreporter.write_sep("=", "measured")
        for line in lines:
            terminalreporter.write_line(line)
