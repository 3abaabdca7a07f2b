"""`scripts.defs check` in the languages of the desk, over a folder of the desk's own."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from models.kernel import settings
from models.kernel.errors import ConfigurationError, Invalid
from scripts import _cli, defs
from scripts.defs.__main__ import main
from tests import german_desk


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A German desk's folder, which DEFINITIONS_DIR names."""
    monkeypatch.setenv("DEFINITIONS_DIR", str(german_desk.written(tmp_path / "unsere")))
    monkeypatch.setattr(settings, "current", settings.load)
    return tmp_path / "unsere"


def checked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *options: str
) -> tuple[int, list[dict[str, str]]]:
    """The exit code and the findings of `check --json`."""
    monkeypatch.setattr(sys, "argv", ["scripts.defs", "check", "--demo", "--json", *options])
    with pytest.raises(SystemExit) as ended:
        _cli.end(main)
    assert isinstance(ended.value.code, int)
    return ended.value.code, json.loads(capsys.readouterr().out)["findings"]


def test_a_german_desk_in_a_folder_of_its_own_passes_the_check(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, findings = checked(capsys, monkeypatch, "--strict")

    assert code == 0
    assert [one["place"].partition(":")[0] for one in findings] == ["unsere/desk.yaml"], findings
    assert "password_reset" in findings[0]["message"]
    assert "invitation," not in findings[0]["message"], "the desk's own file has it"


@pytest.mark.parametrize(
    ("switch", "code", "severity"), [("warn", 0, "warning"), ("error", 1, "error"), ("ignore", 0, None)]
)
def test_a_missing_language_has_a_switch_of_its_own(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    switch: str,
    code: int,
    severity: str | None,
) -> None:
    german_desk.written(folder, desk=german_desk.DESK.replace("[de]", "[de, pt-BR]"))

    ended, findings = checked(capsys, monkeypatch, "--strict", "--translations", switch)

    here = [one for one in findings if ".states.neu.label" in one["place"]]
    assert ended == code
    assert [one["severity"] for one in here] == ([severity] if severity else [])
    assert all("'pt-BR'" in one["message"] for one in here)


def test_a_type_and_a_team_without_a_language_of_the_desk_are_reported(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    german_desk.written(folder, desk=german_desk.DESK.replace("[de]", "[de, fr]"))

    _, findings = checked(capsys, monkeypatch)

    places = {one["place"].rpartition(": ")[2] for one in findings}
    assert {".fields.größe.label", ".label", ".teams.büro.label", ".templates.bestätigung"} <= places


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("languages: [de_DE]", "did you mean de-DE?"),
        ("languages: [de, DE]", "expected each language once"),
        ("languages: []", "expected 1 to 40 languages"),
        ("zone: Berlin", "expected a zone of the IANA database"),
        ("currency: euro", "expected a currency of ISO 4217"),
        ("texts: {greting: {de: Hallo}}", "did you mean greeting?"),
        ('texts: {greeting: {de: "Hallo {nme}"}}', "unknown place {nme}; there are name"),
        ("texts: {greeting: {deutsch_: Hallo}}", "expected a language tag (BCP 47)"),
    ],
)
def test_a_wrong_key_of_the_desk_is_reported_with_its_place(folder: Path, wrong: str, told: str) -> None:
    german_desk.written(folder, desk=f"desk: Werkstatt\n{wrong}\n")

    with pytest.raises(Invalid, match=r"desk.yaml:2:\d+: ") as refused:
        defs.read_all(demo=False)

    assert told in refused.value.message


def test_a_desk_may_be_defined_in_one_file_only(folder: Path) -> None:
    german_desk.written(folder, **{"channels/other": german_desk.DESK})

    with pytest.raises(Invalid, match=r"expected the desk's definition in unsere/desk.yaml only"):
        defs.read_all(demo=False)


def test_a_calendar_and_money_take_the_desks_zone_and_currency(folder: Path) -> None:
    found = {one.kind: one.body for one in defs.read_all(demo=False)}

    assert found["workflow"]["calendars"]["büro"]["zone"] == "Europe/Berlin"
    assert found["model"]["fields"]["preis"]["currencies"] == ["EUR"]


def test_money_without_a_currency_is_refused_where_the_desk_has_none(folder: Path) -> None:
    german_desk.written(folder, desk="desk: Werkstatt\nlanguages: [de]\n")

    with pytest.raises(Invalid, match=r".fields.preis.currencies: expected currencies"):
        defs.read_all(demo=False)


def test_a_folder_that_is_not_there_is_reported_by_the_settings_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEFINITIONS_DIR", "/nowhere/at/all")
    monkeypatch.setattr(settings, "current", settings.load)

    with pytest.raises(ConfigurationError, match="DEFINITIONS_DIR: there is no folder /nowhere/at/all"):
        defs.read_all(demo=False)
