"""Definition files: YAML without its traps; a mistake is told by file, line and column."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from models.definitions import files
from models.kernel.errors import Invalid
from scripts import defs


def _read(tmp_path: Path, text: str | bytes) -> dict[str, object]:
    path = tmp_path / "a.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return files.read(path)[0]


def _refusal(tmp_path: Path, text: str | bytes) -> str:
    with pytest.raises(Invalid) as refused:
        _read(tmp_path, text)
    return refused.value.message.replace(str(tmp_path), "")


def test_on_off_yes_and_no_are_words(tmp_path: Path) -> None:
    body = _read(tmp_path, "on: yes\nno: [off, y, NO, true, false]\n")

    assert body == {"on": "yes", "no": ["off", "y", "NO", True, False]}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 1\nb: 2\na: 3\n", "/a.yaml:3:1: key 'a' is there twice"),
        ("x:\n  a: {b: 1, b: 2}\n", "/a.yaml:2:13: key 'b' is there twice"),
        ("1: one\n", "/a.yaml:1:1: expected a text key, found 1"),
        ("null: one\n", "/a.yaml:1:1: expected a text key, found None"),
        ("[a]: one\n", "/a.yaml:1:1: expected a text key, found ['a']"),
        ("- a\n", "/a.yaml:1:1: expected a mapping"),
        ("", "/a.yaml:1:1: expected a mapping"),
        ("a: [1\nb: 2\n", "/a.yaml:2:"),
        ("a: !!python/object/apply:os.system [true]\n", "/a.yaml:1:4: could not determine a constructor"),
        (b"a: \xff\n", "/a.yaml: not UTF-8"),
        ("a: \x07\n", "/a.yaml: not YAML"),
        ("a: " + "[" * 1_500 + "]" * 1_500, "/a.yaml:1: expected at most 40 levels of nesting"),
        ("a: " + "x" * files.file_bytes_max, f"expected at most {files.file_bytes_max} bytes"),
        ("---\na: 1\n---\nb: 2\n", "/a.yaml:3:1: but found another document"),
    ],
)
def test_an_unreadable_file_is_reported_with_its_place(tmp_path: Path, text: str | bytes, told: str) -> None:
    assert told in _refusal(tmp_path, text)


_LEVELS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "\n".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 15)}]" for n in range(1, 9)
)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (_LEVELS, "expected at most 20000 values"),
        ("a: &a 1\nb: [" + "*a," * 170_000 + "]\n", "expected at most 100 aliases"),
        ("a: [" + "x," * 250_000 + "]\n", "expected at most 20000 values"),
        ("a: &a [" + "x," * 15_000 + "]\nb: [*a, *a]\n", "expected at most 20000 values"),
        ("\n".join(f"k{i}: &a{i} x" for i in range(30_000)), "expected at most 20000 values"),
        ("a: &a [*a]\n", "*a stands inside of its own anchor"),
        ("a: &a {b: [1, {c: *a}]}\n", "*a stands inside of its own anchor"),
    ],
    ids=["aliases of aliases", "aliases", "values", "an alias of many values", "anchors", "a circle", "a deep circle"],
)
def test_a_file_is_counted_before_anything_is_composed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, told: str
) -> None:
    """Composing 500 kB took 11 s of a core."""
    monkeypatch.setattr(yaml, "compose", lambda *_: pytest.fail("composed"))

    assert told in _refusal(tmp_path, text)


def test_a_few_aliases_are_fine(tmp_path: Path) -> None:
    assert _read(tmp_path, "a: &x {b: 1}\nc: *x\n") == {"a": {"b": 1}, "c": {"b": 1}}


def test_every_wrong_file_of_a_folder_is_reported_and_none_is_read(tmp_path: Path) -> None:
    root = tmp_path / "workflow_defs"
    root.mkdir()
    (root / "a.yaml").write_text("workflow: a\n")
    (root / "b.yaml").write_text("what: is this\n")
    (root / "c.yaml").write_text("channel: telegram\naccount: x\ntoken: 42:secret-itself\nsecret_token: {secret: s}\n")
    (root / "d.yaml").write_text("channel: pigeon\naccount: x\n")

    with pytest.raises(Invalid) as refused:
        defs.read_all(root, demo=True)

    lines = refused.value.message.splitlines()
    assert [line.partition(": ")[0].partition(":")[0] for line in lines] == [
        f"workflow_defs/{name}.yaml" for name in ("a", "b", "c", "d")
    ]
    assert "credentials are named, never contained" in lines[2]
    assert "secret-itself" not in refused.value.message


def test_demo_accounts_are_published_only_for_the_demo() -> None:
    demo, real = defs.read_all(demo=True), defs.read_all(demo=False)

    assert {one.name for one in demo} - {one.name for one in real} == {
        "telegram.demo",
        "email.demo",
        "webhook.demo",
    }
