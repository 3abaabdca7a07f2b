"""The repository as a whole: its pages are there, its links lead somewhere, its manifests are current."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.code import REPOSITORY

PAGES = ("README.md", "ARCHITECTURE.md", "DECISIONS.md", "GLOSSARY.md", "CONTRIBUTING.md", "CHANGELOG.md")
_timeout_s = 120.0
# Taken apart, so that this file does not name them either.
REGISTRIES = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("docker", "io"),
        ("ghcr", "io"),
        ("quay", "io"),
        ("gcr", "io"),
        ("pkg", "dev"),
        ("deb", "debian", "org"),
        ("crates", "io"),
        ("rubygems", "org"),
    )
)
_BINARY = (".png", ".jpg", ".ico", ".woff2", ".gz", ".zip", ".pdf", ".bin", ".eml")


def tracked() -> list[Path]:
    """Files under version control; every file of the program's folders in a copy without git (scripts/test's
    container).
    """
    if (REPOSITORY / ".git").exists():
        listed = subprocess.run(
            ["git", "-c", f"safe.directory={REPOSITORY}", "ls-files", "-z"],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=True,
            timeout=_timeout_s,
        ).stdout
        found = [REPOSITORY / name for name in listed.split("\0") if name]
    else:
        found = [p for p in REPOSITORY.rglob("*") if not {".venv", "var", "__pycache__"} & set(p.parts)]
    return [path for path in found if path.is_file()]


def test_no_file_names_a_package_registry() -> None:
    """Where packages come from is the machine's business: a mirror, an air gap. A name in a file overrules its
    operator.
    """
    naming = re.compile("|".join(re.escape(name) for name in REGISTRIES))
    found = [
        f"{path.relative_to(REPOSITORY)}: {match[0]}"
        for path in tracked()
        if path.suffix not in _BINARY
        for match in naming.finditer(path.read_text(encoding="utf-8", errors="replace"))
    ]

    assert found == []


@pytest.mark.parametrize("page", PAGES)
def test_the_page_is_there_and_says_something(page: str) -> None:
    text = (REPOSITORY / page).read_text(encoding="utf-8")

    assert text.startswith("# ")
    assert len(text.splitlines()) > 5


_LINK = re.compile(r"\[[^\]]*\]\((?!https?:|mailto:)([^)#\s]+)(?:#[^)\s]*)?\)")


@pytest.mark.parametrize(
    "page", [p for p in tracked() if p.suffix == ".md"], ids=lambda p: str(p.relative_to(REPOSITORY))
)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    """A map with a dead end sends the next reader away."""
    dead = [link for link in _LINK.findall(page.read_text(encoding="utf-8")) if not (page.parent / link).exists()]

    assert dead == []


def test_pages_name_verbs_that_exist() -> None:
    """`python -m scripts.x` in a page is what somebody will type at three in the morning."""
    verbs = re.compile(r"python -m (scripts|queues)\.([a-z_]+(?:\.[a-z_]+)*)")
    missing = {
        f"{page.relative_to(REPOSITORY)}: {folder}.{verb}"
        for page in tracked()
        if page.suffix in (".md", ".yaml", ".sh") or page.parent.name == "scripts"
        for folder, verb in verbs.findall(page.read_text(encoding="utf-8", errors="replace"))
        if not (REPOSITORY / folder / f"{verb.replace('.', '/')}.py").exists()
        and not (REPOSITORY / folder / verb.replace(".", "/") / "__main__.py").exists()
    }

    assert missing == set()


def test_the_manifests_are_current() -> None:
    """The command as CI calls it; its rules have their own tests in tests/scripts/check_manifests."""
    done = subprocess.run(
        [sys.executable, "-m", "scripts.check_manifests"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=_timeout_s,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_package_says_why_it_exists() -> None:
    """The paragraph in `__init__.py` is the map's legend."""
    silent = [
        str(path.relative_to(REPOSITORY))
        for folder in ("models", "queues", "functions", "scripts")
        for path in (REPOSITORY / folder).rglob("__init__.py")
        if not path.read_text(encoding="utf-8").startswith('"""')
    ]

    assert silent == []


def test_decisions_have_consecutive_numbers() -> None:
    numbers = re.findall(r"^## ([0-9]+)\. ", (REPOSITORY / "DECISIONS.md").read_text(encoding="utf-8"), re.MULTILINE)

    assert [int(one) for one in numbers] == list(range(1, len(numbers) + 1))
