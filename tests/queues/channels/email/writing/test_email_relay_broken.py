"""Relays that break the rules: nothing is taken for sent, nobody waits for ever, and nothing of the
mail is repeated.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from models.kernel import limits
from queues.channels.email.send import send
from tests.queues.channels import golden
from tests.queues.channels.email.messages import MESSAGE

HANG_UP = b""
SILENCE = b"-"
_GOOD = [
    b"220 here\r\n",
    b"250 here\r\n",
    b"250 OK\r\n",
    b"250 OK\r\n",
    b"354 go\r\n",
    b"250 OK\r\n",
    b"221 bye\r\n",
]
GREETING, EHLO, MAIL, RCPT, DATA, DOT = range(6)


class Relay:
    """Answers step by step as listed; an answer SILENCE waits until the client gives up."""

    def __init__(self, **changed: bytes) -> None:
        self._answers = list(_GOOD)
        for step, answer in changed.items():
            self._answers[globals()[step]] = answer
        self._over = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"smtp://127.0.0.1:{self._socket.getsockname()[1]}"
        self.thread = threading.Thread(target=self._serve, name="broken relay", daemon=True)
        self.thread.start()

    def close(self) -> None:
        self._over.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self.thread.join(10)

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            connection, _ = self._socket.accept()
            with connection, connection.makefile("rb") as lines:
                for step, answer in enumerate(self._answers):
                    if step == DOT:
                        while lines.readline() not in (b".\r\n", b""):
                            pass
                    elif step != GREETING:
                        lines.readline()
                    if answer == SILENCE:
                        self._over.wait(30)
                    if answer in (SILENCE, HANG_UP):
                        return
                    connection.sendall(answer)


@pytest.fixture
def relays() -> Iterator[list[Relay]]:
    made: list[Relay] = []
    yield made
    for relay in made:
        relay.close()


LONG = b"250-" + b"x" * 20_000 + b"\r\n"


@pytest.mark.parametrize(
    ("step", "answer", "kind", "said"),
    [
        ("GREETING", HANG_UP, "transient", "connecting"),
        ("GREETING", SILENCE, "transient", "connecting failed (TimeoutError)"),
        ("GREETING", b"HTTP/1.1 400 Bad Request\r\n\r\n", "transient", "connecting"),
        ("GREETING", b"554 5.7.1 not you\r\n", "transient", "connecting: 554"),
        ("GREETING", b"421 too busy\r\n", "transient", "connecting: 421"),
        ("GREETING", b"220 " + b"x" * 20_000 + b"\r\n", "transient", "connecting"),
        ("EHLO", SILENCE, "transient", "the greeting failed (TimeoutError)"),
        ("EHLO", HANG_UP, "transient", "the greeting failed"),
        ("EHLO", LONG, "transient", "the greeting"),
        ("MAIL", SILENCE, "transient", "the envelope failed (TimeoutError)"),
        ("MAIL", b"nonsense\r\n", "transient", "MAIL: -1"),
        ("RCPT", b"421 4.3.2 going down\r\n", "transient", "RCPT: 421"),
        ("RCPT", LONG, "transient", "the envelope"),
        ("DATA", b"250 what\r\n", "transient", "DATA: 250"),
        ("DOT", SILENCE, "unknown", "before the mail server confirmed (TimeoutError)"),
        ("DOT", HANG_UP, "unknown", "before the mail server confirmed"),
        ("DOT", b"nonsense\r\n", "unknown", "something else than a reply code"),
        ("DOT", LONG, "unknown", "before the mail server confirmed"),
        ("DOT", b"552 5.3.4 too large\r\n", "permanent", "the mail: 552 5.3.4 too large"),
    ],
    ids=lambda value: value[:20].decode("ascii").strip() if isinstance(value, bytes) else str(value)[:20],
)
def test_each_broken_step_has_its_outcome(
    relays: list[Relay], monkeypatch: pytest.MonkeyPatch, step: str, answer: bytes, kind: str, said: str
) -> None:
    monkeypatch.setattr(limits, "send_connect_timeout_s", 1.0)
    monkeypatch.setattr(limits, "send_read_timeout_s", 1.0)
    relays.append(Relay(**{step: answer}))
    monkeypatch.setenv("NESTOR_SECRET_TEST_SMTP_URL", relays[0].url)

    outcome = send(MESSAGE, golden.EMAIL, golden.settings())

    assert (outcome.kind, said in outcome.detail) == (kind, True), outcome
    assert outcome.suppress is None
    assert len(outcome.detail) < 400


def test_a_relay_that_breaks_nothing_takes_the_mail(relays: list[Relay], monkeypatch: pytest.MonkeyPatch) -> None:
    relays.append(Relay())
    monkeypatch.setenv("NESTOR_SECRET_TEST_SMTP_URL", relays[0].url)

    assert send(MESSAGE, golden.EMAIL, golden.settings()).kind == "accepted"
