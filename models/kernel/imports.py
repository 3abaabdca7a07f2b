"""Imports modules that are needed late, by one thread at a time.

A function imports a heavy library at its first use, in a request's thread. When two threads import a package and one of
its modules at the same moment, each holds a lock that the other one needs. Python detects that and raises
`_DeadlockError` in one of the threads, or gives it a module that is half initialised
(https://github.com/python/cpython/issues/83065). A worker imports its actors and what they use before its threads start
(`queues/processes/preloading.py`); `load` is for the processes that cannot afford this, and for a channel at its first
task.
"""

from __future__ import annotations

import gc
import importlib
import pkgutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from models.kernel import type_info

_lock = threading.RLock()  # re-entrant: a module may load another one while it is imported
_loaded: set[str] = set()
_started = False

# Two libraries import their command line with the package: typer, rich, prompt_toolkit, click and Pygments, 12 MiB in
# each process and 60 ms at the first condition of a request. Nobody calls it here, so an empty module takes its place.
# httpx catches the ImportError that follows; cel only binds the name.
COMMAND_LINES = ("cel.cli", "httpx._main")
for _name in COMMAND_LINES:
    sys.modules.setdefault(_name, ModuleType(_name))


def load(*names: str) -> ModuleType:
    """Import the modules, and build the type information of their Structs; returns the last module.

    A thread gets the module when it is complete, whichever thread imported it.
    """
    if not _loaded.issuperset(names):
        with _lock:
            for name in names:
                importlib.import_module(name)
            type_info.build()
            _loaded.update(names)
    return importlib.import_module(names[-1])


@contextmanager
def at_start() -> Iterator[None]:
    """Run the imports of a process's start without garbage collection, and exempt what they made from all later ones.

    Imports make some 50,000 objects that live as long as the process. Collecting while they are made costs a tenth of a
    cold start's CPU, and each full collection later would walk over them, which takes 20 ms. Only the first start of a
    process does this: a later one would exempt garbage that waits for its collection.
    """
    global _started
    if _started:
        yield
        return
    _started = True
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def late() -> Iterator[None]:
    """Let one thread at a time run the import statements of a `with` block, and build the type information of their
    Structs.
    """
    with _lock:
        yield
        type_info.build()


def load_all(package: str, *, called: str | None = None) -> None:
    """Import every module of a package and of its packages, or those that are `called` so. Raises ImportError."""
    with _lock:
        found = pkgutil.walk_packages(load(package).__path__, f"{package}.", onerror=_raise)
        names = sorted(module.name for module in found)
        load(*(name for name in names if called is None or name.rpartition(".")[2] == called))


def _raise(name: str) -> None:
    raise  # walk_packages calls this inside its `except`, and would ignore the ImportError


def failed(error: BaseException) -> bool:
    """Return True if the exception says that an import failed. Another try may succeed: memory or file
    descriptors were short.
    """
    if isinstance(error, ImportError):
        return True
    if type(error).__name__ == "_DeadlockError":  # a private class of importlib
        return True
    return isinstance(error, AttributeError) and "partially initialized module" in str(error)
