"""The outbox file: what a restart finds, what a torn write leaves, and where the bounds are."""

import json
from pathlib import Path

import pytest

from scripts.sandbox.outbox import Outbox, OutboxUnusable


def _texts(outbox: Outbox) -> list[str]:
    return [entry["text"] for entry in outbox]


def _add(outbox: Outbox, *texts: str, channel: str = "telegram") -> None:
    for text in texts:
        outbox.append({"channel": channel, "text": text})


def test_entries_and_the_sequence_are_there_after_a_restart(tmp_path: Path) -> None:
    first = Outbox(tmp_path)
    _add(first, "one", "two")
    first.close()

    again = Outbox(tmp_path)
    _add(again, "three")

    assert [(entry["sequence"], entry["text"]) for entry in again] == [(1, "one"), (2, "two"), (3, "three")]
    again.close()


def test_a_cleared_outbox_goes_on_counting_after_a_restart(tmp_path: Path) -> None:
    first = Outbox(tmp_path)
    _add(first, "one", "two")
    assert first.clear() == 2
    first.close()

    again = Outbox(tmp_path)
    _add(again, "three")

    assert [(entry["sequence"], entry["text"]) for entry in again] == [(3, "three")]
    assert again.page(since=0) == (list(again), 3)
    again.close()


def test_a_torn_last_line_is_dropped_and_the_file_is_whole_again(tmp_path: Path) -> None:
    first = Outbox(tmp_path)
    _add(first, "one", "two")
    first.close()
    path = tmp_path / "outbox.jsonl"
    path.write_bytes(path.read_bytes()[:-5])

    again = Outbox(tmp_path)
    _add(again, "three")
    again.close()

    third = Outbox(tmp_path)
    assert _texts(third) == ["one", "three"]
    third.close()


@pytest.mark.parametrize("line", ["not json\n", "[]\n", '{"sequence": 5, "channel": "email"}\n'])
def test_a_damaged_line_stops_the_start_and_is_named(tmp_path: Path, line: str) -> None:
    good = json.dumps({"sequence": 1, "channel": "telegram", "text": "one"}) + "\n"
    (tmp_path / "outbox.jsonl").write_text(good + line)

    with pytest.raises(OutboxUnusable, match=r"outbox\.jsonl, line 2"):
        Outbox(tmp_path)


def test_two_sandboxes_do_not_share_a_folder(tmp_path: Path) -> None:
    first = Outbox(tmp_path)

    with pytest.raises(OutboxUnusable, match="in use by another sandbox"):
        Outbox(tmp_path)

    first.clear()  # which replaces the file; the new one is ours too
    with pytest.raises(OutboxUnusable, match="in use by another sandbox"):
        Outbox(tmp_path)
    first.close()


def test_only_the_newest_are_remembered_and_the_file_shrinks_at_the_next_start(tmp_path: Path) -> None:
    first = Outbox(tmp_path, entries_max=2)
    _add(first, "one", "two", "three")
    assert _texts(first) == ["two", "three"]
    assert [entry["text"] for entry in first.page(since=0)[0]] == ["two", "three"]
    first.close()

    Outbox(tmp_path, entries_max=2).close()

    assert "one" not in (tmp_path / "outbox.jsonl").read_text()


def test_bytes_are_bounded_too_but_the_newest_entry_always_stays(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, bytes_max=300)

    _add(outbox, "a" * 100, "b" * 100, "c" * 1000)

    assert _texts(outbox) == ["c" * 1000]
    outbox.close()


def test_pages_follow_each_other_without_gap_or_repetition(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    _add(outbox, "1", "2", "3")
    _add(outbox, "mail", channel="email")
    _add(outbox, "4", "5")

    newest, _ = outbox.page(limit=2)
    first, since = outbox.page(channel="telegram", since=0, limit=3)
    second, end = outbox.page(channel="telegram", since=since, limit=3)
    nothing, same = outbox.page(channel="telegram", since=end, limit=3)

    assert [entry["text"] for entry in newest] == ["4", "5"]
    assert [entry["text"] for entry in first + second] == ["1", "2", "3", "4", "5"]
    assert (nothing, same) == ([], end)
    outbox.close()
