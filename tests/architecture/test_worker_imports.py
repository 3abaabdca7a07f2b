"""A worker imports an actor at its first task, and a channel at the channel's first task, under the lock."""

from __future__ import annotations

import ast

import pytest

from queues import actors, channels
from tests.architecture.code import Module, dotted, modules, within
from tests.architecture.fresh_process import PRELOADED, STARTED, imports_in_functions, structs_of, told_by

CHANNELS = sorted(channels.names())
# Modules that no task calls, though their channel's folder holds them: the webhook function checks this provider's
# signature.
NO_TASK_CALLS = ("queues.embedded", "queues.channels.email.providers.sendgrid.signature")

# Imports inside functions that no task reaches; the reason stands behind each.
NOT_FOR_TASKS = {
    "argon2": "sign-in, in the gateway",
    "argon2.exceptions": "sign-in, in the gateway",
    "jwt": "access tokens, in the gateway",
    "zxcvbn": "a new password, in the gateway",
    "models.publishing.dependents": "a publication, in the gateway and in commands",
    "webauthn": "a passkey, in the gateway",
    "webauthn.helpers.exceptions": "a passkey, in the gateway",
    "resource": "the main thread of the parser's child",
    "apscheduler.schedulers.background": "the main thread, when the scheduler starts",
    "dramatiq.brokers.rabbitmq": "the main thread, when the broker is made",
}

_WORKER = (
    PRELOADED
    + """
from queues import channels
for channel in channels.names():
    channels.complete(channel)
"""
)
_WORKER_WITH = (
    PRELOADED
    + """
from queues import channels
channels.complete(%r)
"""
)
# A process for each kind: the fork has the start, and loads one actor.
_ACTORS_ALONE = (
    STARTED
    + """
import json, os, sys
from queues import actors
late = []
for kind in sorted(actors.names()):
    ends = os.pipe()
    if os.fork() == 0:
        actors.load(kind)
        with os.fdopen(ends[1], "w") as to_parent:
            json.dump(sorted(sys.modules), to_parent)
        os._exit(0)
    os.close(ends[1])
    with os.fdopen(ends[0]) as from_child:
        late.append(f"{kind} " + " ".join(json.load(from_child)))
    os.wait()
"""
)


@pytest.fixture(scope="module")
def started() -> dict[str, list[str]]:
    """A worker at the start of its threads."""
    return told_by(STARTED)


@pytest.fixture(scope="module")
def worker() -> dict[str, list[str]]:
    """A worker that has had tasks of every channel."""
    return told_by(_WORKER)


def test_a_worker_builds_the_type_information_of_every_struct_that_it_loads(worker: dict[str, list[str]]) -> None:
    loaded = set(worker["modules"])
    declared = {
        f"{module.name}.{name}"
        for module in modules("models", "queues")
        for name in structs_of(module)
        if module.name in loaded
    }

    assert declared - set(worker["structs"]) == set()
    assert worker["missing"] == []


def test_a_worker_has_loaded_whatever_its_modules_import_inside_functions(
    worker: dict[str, list[str]],
) -> None:
    """Such an import would run in a task's thread, where it can fail because another task imports
    at the same moment.
    """
    assert late_imports(set(worker["modules"])) == []


def test_a_started_worker_has_loaded_whatever_its_modules_import_inside_functions(
    started: dict[str, list[str]],
) -> None:
    """A task's thread imports an actor or a channel under the lock, while other threads run without the lock."""
    assert late_imports(set(started["modules"])) == []


def test_an_actor_that_is_loaded_alone_has_loaded_whatever_its_modules_import_inside_functions() -> None:
    """A worker loads an actor at its first task. None may rely on what another actor happens to import."""
    loaded = {kind: set(names) for kind, *names in map(str.split, told_by(_ACTORS_ALONE)["late"])}

    assert set(loaded) == actors.names()
    assert {kind: late_imports(names) for kind, names in loaded.items() if late_imports(names)} == {}


def test_a_started_worker_has_loaded_no_actor_and_no_channels_parts(started: dict[str, list[str]]) -> None:
    """On main at 903fe5f an idle worker held the folders of all channels with accounts, 26 MiB of libraries; at
    306258a3 all actors and what they use, 12 MiB.
    """
    loaded = set(started["modules"])

    assert "queues.runner" in loaded
    assert [name for name in sorted(loaded) if name.startswith("queues.actors.")] == []
    assert [
        name for name in sorted(loaded) if within(name, *(f"queues.channels.{channel}" for channel in CHANNELS))
    ] == []
    assert {"telegram", "httpx", "imapclient", "cryptography", "markdown_it", "obstore"} & loaded == set()
    assert {
        "jinja2",
        "cel",
        "requests",
        "snowballstemmer",
        "models.numbers.storing",
        "models.ticket_workflow",
    } & loaded == set()


def test_the_stemmers_of_other_languages_are_never_loaded() -> None:
    """The package's own `__init__` imports 36 languages: 3.4 MiB in each process at 306258a3."""
    program = "from models.search.text.words import stem\nassert (stem('houses'), stem('домами')) == ('hous', 'дом')\n"

    loaded = told_by(program)["modules"]

    stemmers = {name for name in loaded if name.endswith("_stemmer")}
    assert stemmers == {"snowballstemmer.english_stemmer", "snowballstemmer.russian_stemmer"}


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_worker_with_one_channel_has_loaded_whatever_its_modules_import_inside_functions(channel: str) -> None:
    """A worker loads a channel at its first task. None may rely on what another channel happens to import."""
    others = tuple(f"queues.channels.{other}" for other in CHANNELS if other != channel)

    loaded = set(told_by(_WORKER_WITH % channel)["modules"])

    assert late_imports(loaded) == []
    assert [name for name in sorted(loaded) if within(name, *others)] == []
    assert ("telegram" in loaded) == (channel == "telegram")


def test_a_channels_declaration_imports_its_parts_under_the_lock() -> None:
    """The imports inside a declaration's properties run in any thread, before the channel's folder is complete."""
    bare = [
        f"{module.at(line)} imports {name}"
        for module in modules("queues")
        if module.name in {f"queues.channels.{channel}.channel" for channel in CHANNELS}
        for line, name in imports_in_functions(module)
        if not under_the_lock(module, line)
    ]

    assert bare == []


def under_the_lock(module: Module, line: int) -> bool:
    """Whether the line is in the block of a `with imports.late()`, or its function has called `imports.load` before."""
    around = [
        node
        for node in ast.walk(module.tree)
        if isinstance(node, ast.With | ast.FunctionDef) and node.lineno <= line <= (node.end_lineno or node.lineno)
    ]
    entered = [one.context_expr for node in around if isinstance(node, ast.With) for one in node.items]
    called = [
        inner
        for node in around
        if isinstance(node, ast.FunctionDef)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Call) and inner.lineno < line
    ]
    return any(isinstance(one, ast.Call) and dotted(one.func) == "imports.late" for one in entered) or any(
        dotted(one.func) == "imports.load" for one in called
    )


def test_a_worker_holds_no_command_line_of_its_libraries(worker: dict[str, list[str]]) -> None:
    """650d475: `cel` and `httpx` brought typer, rich, prompt_toolkit and Pygments, 12 MiB in each worker."""
    assert {"cel", "httpx"} <= set(worker["modules"])
    assert {"click", "prompt_toolkit", "pygments", "rich", "typer"} & set(worker["modules"]) == set()


def late_imports(loaded: set[str]) -> list[str]:
    """Return the imports of modules that are not loaded, inside functions that tasks use, without the lock."""
    known = {module.name for module in modules("models", "queues")}
    return [
        f"{module.at(line)} imports {name}"
        for module in modules("models", "queues")
        if module.name in loaded and not within(module.name, *NO_TASK_CALLS)
        for line, name in imports_in_functions(module)
        if name not in loaded and name not in NOT_FOR_TASKS and (name in known or not within(name, "models", "queues"))
        if not under_the_lock(module, line)
    ]
