"""What threads meet for the first time: type information is built and modules are imported before the threads need
them.
"""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterator

import msgspec
import pytest
import yaml

from models.events import ticket_payloads
from models.kernel import type_info
from models.tasks import payloads
from tests.architecture.code import REPOSITORY, Module, dotted, modules
from tests.architecture.fresh_process import imports_in_functions, structs_of, told_by
from tests.architecture.test_import_circles import at_import, reached_from

FUNCTIONS = sorted(path.parent.name for path in (REPOSITORY / "functions").glob("*/app.py"))
_FUNCTION = """
import importlib
importlib.import_module("functions.%s.app").create_app()
"""
_PARSERS = """
import pathlib, sys
from models.channels.accounts import ChannelAccount
from models.ports.inbound import Unparseable
from queues import channels; from queues.parser import parsing
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


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_builds_the_type_information_of_every_struct_before_its_threads_start(
    function: str,
) -> None:
    """msgspec 0.22.0 built it in the first request's thread, and a second request ended the process by SIGSEGV."""
    found = told_by(_FUNCTION % function)

    assert found["structs"], "a function declares types"
    assert found["missing"] == []


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
