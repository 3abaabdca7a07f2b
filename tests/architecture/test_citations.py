"""Citations lead somewhere: a reader of the repository can open every source that it names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.architecture.code import REPOSITORY
from tests.architecture.test_repository import tracked

# Papers that stood outside the repository. Taken apart, so that this file does not cite them either.
PAPERS = ("DES" + "IGN", "ING" + "RESS", "ENG" + "INE", "KNA" + "TIVE", "STY" + "LE", "CON" + "SOLE")
_PAPER = re.compile(rf"\b(?:{'|'.join(PAPERS)})(?:\.md)?\b")
_TEXT = (".py", ".md", ".toml", ".yaml", ".yml", ".sh", ".ini", ".txt", ".html", ".js", ".css", "")
# Names in capitals that are not papers: a constant of the same spelling, and placeholders of a test.
_CONSTANTS = {
    "tests/scripts/check_manifests/test_shipped.py": "KNA" + "TIVE",
    "tests/queues/channels/email/writing/test_email_markdown.py": "STY" + "LE",
}
# Pages that tell the past, so they name files that have moved since.
HISTORY = ("DECISIONS.md", "CHANGELOG.md")
# Files of other projects, and names with a placeholder.
ELSEWHERE = ("config/core/", "models/migrations/NNNN_")
_FILE = re.compile(r"`((?:[\w.-]+/)*[\w-]+\.(?:py|md|yaml|toml|sh))`")


def _cited(text: str) -> list[str]:
    return [match[0] for match in _PAPER.finditer(text)]


def test_no_file_cites_a_paper_that_is_not_in_the_repository() -> None:
    """Nobody who has only the repository can open such a source; the fact or its public source belongs in its place."""
    found = [
        f"{shown}: {citation}"
        for path in tracked()
        if path.suffix in _TEXT
        for shown in [path.relative_to(REPOSITORY).as_posix()]
        for citation in _cited(path.read_text(encoding="utf-8", errors="replace"))
        if not citation.startswith(_CONSTANTS.get(shown, "\0"))
    ]

    assert found == []


@pytest.mark.parametrize(
    "ending", [" 1.3", ".md 0.3", " X3", " 3c", ".md", ")", "'s failure matrix", " allows at most"]
)
def test_a_citation_is_recognised_in_each_form(ending: str) -> None:
    assert all(_cited(f"a fact ({paper}{ending}") for paper in PAPERS)


def test_pages_name_only_files_that_exist() -> None:
    """A page that sends its reader to a file which has moved costs them the search that the page should spare."""
    paths = [f"/{path.relative_to(REPOSITORY).as_posix()}" for path in tracked()]

    dead = [
        f"{page.relative_to(REPOSITORY)}: {name}"
        for page in tracked()
        if page.suffix == ".md" and page.name not in HISTORY
        for name in sorted(set(_FILE.findall(page.read_text(encoding="utf-8"))))
        if not name.startswith(ELSEWHERE)
        and not any(path.endswith(f"/{name}") for path in paths)
        and not (page.parent / name).exists()
    ]

    assert dead == []


def test_docstrings_name_only_modules_that_exist() -> None:
    """`reply_lines.py` in a docstring is a signpost; after a move it points at nothing."""
    paths = [f"/{path.relative_to(REPOSITORY).as_posix()}" for path in tracked()]

    dead = [
        f"{path.relative_to(REPOSITORY)}: {name}"
        for path in tracked()
        if path.suffix == ".py" and Path("tests") not in path.relative_to(REPOSITORY).parents
        for name in sorted(set(_FILE.findall(path.read_text(encoding="utf-8"))))
        if name.endswith((".py", ".md")) and not any(known.endswith(f"/{name}") for known in paths)
    ]

    assert dead == []
