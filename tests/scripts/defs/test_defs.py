"""`python -m scripts.defs` at the terminal: its output, and that bad input publishes nothing and says where it is
wrong.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from models.definitions import files
from models.kernel.errors import Invalid
from scripts import _cli, defs
from scripts.defs import checking
from scripts.defs.__main__ import main
from tests.architecture.code import REPOSITORY

_timeout_s = 120.0
WORKFLOW = """\
workflow: small
label: {en: Small, ru: Малый}
initial: open
states:
  open: {category: todo, label: {en: Open, ru: Открыта}}
  done: {category: done, label: {en: Done, ru: Готово}}
transitions:
  finish: {from: [open], to: done, label: {en: Finish, ru: Закончить}, who: [agent]}
"""


def run(*words: str, database: Path | None = None, stdin: str = "") -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": "/usr/bin:/bin",
        "SECRET_KEY": "a key of forty-two characters for the test",
        "PYTHONPATH": str(REPOSITORY),
    }
    if database is not None:
        environment["DATABASE_URL"] = f"sqlite:///{database}"
    return subprocess.run(
        [sys.executable, "-m", "scripts.defs", *words],
        cwd=REPOSITORY,
        env=environment,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=_timeout_s,
        check=False,
    )


@dataclass(frozen=True)
class Ended:
    """The end of a command that ran in this process."""

    returncode: int
    stdout: str
    stderr: str


Here = Callable[..., Ended]


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Here:
    """Runs a verb that needs no database in this process: a new one spends half a second on imports."""

    def run(*words: str, stdin: str = "") -> Ended:
        monkeypatch.setattr(sys, "argv", ["scripts.defs", *words])
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            _cli.end(main)
        said = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Ended(ended.value.code, said.out, said.err)

    return run


@pytest.fixture
def database(tmp_path: Path, migrated_sqlite_template: Path) -> Path:
    """A migrated database with the shipped definitions."""
    path = tmp_path / "nestor.db"
    shutil.copy(migrated_sqlite_template, path)
    applied = run("apply", "--demo", database=path)
    assert applied.returncode == 0, applied.stderr
    return path


def test_the_shipped_ones_are_fine_strictly() -> None:
    found = run("check", "--strict")

    assert (found.returncode, found.stderr) == (0, "")
    assert "definitions are fine" in found.stdout


def bomb() -> str:
    return "\n".join(["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 15)}]" for n in range(1, 9)])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            WORKFLOW.replace("initial: open", "initial: opne"),
            "3:10: .initial: error: expected one of the states, found 'opne'; did you mean open?",
        ),
        (WORKFLOW + "colour: red\n", "9:1: error: Object contains unknown field `colour`"),
        (
            WORKFLOW.replace("who: [agent]", "who: [agent], gaurd: x"),
            ".transitions.finish: error: Object contains unknown field `gaurd`; did you mean `guard`?",
        ),
        (WORKFLOW + "label: {en: Twice, ru: Дважды}\n", "9:1: error: key 'label' is there twice"),
        (WORKFLOW.replace("from: [open]", "from: 3"), "8:18: .transitions.finish.from: error: Expected"),
        (
            WORKFLOW.replace("who: [agent]", 'who: [agent], guard: "ticket.asigned"'),
            "unknown name asigned; did you mean assigned?",
        ),
        (
            WORKFLOW.replace(
                "who: [agent]",
                'who: [agent], guard: "ticket.tags.all(a, ticket.tags.all(b, ticket.tags.all(c, a == c)))"',
            ),
            "too many nested loops",
        ),
        (
            WORKFLOW.replace("  done:", "  lost: {category: done, label: {en: L, ru: Л}}\n  done:"),
            "6:9: .states.lost: error: no ticket can come into this state",
        ),
        ("workflow: [small\n", ":2:1: error:"),
        (bomb(), "5: error: expected at most 20000 values (aliases count where they are used)"),
        ("a: " + "x" * 5_000_000, "expected at most 524288 bytes, found 5000003"),
        ("what: is this\n", "1:1: error: expected a definition with `workflow:`"),
        ("include: [a.yaml]\n" + WORKFLOW, "the files include each other: a.yaml -> a.yaml"),
        ("include: [../../etc/passwd]\n" + WORKFLOW, "expected a file below"),
    ],
    ids=lambda value: value[:30] if len(value) < 60 else None,
)
def test_bad_input_is_reported_with_its_place(here: Here, tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text)

    found = here("check", str(path))

    assert found.returncode == 1
    assert told in found.stderr, found.stderr
    assert "Traceback" not in found.stderr


def test_files_that_include_each_other_in_a_circle_are_reported_with_the_circle(tmp_path: Path) -> None:
    root = tmp_path / "workflow_defs"
    root.mkdir()
    (root / "w.yaml").write_text("include: [x.yaml]\n" + WORKFLOW)
    (root / "x.yaml").write_text("fragment: timers\ninclude: [y.yaml]\n")
    (root / "y.yaml").write_text("fragment: timers\ninclude: [x.yaml]\n")

    with pytest.raises(Invalid, match=r"y.yaml:2:11: .*w.yaml -> x.yaml -> y.yaml -> x.yaml"):
        files.load(root / "w.yaml", root)


def test_a_part_that_two_includes_define_is_reported_with_both_places(tmp_path: Path) -> None:
    (tmp_path / "w.yaml").write_text(
        "include: [x.yaml]\n" + WORKFLOW + "calendars:\n  office: {zone: UTC, hours: {mon: ['09:00-10:00']}}\n"
    )
    (tmp_path / "x.yaml").write_text("fragment: calendars\ncalendars:\n  office: {zone: UTC, hours: {}}\n")

    with pytest.raises(Invalid, match=r"x.yaml:3:11: .*office is there already, at .*w.yaml:11:11"):
        files.load(tmp_path / "w.yaml", tmp_path)


def test_a_wrong_file_publishes_nothing_and_leaves_what_runs(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "workflow_defs"
    shutil.copytree(defs.ROOT, root)
    path = root / "support" / "workflow.yaml"
    path.write_text(path.read_text().replace("to: solved", "to: sovled"))

    with pytest.raises(
        Invalid, match=r"support/workflow.yaml:\d+:\d+: .transitions.resolve.to: expected one of the states"
    ):
        defs.read_all(root, demo=True)

    assert "* version 1" in run("history", "support", database=database).stdout


def test_plan_and_diff_say_that_nothing_differs_after_an_apply(database: Path) -> None:
    planned, differing = run("plan", "--demo", database=database), run("diff", "--demo", database=database)

    assert (planned.returncode, differing.returncode) == (0, 0)
    assert all("unchanged" in line for line in planned.stdout.splitlines())
    assert differing.stdout == "nothing differs\n"


def test_two_files_differ_in_words(here: Here, tmp_path: Path) -> None:
    one, other = tmp_path / "one.yaml", tmp_path / "other.yaml"
    one.write_text(WORKFLOW)
    other.write_text(WORKFLOW.replace("who: [agent]", "who: [agent, manager]"))

    found = here("diff", str(one), str(other))

    assert found.returncode == 1
    assert ".transitions.finish.who: [agent] became [agent, manager]" in found.stdout


def test_scenarios_run_and_a_failing_one_says_what_was_expected_and_found(here: Here) -> None:
    found = here("test", "support")

    assert found.returncode == 0
    assert found.stdout.endswith("12 passed, 0 failed\n")
    assert here("test", "nothing").returncode == 1


def test_a_simulation_by_script_prints_the_same_each_time(here: Here) -> None:
    script = (
        "new priority=urgent\nwait 15m\nwhy\ndo resolve olga\nset severity=critical\n"
        "signal monitor_recovered\nundo\nquit\n"
    )

    one, other = here("simulate", "incident", stdin=script), here("simulate", "incident", stdin=script)

    assert one.returncode == 0, one.stderr
    assert one.stdout == other.stdout
    assert "Mon 23 09:15 sla breached (urgent): target first_response" in one.stdout
    assert "resolve needs a value in root_cause" in one.stdout


def test_a_script_that_cannot_be_understood_fails(here: Here) -> None:
    found = here("simulate", "support", stdin="fly\n")

    assert found.returncode == 1
    assert "unknown command 'fly'" in found.stdout


@pytest.mark.parametrize("name", ["support", "incident", "purchase", "access-request", "task"])
def test_a_picture_names_every_state_and_is_well_formed(here: Here, name: str) -> None:
    picture, text = here("draw", name, "--language", "ru"), here("draw", name, "--format", "mermaid")

    tree = ElementTree.fromstring(picture.stdout)  # noqa: S314 -- our own
    shown = "".join(tree.itertext())
    [found] = [one for one in defs.read_all(demo=False) if (one.kind, one.name) == ("workflow", name)]
    for state, told in found.body["states"].items():
        assert state in shown
        assert f"as {state}" in text.stdout
        assert told["label"]["ru"][:20] in shown


def test_the_schemas_for_editors_are_those_of_the_code() -> None:
    for name, document in checking.schemas().items():
        kept = json.loads((defs.ROOT / "schema" / f"{name}.json").read_text())
        assert kept == json.loads(json.dumps(document)), "run `python -m scripts.defs schema`"


def test_the_shipped_files_are_valid_by_the_published_schema() -> None:
    import jsonschema

    schemas = checking.schemas()
    for path in sorted(defs.ROOT.rglob("*.yaml")):
        body = files.loads(path.read_text(), path.name).body
        kind = (
            "scenarios"
            if "scenarios" in body
            else "model"
            if {"type", "entity"} & set(body)
            else "workflow"
            if "workflow" in body
            else None
        )
        if kind is not None and "channel" not in body:
            jsonschema.validate(body, schemas[kind])


@pytest.mark.parametrize(("key", "value"), [("workflow", "suport"), ("ticket_type", "qestion"), ("team", "suport")])
def test_an_account_that_names_nothing_is_found_by_the_check(key: str, value: str) -> None:
    found = defs.read_all(demo=True)
    [account] = [one for one in found if one.name == "telegram.demo"]
    account.body[key] = value

    findings = [(one.name, finding.path) for one, finding in defs.findings(found) if finding.severity == "error"]

    assert findings == [("telegram.demo", f".{key}")]


@pytest.mark.parametrize(
    ("texts", "path", "told"),
    [
        ({"greting": {"en": "Hi"}}, ".texts.greting", "did you mean greeting?"),
        ({"greeting": {"en": "Hi {nme}"}}, ".texts.greeting.en", "unknown place {nme}"),
        ({"greeting": {"en_US": "Hi"}}, ".texts.greeting.en_US", "did you mean en-US?"),
    ],
)
def test_a_text_of_an_account_that_nobody_reads_is_a_warning(
    texts: dict[str, dict[str, str]], path: str, told: str
) -> None:
    found = defs.read_all(demo=True)
    [account] = [one for one in found if one.name == "telegram.demo"]
    account.body["texts"] = texts

    [finding] = [finding for one, finding in defs.findings(found) if one is account]

    assert (finding.severity, finding.path) == ("warning", path)
    assert told in finding.message
