"""Find what a word of the command line means: a file, a life cycle below workflow_defs/, or a published version."""

from __future__ import annotations

from pathlib import Path

from models.definitions import store
from models.kernel.errors import NotFound
from models.kernel.open_json import JsonObject
from models.workflow import checks
from models.workflow.definition import Workflow
from scripts import defs
from scripts.defs import Found, read_file


def file_of(name: str) -> Found:
    """The file of a life cycle by path or by name. Raises NotFound, or Invalid for what is wrong with it."""
    root = defs.root()
    path = Path(name)
    if path.suffix != ".yaml":
        path = root / name / "workflow.yaml"
    if not path.is_file():
        raise NotFound(f"there is no file {path}; give a file, or the name of a folder of {root.name}/")
    found = read_file(path, root if path.is_relative_to(root) else path.resolve().parent.parent)
    if found is None:
        raise NotFound(f"{path} is no definition by itself")
    return found


def workflow_of(name: str) -> Workflow:
    """The life cycle of a file. Raises NotFound or Invalid."""
    found = file_of(name)
    if found.kind != "workflow":
        raise NotFound(f"{found.path} is a {found.kind}, not a life cycle")
    return checks.parse(found.body)


def body_of(word: str) -> tuple[str, JsonObject]:
    """A body by FILE, NAME@VERSION or NAME (in force); joins the caller's connection. Raises NotFound."""
    if word.endswith(".yaml"):
        return word, file_of(word).body
    name, at, version = word.partition("@")
    for kind in ("workflow", "model", "teams", "desk", "fragment", "channel", "answers"):
        exact = at and version.isdigit()
        found = store.version_of(kind, name, int(version)) if exact else store.latest(kind, name)
        if found is not None:
            return f"{name} version {found.version}", found.body
    raise NotFound(f"nothing is published as {word!r}")
