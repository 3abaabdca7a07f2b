"""The parser's child has no secret, no network and no right that parsing does not need, and answers with data only."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from models.kernel import settings
from models.kernel.errors import ConfigurationError, TransientFailure
from models.ports.inbound import Ignored, InboundMessage, Unparseable
from queues.parser import parser_frames, parsing
from queues.parser.parser_frames import ParserFailed
from tests.queues.channels.golden import EMAIL
from tests.queues.test_parsing import MAIL, large

ROOT = Path(__file__).resolve().parents[2]
linux = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's measures are Linux's")

_TRIES = {
    "socket": "import socket; socket.socket()",
    "udp": "import socket; socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)",
    "socketpair": "import socket; socket.socketpair()",
    "program": "import os; os.execv('/bin/true', ['true'])",
    "spawn": "import os; os.posix_spawn('/bin/true', ['true'], {})",
    "write": "open(path, 'w')",
    "append": "open(secret, 'a')",
    "remove": "import os; os.unlink(secret)",
    "rename": "import os; os.rename(secret, path)",
    "read a secret": "open(secret).read()",
    "read the data": "open(root + '/README.md').read()",
    "read a system file": "open('/etc/passwd').read()",
    "look into a process": "open(f'/proc/{parent}/environ', 'rb').read()",
    "end a process": "import os, signal; os.kill(parent, signal.SIGTERM)",
}
_MAY = {
    "import": "import encodings.koi8_r, email.mime.audio",
    "compute": "import hashlib; hashlib.sha256(b'x').hexdigest()",
    "random": "import os; os.urandom(8)",
    "time zone": "import datetime; datetime.datetime.now().astimezone()",
}


def confined(tmp_path: Path, tries: dict[str, str]) -> dict[str, Any]:
    """Run each piece of code in a process that is confined as the child is; name -> the exception, or None."""
    secret = tmp_path / "secret"
    secret.write_text("hunter2")
    program = f"""
        import json, os, sys
        from queues.parser import confinement, parsing
        parsing._preload()
        held, missing = confinement.confine(parsing._readable())
        root, secret, path, parent = {str(ROOT)!r}, {str(secret)!r}, {str(tmp_path / "new")!r}, os.getppid()
        found = {{}}
        for name, code in json.loads(sys.argv[1]).items():
            try:
                exec(code, dict(globals()))
                found[name] = None
            except BaseException as error:
                found[name] = type(error).__name__
        print(json.dumps({{"held": held, "missing": missing, "found": found}}))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), json.dumps(tries)],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@linux
def test_a_confined_process_may_parse_and_nothing_else(tmp_path: Path) -> None:
    answer = confined(tmp_path, _TRIES | _MAY)
    files = {"write", "append", "read a secret", "read the data", "read a system file", "look into a process"}

    assert {"limits", "no_new_privs"} <= set(answer["held"])
    if platform.machine() in ("x86_64", "aarch64"):
        assert "seccomp" in answer["held"]
    refused = {name for name, error in answer["found"].items() if error == "PermissionError"}
    expected = set(_TRIES) - (files if "landlock" in answer["missing"] else set())
    assert refused == expected
    assert {answer["found"][name] for name in _MAY} == {None}
    assert (tmp_path / "secret").read_text() == "hunter2"


@pytest.fixture
def secrets_given(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process has the desk's secrets in its environment."""
    for name in ("SECRET_KEY", "NESTOR_SECRET_EMAIL_DEMO_BEARER", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "hunter2 is a key of some forty characters here")
    monkeypatch.setenv("DATABASE_URL", "postgresql://nestor:hunter2@127.0.0.1/nestor")
    settings.current.cache_clear()
    yield
    monkeypatch.undo()
    settings.current.cache_clear()


@linux
@pytest.mark.usefixtures("secrets_given")
def test_the_child_itself_has_no_secret_in_its_environment() -> None:
    parsing.close()
    try:
        parsed = parsing.parse("email", large(), {}, EMAIL)
        child = parsing._child.process
        assert child is not None
        names = {entry.partition(b"=")[0].decode() for entry in environment(child.pid).split(b"\0") if entry}
        descriptors = os.listdir(f"/proc/{child.pid}/fd") if os.access(f"/proc/{child.pid}/fd", os.R_OK) else []
        status = Path(f"/proc/{child.pid}/status").read_text(encoding="utf-8")
    finally:
        parsing.close()

    assert isinstance(parsed, InboundMessage)
    assert names <= set(parsing._ENVIRONMENT)
    assert len(descriptors) <= 8
    assert "NoNewPrivs:\t1" in status
    assert "Seccomp:\t2" in status


def environment(pid: int) -> bytes:
    """The environment of a process that is not dumpable belongs to root."""
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except PermissionError:
        return b""


@pytest.mark.usefixtures("secrets_given")
def test_a_mail_of_ours_is_recognised_by_a_child_without_the_key() -> None:
    from queues.channels.email.judging.automatic import DESK_HEADER, desk_id

    mark = desk_id("desk@example.test")
    ours = b"From: desk@example.test\r\n" + MAIL[MAIL.index(b"Subject:") :]
    ours = large(ours.replace(b"Subject:", f"{DESK_HEADER}: {mark}\r\nSubject:".encode()))

    small = parsing.parse("email", ours[: ours.index(b"QUJD")] + b"\r\n--cut--\r\n", {}, EMAIL)
    parsed = parsing.parse("email", ours, {}, EMAIL)
    parsing.close()

    assert type(small) is type(parsed)
    assert getattr(small, "automatic", "own") == getattr(parsed, "automatic", "own") == "own"


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (Unparseable("no sender"), Unparseable),
        (parsing.TookTooLong(), Unparseable),
        (ConfigurationError("auth is missing"), ConfigurationError),
        (TransientFailure("again"), TransientFailure),
        (ValueError("a bug"), ValueError),
        (ImportError("no module"), ImportError),
        (UnicodeDecodeError("utf-8", b"x", 0, 1, "why"), ParserFailed),
        (type("Odd", (Exception,), {})("a bug"), ParserFailed),
    ],
)
def test_an_exception_keeps_its_meaning(raised: Exception, kind: type[Exception]) -> None:
    with pytest.raises(kind) as told:
        parser_frames.result_of(parser_frames.raised_bytes(raised))

    assert str(raised) in str(told.value)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x80\x04\x95",
        msgspec.msgpack.encode(["InboundMessage", msgspec.msgpack.encode({"author_address": 7}), None]),
        msgspec.msgpack.encode(["os.system", msgspec.msgpack.encode({"command": "true"}), None]),
        msgspec.msgpack.encode(["SystemExit", b"", "0"]),
        msgspec.msgpack.encode(["Ignored", b"", None]),
    ],
)
def test_an_answer_of_another_form_is_an_error_and_nothing_else(answer: bytes) -> None:
    with pytest.raises(ParserFailed):
        parser_frames.result_of(answer)


def test_a_result_passes_unchanged() -> None:
    for parsed in (Ignored("a reason"), parsing.parse("email", MAIL, {}, EMAIL)):
        assert parser_frames.result_of(parser_frames.parsed_bytes(parsed)) == parsed
