"""Importing a module defines things and does nothing: no file, no socket, no thread, no look at the environment.

Work at import is paid by every cold start, happens before the fork, and ties a test to the machine that it runs on.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

from tests.architecture.code import REPOSITORY, modules

# gunicorn executes its configuration file; reading settings is what it is for.
CONFIGURATION = ("functions.gunicorn_conf",)
# python-telegram-bot reads this switch when it is imported, so it has to be set right before; workers only.
ALLOWED = ("reads the environment variable PTB_TIMEDELTA",)
_timeout_s = 60.0

_PROGRAM = '''
import importlib, json, os, sys, threading

ROOT = os.getcwd() + os.sep
VENV = os.path.join(ROOT, ".venv") + os.sep
WATCHED = ("open", "socket.", "sqlite3.connect", "subprocess.Popen", "os.system", "os.mkdir", "os.listdir",
    "os.scandir", "os.fork", "os.remove", "os.rename", "_thread.start_new_thread")
found = []
watching = False


def culprit():
    """The file of ours on whose behalf this runs; None when a package's own import does it."""
    frame = sys._getframe(2)
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith("<frozen importlib"):
            return None
        if name.startswith(ROOT) and not name.startswith(VENV):
            return f"{name[len(ROOT):]}:{frame.f_lineno}"
        frame = frame.f_back
    return None


def hook(event, arguments):
    if watching and event.startswith(WATCHED):
        place = culprit()
        if place is not None:
            found.append(f"{place} {event} {arguments[0] if arguments else ''}"[:200])


read = type(os.environ).__getitem__


def watched_read(self, key):
    if watching:
        place = culprit()
        if place is not None:
            found.append(f"{place} reads the environment variable {key}")
    return read(self, key)


type(os.environ).__getitem__ = watched_read
sys.addaudithook(hook)
names = json.loads(sys.argv[1])
watching = True
for name in names:
    importlib.import_module(name)
watching = False
print(json.dumps({"found": found, "threads": [t.name for t in threading.enumerate()]}))
'''


def watched_import(names: list[str]) -> dict[str, list[str]]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, json.dumps(names)],
        cwd=REPOSITORY,
        # Nonsense, so that a module that reads its settings at import fails outright.
        env={**kept, "DATABASE_URL": "bogus://", "BROKER_URL": "bogus://", "PORT": "bogus"},
        capture_output=True,
        text=True,
        timeout=_timeout_s,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_importing_every_module_does_no_work() -> None:
    names = [m.name for m in modules("models", "queues", "functions") if m.name not in CONFIGURATION]

    seen = watched_import(names)

    assert [line for line in seen["found"] if not line.endswith(ALLOWED)] == []
    assert seen["threads"] == ["MainThread"]


def test_the_watch_sees_work_where_there_is_some() -> None:
    """A watch that sees nothing would let everything pass: gunicorn's configuration reads its settings at import, so it
    must show.
    """
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, json.dumps(list(CONFIGURATION))],
        cwd=REPOSITORY,
        env={"PATH": os.environ.get("PATH", "")},
        capture_output=True,
        text=True,
        timeout=_timeout_s,
        check=False,
    )

    assert any("reads the environment variable" in line for line in json.loads(done.stdout)["found"])
