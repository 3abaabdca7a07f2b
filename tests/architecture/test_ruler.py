"""One ruler: no line of Python has more than 120 columns, docstrings, comments and texts included."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePosixPath

import pytest

from tests.architecture.code import REPOSITORY
from tests.architecture.test_repository import tracked

COLUMNS_MAX = 120
# Folders that still have longer lines. A number may only shrink.
LONGER: dict[str, int] = {
    "functions": 2,
    "models/blobs": 1,
    "models/channels": 2,
    "models/events": 1,
    "models/infomodel": 2,
    "models/kernel": 2,
    "models/migrations": 56,
    "models/publishing": 2,
    "models/subscriptions": 1,
    "models/tasks": 5,
    "models/ticket_workflow": 1,
    "models/workflow": 9,
    "queues": 2,
    "queues/channels/email": 10,
    "queues/pulling": 1,
    "queues/wakeups": 1,
    "tests/faults": 1,
    "tests/functions": 3,
    "tests/models/deliveries": 1,
    "tests/models/expressions": 1,
    "tests/models/migrations": 1,
    "tests/models/staff_chat": 2,
    "tests/queues/channels": 17,
}


def folder_of(path: PurePosixPath) -> str:
    """The folder that a file is counted in: two levels, three below queues/channels and the mirrors of tests/."""
    depth = 3 if path.parts[:2] in {("queues", "channels"), ("tests", "models"), ("tests", "queues")} else 2
    return "/".join(path.parts[: min(depth, len(path.parts) - 1)])


def _long_lines() -> Counter[str]:
    return Counter(
        folder_of(PurePosixPath(path.relative_to(REPOSITORY).as_posix()))
        for path in tracked()
        if path.suffix == ".py"
        for line in path.read_text(encoding="utf-8").split("\n")
        if len(line) > COLUMNS_MAX
    )


def test_no_folder_has_more_long_lines_than_it_had() -> None:
    """A line that runs out of the window is read by scrolling, or not at all."""
    found = {folder: count for folder, count in _long_lines().items() if count > LONGER.get(folder, 0)}

    assert found == {}


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        ("scripts/bench/load.py", "scripts/bench"),
        ("scripts/replay.py", "scripts"),
        ("queues/channels/email/send.py", "queues/channels/email"),
        ("queues/runner.py", "queues"),
        ("tests/models/tasks/test_rates.py", "tests/models/tasks"),
    ],
)
def test_a_file_is_counted_in_its_folder(path: str, folder: str) -> None:
    assert folder_of(PurePosixPath(path)) == folder
