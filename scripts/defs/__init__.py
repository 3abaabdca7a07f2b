"""Definitions: read the files of `workflow_defs/`, check them, publish them as immutable versions.

`python -m scripts.defs check` and `python -m scripts.defs apply [--demo]`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.definitions import files, store
from models.kernel import database
from models.kernel.errors import FieldProblem, Invalid
from models.workflow import definition

ROOT = Path(__file__).resolve().parents[2] / "workflow_defs"


@dataclass(frozen=True)
class Found:
    """A checked definition file."""

    kind: str
    name: str
    body: dict[str, Any]
    source: str
    path: Path


def read_all(root: Path = ROOT, *, demo: bool) -> list[Found]:
    """Every definition below `root`, checked. Raises Invalid naming each file and place; nothing is published then."""
    found: list[Found] = []
    problems: list[FieldProblem] = []
    for path in sorted(root.rglob("*.yaml")):
        try:
            found.extend(_read(path, demo=demo))
        except Invalid as error:
            problems.extend(FieldProblem(_place(root, path, p.path), p.message) for p in error.problems)
    if problems:
        raise Invalid(problems, "\n".join(f"{p.path}: {p.message}" for p in problems))
    return found


def _place(root: Path, path: Path, place: str) -> str:
    """File and place: a file:line:column as it is, a path inside the document behind the file's name."""
    return place if place.startswith(str(path)) else f"{path.relative_to(root.parent)}: {place}"


def _read(path: Path, *, demo: bool) -> Iterator[Found]:
    body, source = files.read(path)
    if "channel" in body:
        _check_account(body)
        if demo or not body.get("demo"):
            yield Found("channel", f"{body['channel']}.{body['account']}", body, source, path)
    elif "workflow" in body:
        yield Found("workflow", definition.parse(body).workflow, body, source, path)
    else:
        raise Invalid([FieldProblem("", "expected a definition with `workflow:` or `channel:` at its top")])


_ACCOUNT_KEYS: dict[str, dict[str, str]] = {
    "telegram": {"token": "secret", "secret_token": "secret"},
    "email": {"bearer": "secret", "smtp_url": "secret", "address": "text"},
}
_OPTIONAL = {
    "demo", "default", "workflow", "ticket_type", "locale", "display_name", "null_sender_for_automatic", "rate_per_s", "bot_id",
}  # fmt: skip


def _check_account(body: dict[str, Any]) -> None:
    problems = []
    channel = body["channel"]
    if channel not in _ACCOUNT_KEYS:
        raise Invalid(
            [FieldProblem(".channel", f"expected one of {', '.join(_ACCOUNT_KEYS)}, found {channel!r}")]
        )
    name = body.get("account")
    if not isinstance(name, str) or not name.replace("-", "").replace("_", "").isalnum() or len(name) > 40:
        problems.append(FieldProblem(".account", "expected a name of letters, digits, - and _, at most 40"))
    wanted = _ACCOUNT_KEYS[channel]
    for key, kind in wanted.items():
        value = body.get(key)
        if kind == "secret" and not (
            isinstance(value, dict) and list(value) == ["secret"] and isinstance(value["secret"], str)
        ):
            problems.append(
                FieldProblem(f".{key}", "expected {secret: name}: credentials are named, never contained")
            )
        if kind == "text" and not isinstance(value, str):
            problems.append(FieldProblem(f".{key}", "expected a text"))
    for key in body.keys() - wanted.keys() - _OPTIONAL - {"channel", "account"}:
        problems.append(FieldProblem(f".{key}", "unknown key"))
    if problems:
        raise Invalid(problems)


def publish(found: list[Found], *, by: str, progress: Callable[[str], None] = lambda line: None) -> int:
    """Publish what differs from the newest version, all or nothing; returns how many new versions there are."""
    new = 0
    with database.transaction():
        for one in found:
            version, is_new = store.publish(one.kind, one.name, one.body, source=one.source, by=by)
            if is_new:
                new += 1
                progress(f"published {one.kind} {one.name} version {version}")
    return new
