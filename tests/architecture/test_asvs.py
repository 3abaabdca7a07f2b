"""SECURITY.md's table of OWASP ASVS: every requirement of levels 1 and 2 once, with a known status and a proof that
exists. A proof that names a renamed test proves nothing.
"""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tests.architecture.code import REPOSITORY

PAGE = (REPOSITORY / "SECURITY.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("\n## OWASP ASVS 5.0.0")[2]
ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| ([^|]*) \| (.*) \|$", re.MULTILINE)
ROWS: list[tuple[str, str, str]] = ROW.findall(SECTION)
STATUSES = {"met", "not applicable", "open"}
# Requirements of levels 1 and 2 of version 5.0.0, by chapter; 70 of level 1 and 183 of level 2.
BY_CHAPTER = {
    1: 27, 2: 11, 3: 19, 4: 10, 5: 9, 6: 35, 7: 18, 8: 7, 9: 7,
    10: 29, 11: 14, 12: 9, 13: 13, 14: 9, 15: 13, 16: 16, 17: 7,
}  # fmt: skip
# Requirements of level 3. They have ids between the others, and are not part of the table.
LEVEL_3 = set(
    re.findall(
        r"\S+",
        """
        1.2.10 1.3.12 1.5.3 2.3.5 2.4.2 3.1.1 3.2.3 3.3.5 3.4.7 3.4.8 3.5.6 3.5.7 3.5.8 3.6.1 3.7.3 3.7.4 3.7.5
        4.1.4 4.1.5 4.2.2 4.2.3 4.2.4 4.2.5 5.2.4 5.2.5 5.2.6 5.3.3 6.3.5 6.3.6 6.3.7 6.3.8 6.4.5 6.4.6 6.5.6
        6.5.7 6.5.8 6.6.4 6.7.1 6.7.2 7.5.3 8.1.3 8.1.4 8.2.4 8.3.2 8.3.3 8.4.2 10.2.3 10.3.5 10.4.12 10.4.13
        10.4.14 10.4.15 10.4.16 11.1.3 11.1.4 11.2.4 11.2.5 11.3.4 11.3.5 11.5.2 11.6.2 11.7.1 11.7.2 12.1.4
        12.1.5 12.3.5 13.1.2 13.1.3 13.1.4 13.2.6 13.3.3 13.3.4 13.4.6 13.4.7 14.2.5 14.2.6 14.2.7 14.2.8 15.1.4
        15.1.5 15.2.4 15.2.5 15.4.1 15.4.2 15.4.3 15.4.4 16.5.4 17.1.2 17.2.5 17.2.6 17.2.7 17.2.8
        """,
    )
)
CITED = re.compile(r"`((?:[\w.-]+/)*[\w.-]+\.(?:py|md|txt|toml|yaml)|models/[\w/]+)`((?: `test_\w+`)*)")
_ANCHOR = re.compile(r"\]\(#([\w-]+)\)")


def test_every_requirement_of_levels_1_and_2_has_one_row() -> None:
    ids = [number for number, _, _ in ROWS]

    assert [number for number, count in Counter(ids).items() if count > 1] == []
    assert Counter(int(number.partition(".")[0]) for number in ids) == BY_CHAPTER
    assert sum(BY_CHAPTER.values()) == 253
    assert set(ids).isdisjoint(LEVEL_3)
    assert ids == sorted(ids, key=lambda number: [int(part) for part in number.split(".")])


def test_levels_1_to_3_leave_no_gap_in_the_ids() -> None:
    """A missing id would be a requirement that nobody looked at."""
    known = {tuple(map(int, number.split("."))) for number in LEVEL_3.union(number for number, _, _ in ROWS)}

    assert len(known) == 345
    for chapter, section, number in known:
        assert number == 1 or (chapter, section, number - 1) in known
        assert section == 1 or any((chapter, section - 1) == other[:2] for other in known)


def test_no_line_of_the_table_is_read_wrongly() -> None:
    lines = [line for line in SECTION.splitlines() if re.match(r"\| \d", line)]

    assert len(lines) == len(ROWS)


def test_the_page_counts_its_statuses() -> None:
    counted = Counter(status for _, status, _ in ROWS)

    assert set(counted) <= STATUSES
    told = re.search(r"All (\d+) .*?: (\d+) met, (\d+) not applicable,\s+(\d+) open", SECTION, re.DOTALL)
    assert told is not None
    assert [int(number) for number in told.groups()] == [len(ROWS), *(counted[s] for s in sorted(STATUSES))]


@pytest.mark.parametrize("row", ROWS, ids=[number for number, _, _ in ROWS])
def test_a_row_says_why_and_names_what_exists(row: tuple[str, str, str]) -> None:
    _, status, proof = row
    cited = CITED.findall(proof)

    assert len(proof) >= 8
    assert status != "met" or cited or _ANCHOR.search(proof), "a met requirement names its proof"
    for path, tests in cited:
        file = REPOSITORY / path
        assert file.exists(), path
        for name in re.findall(r"`(test_\w+)`", tests):
            assert re.search(rf"^def {name}\b", file.read_text(encoding="utf-8"), re.MULTILINE), f"{path} has no {name}"
    for anchor in _ANCHOR.findall(proof):
        assert any(_anchor_of(line) == anchor for line in PAGE.splitlines() if line.startswith("#")), anchor


def _anchor_of(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lstrip("# ").lower()).replace(" ", "-")
