"""Every setting is documented, and nothing is configured past the settings."""

from __future__ import annotations

import ast
import re

from models.kernel import settings
from tests.architecture.code import REPOSITORY, dotted, modules

_ROW = re.compile(r"^\| `([A-Z][A-Z_0-9]*)` \| ([^|]*) \| ([^|]*) \|$", re.MULTILINE)
# Read elsewhere, each with its reason; README's second table has those that an operator may set.
ENVIRONMENT_READERS = {
    "models/kernel/settings.py": "the one place",
    "models/kernel/telemetry/logs.py": "Knative's own K_SERVICE and K_REVISION, for log lines",
    "functions/gunicorn_conf.py": "NESTOR_BIND, which only gunicorn knows",
    "functions/http/health.py": "prometheus_client's own PROMETHEUS_MULTIPROC_DIR",
    "queues/parser/parsing.py": "the few variables that the parser's child gets, none of them ours but LOG_LEVEL",
    "queues/channels/telegram/bot_api/bots.py": "python-telegram-bot's own PTB_TIMEDELTA",
}


def documented() -> dict[str, tuple[str, str]]:
    """README's table of settings: name -> default and description."""
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    return {match[1]: (match[2].strip(), match[3].strip()) for match in _ROW.finditer(text)}


def test_readme_documents_every_setting() -> None:
    """A setting that nobody can find is a bug report; `models.kernel.settings` is where the words come from."""
    assert sorted(set(settings.documented_variables()) - set(documented())) == []


def test_readme_documents_no_setting_that_is_gone() -> None:
    """Somebody would set it and wait for an effect. Variables of other programs are in the second table, with who reads
    them.
    """
    gone = {
        name: row
        for name, row in documented().items()
        if name not in settings.documented_variables() and not _is_read_by_somebody_else(row)
    }

    assert gone == {}


def _is_read_by_somebody_else(row: tuple[str, str]) -> bool:
    """The second table's middle column says who reads it: functions, workers, a script."""
    return any(word in row[0] for word in ("functions", "workers", "scripts"))


def test_readme_says_the_words_of_the_settings() -> None:
    """Two descriptions drift apart; the settings' own is the one that is right."""
    rows = documented()

    different = {
        name: rows[name][1]
        for name, text in settings.documented_variables().items()
        if name in rows and rows[name][1] != text
    }

    assert different == {}


def test_readme_says_the_defaults_of_the_settings() -> None:
    rows = documented()

    different = {
        name: rows[name][0]
        for name, default in settings.defaults().items()
        if name in rows and rows[name][0] != _shown(default)
    }

    assert different == {}


def _shown(default: object) -> str:
    if default is None:
        return "none"
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`" if default != "" else "empty"


def test_every_setting_has_a_description() -> None:
    assert [name for name, text in settings.documented_variables().items() if len(text) < 10] == []


def test_the_environment_is_read_in_one_place() -> None:
    """A variable read elsewhere has no default, no check, no documentation and no `_FILE` variant."""
    readers = {
        module.shown
        for module in modules("models", "queues", "functions")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and dotted(node) in ("os.environ", "os.getenv")
    }

    assert readers == set(ENVIRONMENT_READERS)
