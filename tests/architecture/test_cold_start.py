"""What a function has loaded when it answers its first request: cold start is a feature, and an import is its price."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from functions import listing
from models.kernel import imports
from tests.architecture.code import REPOSITORY

FUNCTIONS = [function.name for function in listing.FUNCTIONS]
# Worker-only, or needed by few requests and loaded by those. Each costs 20 to 250 ms.
HEAVY = (
    "telegram",
    "httpx",
    "httpcore",
    "anyio",
    "apscheduler",
    "requests",
    "urllib3",
    "yaml",
    "smtplib",
    "jinja2",
    "nh3",
    "aiosmtpd",
    "cel",
    "argon2",
    "zxcvbn",
    "webauthn",
    "OpenSSL",
    "charset_normalizer",
    "email_reply_parser",
    "gunicorn",
    "pytest",
    "sqlalchemy",
)
OURS_OF_WORKERS = (
    "queues.runner",
    "queues.actors",
    "queues.worker",
    "queues.scheduler",
    "queues.embedded",
    "scripts",
)
_timeout_s = 60.0

_BEGIN = """
import importlib, io, json, sys
app = importlib.import_module("functions.%s.app").create_app()
"""
_ONE_REQUEST = """
from wsgiref.util import setup_testing_defaults
body = json.dumps(%r).encode()
environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/webhooks/telegram/demo", "CONTENT_TYPE": "application/json",
    "CONTENT_LENGTH": str(len(body)), "HTTP_X_TELEGRAM_BOT_API_SECRET_TOKEN": "demo-secret",
    "wsgi.input": io.BytesIO(body)}
setup_testing_defaults(environ)
told = []
answer = b"".join(app(environ, lambda status, headers, exc_info=None: told.append(status)))
assert told[0].startswith("200"), (told, answer)
"""
_END = "print(json.dumps(sorted(sys.modules)))"


def loaded(program: str, **environment: str) -> list[str]:
    """The modules that a fresh process has after the program."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=REPOSITORY,
        env={**kept, "SECRET_KEY": "a key of forty-two characters for the test", **environment},
        capture_output=True,
        text=True,
        timeout=_timeout_s,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    names: list[str] = json.loads(done.stdout.splitlines()[-1])
    return names


def heavy(names: list[str]) -> list[str]:
    unwanted = (*HEAVY, *OURS_OF_WORKERS)
    loaded = [name for name in names if name not in imports.COMMAND_LINES]  # empty modules of ours
    return [name for name in loaded if any(name == h or name.startswith(h + ".") for h in unwanted)]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_starts_without_what_only_workers_need(function: str) -> None:
    """With the production settings, neither the broker's libraries nor a provider's are loaded. At 903fe5f each
    function loaded Dramatiq and pika before its first request.
    """
    names = loaded(
        _BEGIN % function + _END,
        DATABASE_URL="postgresql://nobody:nothing@127.0.0.1:1/nothing",
        BROKER_URL="amqp://nobody:nothing@127.0.0.1:1/nothing",
    )

    assert heavy(names) == []
    assert {"dramatiq", "pika", "queues.broker"} & set(names) == set()
    assert [name for name in names if name.startswith("queues.channels.")] == []


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_loads_no_other_function(function: str) -> None:
    """Each is an image of its own in all but name; the start of one must not pay for another."""
    names = loaded(_BEGIN % function + _END, DATABASE_URL="sqlite:///:memory:", BROKER_URL="embedded://")

    others = tuple(f"functions.{other}." for other in FUNCTIONS if other != function)
    assert [name for name in names if (name + ".").startswith(others)] == []


@pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)
def test_the_first_webhook_request_loads_the_channels_ingress_and_no_more(database_url: str) -> None:
    """Telegram waits for this answer; parsing and sending happen in a worker."""
    chat = {"id": 1, "type": "private"}
    update = {"update_id": 1, "message": {"message_id": 1, "date": 1, "chat": chat, "text": "Hello"}}

    names = loaded(
        _BEGIN % "webhooks" + _ONE_REQUEST % update + _END,
        DATABASE_URL=database_url,
        BROKER_URL="amqp://nobody:nothing@127.0.0.1:1/nothing",
        NESTOR_SECRET_TELEGRAM_DEMO_SECRET_TOKEN="demo-secret",
    )

    assert heavy(names) == []
    ours = {name.removeprefix("queues.channels.") for name in names if name.startswith("queues.channels.")}
    assert ours == {"secrets", "telegram", "telegram.channel", "telegram.account", "telegram.ingress"}
