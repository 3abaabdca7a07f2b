"""What threads meet for the first time: type information is built and modules are imported before the threads need
them.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import os
import subprocess
import sys
from collections.abc import Iterator

import msgspec
import pytest
import yaml

from models.events import ticket_payloads
from models.kernel import type_info
from models.tasks import payloads
from queues import actors, channels
from tests.architecture.code import REPOSITORY, Module, dotted, modules, within
from tests.architecture.test_import_circles import at_import, reached_from

FUNCTIONS = sorted(path.parent.name for path in (REPOSITORY / "functions").glob("*/app.py"))
CHANNELS = sorted(channels.names())
# Modules that no task calls, though their channel's folder holds them: the webhook function checks this provider's
# signature.
NO_TASK_CALLS = ("queues.embedded", "queues.channels.email.providers.sendgrid.signature")
_timeout_s = 120.0

# Imports inside functions that no task reaches; the reason stands behind each.
NOT_FOR_TASKS = {
    "argon2": "sign-in, in the gateway",
    "argon2.exceptions": "sign-in, in the gateway",
    "jwt": "access tokens, in the gateway",
    "zxcvbn": "a new password, in the gateway",
    "resource": "the main thread of the parser's child",
    "apscheduler.schedulers.background": "the main thread, when the scheduler starts",
    "dramatiq.brokers.rabbitmq": "the main thread, when the broker is made",
    "models.blobs.s3": "under the lock of imports.late; only a desk with a bucket loads obstore",
}

_STARTED = """
from queues import preloading, worker
preloading.preload()
"""
_WORKER = (
    _STARTED
    + """
from queues import channels
for channel in channels.names():
    channels.complete(channel)
"""
)
_WORKER_WITH = (
    _STARTED
    + """
from queues import channels
channels.complete(%r)
"""
)
_FUNCTION = """
import importlib
importlib.import_module("functions.%s.app").create_app()
"""
_PARSERS = """
import pathlib, sys
from models.channels.accounts import ChannelAccount
from models.ports.inbound import Unparseable
from queues import channels, parsing
parsing._preload()
before = set(sys.modules)
for name, config in ACCOUNTS.items():
    channel, _, account = name.partition(".")
    parser = channels.get(channel).parser
    events = [path for path in pathlib.Path("queues/channels", channel, "fixtures").rglob("*") if path.is_file()]
    assert events
    for event in events:
        try:
            parser.parse(event.read_bytes(), {}, ChannelAccount(channel, account, 1, config))
        except Unparseable:
            pass
late = sorted(set(sys.modules) - before)
"""
# Structs are searched for among all objects, not by the means of the program under test.
_TELL = """
import gc, json, sys
import msgspec
from models.kernel import type_info
found = [one for one in gc.get_objects() if isinstance(one, type(msgspec.Struct)) and one is not msgspec.Struct]
ours = [one for one in found if one.__module__.split(".")[0] in ("functions", "models", "queues", "scripts")]
print(json.dumps({
    "structs": sorted(f"{one.__module__}.{one.__qualname__}" for one in ours),
    "missing": sorted(
        f"{one.__module__}.{one.__qualname__}"
        for one in ours
        if not type_info.is_built(one) and not type_info.is_only_encoded(one)
    ),
    "modules": sorted(sys.modules),
    "late": globals().get("late", []),
}))
"""


def told_by(program: str) -> dict[str, list[str]]:
    """What a fresh process says of itself after the program; it has the production settings and no server."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", program + _TELL],
        cwd=REPOSITORY,
        env={
            **kept,
            "SECRET_KEY": "k" * 40,
            "DATABASE_URL": "postgresql://nobody:nothing@127.0.0.1:1/nothing",
            "BROKER_URL": "amqp://nobody:nothing@127.0.0.1:1/nothing",
        },
        capture_output=True,
        text=True,
        timeout=_timeout_s,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def started() -> dict[str, list[str]]:
    """A worker at the start of its threads."""
    return told_by(_STARTED)


@pytest.fixture(scope="module")
def worker() -> dict[str, list[str]]:
    """A worker that has had tasks of every channel."""
    return told_by(_WORKER)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_builds_the_type_information_of_every_struct_before_its_threads_start(
    function: str,
) -> None:
    """msgspec 0.22.0 built it in the first request's thread, and a second request ended the process by SIGSEGV."""
    found = told_by(_FUNCTION % function)

    assert found["structs"], "a function declares types"
    assert found["missing"] == []


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


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_module_with_structs_that_a_request_imports_is_loaded_by_one_thread(function: str) -> None:
    """`imports.load` builds the type information of such a module before any thread gets it; a bare import does not."""
    loaded = set(told_by(_FUNCTION % function)["modules"])
    by_name = {module.name: module for module in modules("functions", "queues", "models")}
    graph = {name: at_import(module) for name, module in by_name.items()}
    late = {name for name, module in by_name.items() if structs_of(module) and name not in loaded}

    found = reachable(f"functions.{function}.app")
    with_loads = loaded.union(*({name} | reached_from(graph, name) for module in found for name in loads_of(module)))
    bare = [
        f"{module.at(line)} imports {name}"
        for module in found
        for line, name in imports_in_functions(module)
        # A module that is itself loaded late finds there what the loads have brought.
        if ({name} | reached_from(graph, name)) & late - (loaded if module.name in loaded else with_loads)
        and name not in loads_of(module)
    ]

    assert bare == []


def loads_of(module: Module) -> set[str]:
    """The modules that are named in `imports.load`."""
    return {
        argument.value
        for call in module.calls()
        if dotted(call.func) == "imports.load"
        for argument in call.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }


def structs_of(module: Module) -> list[str]:
    """The classes of a module that are Structs, by the names of their bases."""
    found: list[str] = []
    known = {"msgspec.Struct", "Struct"}
    for node in module.tree.body:
        if isinstance(node, ast.ClassDef) and any(dotted(base) in known for base in node.bases):
            found.append(node.name)
            known.add(node.name)
    return found


def reachable(name: str) -> list[Module]:
    """Every module of ours that can be imported from there, also by imports inside functions."""
    by_name = {module.name: module for module in modules("functions", "queues", "models")}
    found: dict[str, Module] = {}
    waiting = [name]
    while waiting:
        module = by_name.get(waiting.pop())
        if module is not None and module.name not in found:
            found[module.name] = module
            waiting.extend(imported for _, imported in module.imports())
    return list(found.values())


def test_what_msgspec_decodes_is_a_struct_or_is_declared() -> None:
    """Structs are found by themselves; a dataclass has to be declared (`type_info.declare`)."""
    forgotten = []
    for module in modules("functions", "queues", "models"):
        for call, name in decoded_types(module):
            kind = getattr(importlib.import_module(module.name), name, None)
            if not inspect.isclass(kind) or kind.__module__ in ("builtins", "typing"):
                continue  # a parameter, or a container of the types that are looked at beside it
            if not issubclass(kind, msgspec.Struct) and kind not in type_info.loaded():
                forgotten.append(f"{module.at(call.lineno)} decodes {name}")

    assert forgotten == []


def test_no_code_decodes_a_type_that_is_only_encoded() -> None:
    """Its type information would be built by the first thread that decodes it."""
    decoded = []
    for module in modules("functions", "queues", "models", "scripts"):
        for call, name in decoded_types(module):
            kind = getattr(importlib.import_module(module.name), name, None)
            if inspect.isclass(kind) and type_info.is_only_encoded(kind):
                decoded.append(f"{module.at(call.lineno)} decodes {name}")

    assert decoded == []
    assert type_info.is_only_encoded(ticket_payloads.TicketCreated)
    assert not type_info.is_only_encoded(payloads.IngestEvent)


def decoded_types(module: Module) -> Iterator[tuple[ast.Call, str]]:
    """The names in the type argument of each decoding."""
    for call in module.calls():
        called = dotted(call.func)
        kinds: list[ast.expr] = []
        if called == "msgspec.convert":
            kinds = call.args[1:2]
        elif called.startswith("msgspec.") and called.endswith((".decode", ".Decoder")):
            kinds = [one.value for one in call.keywords if one.arg == "type"] + (
                call.args[:1] if called.endswith(".Decoder") else []
            )
        for kind in kinds:
            yield from ((call, node.id) for node in ast.walk(kind) if isinstance(node, ast.Name))


def test_the_search_for_decoded_types_finds_them() -> None:
    """The test above would pass for nothing if the search found nothing."""
    found = {name for module in modules("functions", "models") for _, name in decoded_types(module)}

    assert found >= {"Clock", "RuleTrace", "RatingShown"}


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
    """A task's thread imports a channel under the lock, while the threads of other tasks run without the lock."""
    assert late_imports(set(started["modules"])) == []


def test_a_started_worker_has_loaded_every_actor_and_no_channels_parts(started: dict[str, list[str]]) -> None:
    """On main at 903fe5f an idle worker held the folders of all channels with accounts: 26 MiB of libraries."""
    loaded = set(started["modules"])

    assert {f"queues.actors.{kind}" for kind in actors.names()} <= loaded
    assert {"queues.runner", "cel", "jinja2"} <= loaded
    assert [
        name for name in sorted(loaded) if within(name, *(f"queues.channels.{channel}" for channel in CHANNELS))
    ] == []
    assert {"telegram", "httpx", "imapclient", "cryptography", "markdown_it", "obstore"} & loaded == set()


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
        if not inside_late(module, line)
    ]

    assert bare == []


def inside_late(module: Module, line: int) -> bool:
    """Whether the line is in the block of a `with imports.late()`."""
    return any(
        isinstance(node, ast.With)
        and node.lineno <= line <= (node.end_lineno or node.lineno)
        and any(
            isinstance(one.context_expr, ast.Call) and dotted(one.context_expr.func) == "imports.late"
            for one in node.items
        )
        for node in ast.walk(module.tree)
    )


def test_a_worker_holds_no_command_line_of_its_libraries(worker: dict[str, list[str]]) -> None:
    """650d475: `cel` and `httpx` brought typer, rich, prompt_toolkit and Pygments, 12 MiB in each worker."""
    assert {"cel", "httpx"} <= set(worker["modules"])
    assert {"click", "prompt_toolkit", "pygments", "rich", "typer"} & set(worker["modules"]) == set()


def late_imports(loaded: set[str]) -> list[str]:
    """The imports inside functions of loaded modules that tasks use, of modules that are not loaded."""
    known = {module.name for module in modules("models", "queues")}
    return [
        f"{module.at(line)} imports {name}"
        for module in modules("models", "queues")
        if module.name in loaded and not within(module.name, *NO_TASK_CALLS)
        for line, name in imports_in_functions(module)
        if name not in loaded and name not in NOT_FOR_TASKS and (name in known or not within(name, "models", "queues"))
    ]


def imports_in_functions(module: Module) -> Iterator[tuple[int, str]]:
    for function in ast.walk(module.tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.Import):
                    yield from ((node.lineno, alias.name) for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module:
                    yield node.lineno, node.module
                    if within(node.module, "functions", "models", "queues"):
                        yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def test_parsers_import_nothing_after_the_childs_start() -> None:
    """Every recorded event of every channel. An import that fails there would look like a fault of the event."""
    accounts = {
        path.stem: yaml.safe_load(path.read_text()) for path in (REPOSITORY / "workflow_defs/channels").glob("*.yaml")
    }

    late = told_by(_PARSERS.replace("ACCOUNTS", repr(accounts)))["late"]

    assert [name for name in late if not name.startswith(CODECS)] == []


# Files of Python's own library without imports that could block each other; the codecs' registry loads one when a mail
# names its charset.
CODECS = ("encodings.", "_codecs_", "_multibytecodec")
