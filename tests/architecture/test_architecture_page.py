"""ARCHITECTURE.md names the files and tests that prove what it says: a page that cites a renamed
test proves nothing.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = (REPOSITORY / "ARCHITECTURE.md").read_text(encoding="utf-8")
FOLDERS = ("models", "queues", "functions", "scripts", "tests", "workflow_defs", "knative")
FILES = [
    path.relative_to(REPOSITORY).as_posix()
    for folder in FOLDERS
    for path in (REPOSITORY / folder).rglob("*")
    if path.is_file()
]
# Cells such as: `tests/faults/test_broker.py` `test_a_broker_that_is_stopped_...`
CITED_FILES = sorted({name for name in re.findall(r"`([\w/]+\.(?:py|yaml))`", PAGE) if "NNNN" not in name})
CITED_TESTS = sorted(set(re.findall(r"`(?:[\w/.]+ )?(test_\w+?)(?:_?\.\.\.)?`", PAGE)))
TESTS = {
    name
    for path in (REPOSITORY / "tests").rglob("test_*.py")
    for name in re.findall(r"^(?:async )?def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
}


def test_the_page_is_read_as_it_is_written() -> None:
    assert len(CITED_FILES) > 15
    assert len(CITED_TESTS) > 20


@pytest.mark.parametrize("cited", CITED_FILES)
def test_a_cited_file_exists(cited: str) -> None:
    assert [name for name in FILES if f"/{name}".endswith(f"/{cited}")], "no such file"


@pytest.mark.parametrize("cited", CITED_TESTS)
def test_a_cited_test_exists(cited: str) -> None:
    assert [name for name in TESTS if name.startswith(cited)], "no test of which this is the beginning"


@pytest.mark.parametrize("row", [line for line in PAGE.splitlines() if line.startswith("| ")])
def test_a_test_cited_with_its_file_is_in_that_file(row: str) -> None:
    for file, names in re.findall(r"`(tests/[\w/]+\.py)`((?:,? `test_\w+?_?(?:\.\.\.)?`)+)", row):
        source = (REPOSITORY / file).read_text(encoding="utf-8")
        for name in re.findall(r"`(test_\w+?)(?:_?\.\.\.)?`", names):
            assert f"def {name}" in source, f"{file} has no {name}"
