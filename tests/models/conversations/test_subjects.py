"""The subject of an answer stays readable, however often a thread went to and fro."""

from __future__ import annotations

import pytest

from models.conversations.messages import _subject


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Printer", "Re: Printer [#7]"),
        ("Re: Printer", "Re: Printer [#7]"),
        ("AW: Re[2]: Printer [#3]", "Re: Printer [#7]"),
        ("Re:", "Re: Re: [#7]"),
        ("Reply needed", "Re: Reply needed [#7]"),
    ],
)
def test_an_answers_subject_has_one_prefix_and_one_mark(title: str, expected: str) -> None:
    assert _subject(title, 7) == expected
