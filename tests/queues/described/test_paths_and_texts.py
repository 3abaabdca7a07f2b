"""Paths and texts with places: small, bounded, and nothing in them is ever run."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queues.described import limits, paths, texts

EVENT = {"a": {"b": [{"c": 1}, {"c": None}, {"c": "x"}], "x y": True, "d.e": 2}, "list": [1, 2, 3]}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$", [EVENT]),
        ("$.a.b[0].c", [1]),
        ("$.a.b[-1].c", ["x"]),
        ("$.a.b[*].c", [1, None, "x"]),
        ("$.a['x y']", [True]),
        ('$["a"]["d.e"]', [2]),
        ("$.list[*]", [1, 2, 3]),
        ("$.list[9]", []),
        ("$.list[-4]", []),
        ("$.a.nothing.more", []),
        ("$.list.a", []),
        ("$.a[0]", []),
        ("$.a.b[0].c.d", []),
        ("$.a['b'][*]['c']", [1, None, "x"]),
    ],
)
def test_a_path_finds_what_it_names(path: str, found: list[Any]) -> None:
    assert paths.every(paths.read(path), EVENT) == found


@pytest.mark.parametrize(
    "path",
    [
        "",
        "a.b",
        "$a",
        "$.",
        "$..a",
        "$.a[",
        "$.a[?(@.b)]",
        "$.a[0:2]",
        "$.a['b]",
        "$.a[b]",
        "$.a b",
        "$.a[1e3]",
        "$" + ".a" * 30,
        "$." + "a" * 400,
        "$.a[(1)]",
        "$.a[99999999]",
    ],
)
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(paths.BadPath):
        paths.read(path)


def test_stars_under_stars_stay_bounded() -> None:
    wide: Any = [[[list(range(100))] * 100] * 100] * 100
    started = time.process_time()

    found = paths.every(paths.read("$" + "[*]" * 5), wide)

    assert len(found) <= limits.values_max
    assert time.process_time() - started < 1


def filled(text: str, document: Any) -> str:
    return texts.fill(text, texts.in_event(document))


def test_places_are_filled_and_an_absent_value_has_its_default() -> None:
    text = "{{ $.a.b[0].c }}/{{$.nothing|none}}/{{ $.nothing }}/{{ $.list }}/{{ $.a['x y'] }}"

    assert filled(text, EVENT) == "1/none//[1, 2, 3]/true"


def test_what_a_stranger_wrote_is_never_read_as_a_place() -> None:
    assert filled("{{ $.a }}{{ $.b }}", {"a": "{{ $.b }}", "b": "secret"}) == "{{ $.b }}secret"


@pytest.mark.parametrize(
    "text",
    [
        "{{",
        "}}",
        "{{ $.a",
        "{{ $..a }}",
        "{{ a() }}",
        "{{ A }}",
        "{{ 7*7 }}",
        "{{ __class__ }}",
        "{% if x %}{{ }}",
    ],
)
def test_a_broken_place_is_refused(text: str) -> None:
    with pytest.raises(texts.BadText):
        texts.read(text)


@given(st.text(max_size=200), st.text(max_size=50))
def test_an_answers_body_is_always_json_that_holds_exactly_what_was_put_in(text: str, name: str) -> None:
    body = {"message": "{{ text }}", "note": "by {{ author_name }}", "deep": [{"x": ["{{ text }}"]}], "n": 1}

    told = json.loads(json.dumps(texts.filled(body, texts.in_values({"text": text, "author_name": name}))))

    assert told == {"message": text, "note": f"by {name}", "deep": [{"x": [text]}], "n": 1}


def test_a_place_alone_keeps_its_type() -> None:
    values = texts.in_values({"n": 7, "flag": False, "nothing": None, "files": [{"a": 1}]})

    found = texts.filled(["{{ n }}", "{{ flag }}", "{{ nothing }}", "{{ files }}", "n={{ n }}"], values)

    assert found == [7, False, None, [{"a": 1}], "n=7"]
