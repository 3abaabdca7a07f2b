"""The control port refuses what it does not understand, and says what it expected."""

from typing import Any

import pytest

from scripts.sandbox.client import SandboxError, SandboxProcess


@pytest.mark.parametrize(
    ("method", "path", "body", "complaint"),
    [
        ("POST", "/faults", {"kind": "explode"}, "kind: expected one of"),
        ("POST", "/faults", {"kind": "429", "retry_after": -1}, "retry_after: expected a number"),
        ("POST", "/faults", {"kind": "429", "times": 0}, "times: expected a number from 1"),
        ("POST", "/faults", {"kind": "429", "chat": 7}, "unknown field 'chat'"),
        ("POST", "/faults", {"kind": "429", "chat_id": [7]}, "chat_id: expected an integer"),
        ("POST", "/mail-faults", {"kind": "reject", "stage": "helo"}, "stage: expected one of"),
        ("POST", "/mail-faults", {"kind": "reject", "code": 250}, "code: expected a number from 400 to 599"),
        ("POST", "/mail-faults", {"kind": "reject", "text": "a\r\n250 OK"}, "text of one line"),
        ("POST", "/updates", {"update_id": "x"}, "update_id: expected a positive integer"),
        ("PATCH", "/settings", {"unknown_chats": 7}, "unknown_chats: expected a list"),
        ("PATCH", "/settings", {"rates": True}, "unknown setting 'rates'"),
        ("GET", "/outbox?channel=fax", None, "channel: expected telegram, email or webhook"),
        ("GET", "/outbox?since=x", None, "since: expected a whole number"),
        ("GET", "/outbox?chanel=email", None, "unknown parameter 'chanel'"),
        ("GET", "/chat?bot_id=1", None, "expected bot_id and chat_id"),
        ("PUT", "/outbox", {}, "takes DELETE, GET, not PUT"),
        ("GET", "/nothing", None, "no such path; known: /chat, /faults"),
        ("POST", "/updates", None, "the body is not JSON"),
    ],
)
def test_a_mistake_is_answered_with_what_was_expected(
    sandbox: SandboxProcess, method: str, path: str, body: dict[str, Any] | None, complaint: str
) -> None:
    with pytest.raises(SandboxError) as refused:
        sandbox.control(method, path, body)

    assert complaint in str(refused.value)


def test_waiting_faults_are_listed_with_how_often_they_hit(sandbox: SandboxProcess) -> None:
    sandbox.fail("429", method="sendMessage", chat_id=7, times=2, retry_after=5)

    (fault,) = sandbox.control("GET", "/faults")["items"]

    assert (fault["kind"], fault["times"], fault["hits"]) == ("429", 2, 0)
    assert fault["description"] == "Too Many Requests: retry after 5"


def test_it_says_that_it_lives(sandbox: SandboxProcess) -> None:
    assert sandbox.control("GET", "/healthz") == {"status": "ok", "sequence": 0}


def test_a_client_without_a_sandbox_says_so() -> None:
    with pytest.raises(SandboxError, match="no sandbox at"):
        SandboxProcess().outbox()
