"""Several inserts as one statement: the same result on both engines, whatever people write."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import peewee
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.kernel.storage.batch import Batch, as_json, from_json
from tests.desk import Desk

NOW = datetime(2026, 3, 1, tzinfo=UTC)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd")
    if isinstance(value, list):
        return [_without_nul(one) for one in value]
    if isinstance(value, dict):
        return {_without_nul(k): _without_nul(v) for k, v in value.items()}
    return value


@given(values)
@example("a backslash before it: \\u0000")
@example("\\\x00")
@example({"\\\\u0000": "\\\\\x00\\u0000"})
def test_json_comes_back_as_it_went_in_but_for_the_null_character(value: Any) -> None:
    text = as_json({"v": value})

    assert "\x00" not in json.dumps(json.loads(text), ensure_ascii=False)
    assert json.loads(text) == {"v": _without_nul(value)}


def test_ids_and_instants_become_text_and_other_objects_are_refused() -> None:
    assert json.loads(as_json({"id": UUID(int=1), "at": NOW})) == {
        "id": str(UUID(int=1)),
        "at": "2026-03-01T00:00:00+00:00",
    }
    with pytest.raises(TypeError, match="not JSON: object"):
        as_json({"x": object()})


def test_a_json_column_reads_the_same_from_both_engines() -> None:
    assert from_json('{"a":1}') == from_json({"a": 1}) == from_json(b'{"a":1}') == {"a": 1}


def _timer(name: str, payload: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "kind": "k", "queue": "default", "payload": payload, "due_at": NOW}


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("a\ud800b", "a\ufffdb"),
        ({"\udfff": ["\ud83d\x00"]}, {"\ufffd": ["\ufffd\ufffd"]}),
        ("\U0001f525 stays", "\U0001f525 stays"),
        ([math.nan, math.inf, -math.inf, 1.5], ["NaN", "Infinity", "-Infinity", 1.5]),
        (
            {"deep": [({"n": math.nan},)], "id": UUID(int=1)},
            {"deep": [[{"n": "NaN"}]], "id": str(UUID(int=1))},
        ),
        ({math.inf: 1}, {"Infinity": 1}),
    ],
)
def test_what_json_or_utf_8_has_not_is_written_in_a_form_that_both_engines_keep(
    desk: Desk, value: Any, kept: Any
) -> None:
    batch = Batch()
    batch.insert("timers", _timer("t", {"v": value}))

    desk.command(batch.write)

    [timer] = desk.rows("SELECT payload FROM timers WHERE name = 't'")
    assert from_json(timer["payload"]) == {"v": kept}


def test_a_batch_writes_rows_that_refer_to_each_other_and_returns_what_was_asked_for(desk: Desk) -> None:
    requester, identity = UUID(int=1), UUID(int=2)
    batch = Batch()
    batch.insert("requesters", {"id": requester, "name": "Ada", "created_at": NOW, "updated_at": NOW})
    batch.insert(
        "identities",
        {"id": identity, "requester_id": requester, "channel": "email", "address": "a@b", "created_at": NOW},
        returning="address",
    )
    batch.insert("timers", _timer("t", {"text": "10 % of :name \\u0000 \x00 «ё»", "n": [1, None, True]}))

    results = desk.command(batch.write)

    assert results == [None, "a@b", None]
    [timer] = desk.timers()
    assert from_json(timer["payload"]) == {
        "text": "10 % of :name \\u0000 \ufffd «ё»",
        "n": [1, None, True],
    }


def test_a_row_whose_key_is_taken_is_skipped_and_says_so(desk: Desk) -> None:
    batch = Batch()
    for name in ("a", "b"):
        batch.insert("timers", _timer(name, {}), returning="name", unless_exists=True)
    desk.command(batch.write)
    again = Batch()
    for name in ("b", "c", "a"):
        again.insert("timers", _timer(name, {"new": True}), returning="name", unless_exists=True)

    results = desk.command(again.write)

    assert results == [None, "c", None]
    assert [from_json(timer["payload"]) for timer in desk.timers()] == [{}, {}, {"new": True}]


def test_a_batch_is_written_whole_or_not_at_all(desk: Desk) -> None:
    batch = Batch()
    batch.insert("timers", _timer("a", {}))
    batch.insert("timers", {**_timer("b", {}), "due_at": None})

    with pytest.raises(peewee.IntegrityError):
        desk.command(batch.write)

    assert desk.timers() == []


def test_an_empty_batch_writes_nothing(desk: Desk) -> None:
    assert Batch().write() == []


def test_extended_batches_keep_their_order(desk: Desk) -> None:
    first, second = Batch(), Batch()
    first.insert("timers", _timer("a", {}), returning="name")
    second.insert("timers", _timer("b", {}), returning="name")
    first.extend(second)

    assert desk.command(first.write) == ["a", "b"]
    assert len(first) == 2
