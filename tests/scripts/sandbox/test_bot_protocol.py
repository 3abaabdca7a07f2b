"""Requests as bytes: each body form, and that nonsense gets the Bot API's own error, never a traceback."""

import http.client
import json
import socket
import threading
from typing import Any

import pytest

from scripts.sandbox.client import SandboxProcess

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}


def _connect(sandbox: SandboxProcess) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(sandbox.bot_api_url.removeprefix("http://"), timeout=5)


def _ask(
    sandbox: SandboxProcess,
    path: str,
    body: str | bytes | None = None,
    headers: dict[str, str] | None = None,
    method: str = "POST",
) -> tuple[int, Any]:
    connection = _connect(sandbox)
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    content = json.loads(answer.read())
    connection.close()
    return answer.status, content


MULTIPART = (
    b'--b\r\nContent-Disposition: form-data; name="chat_id"\r\n\r\n7\r\n'
    b'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\nhi\r\n--b--\r\n'
)


@pytest.mark.parametrize(
    ("method", "path", "body", "headers"),
    [
        ("POST", "/bot1:a/sendMessage", "chat_id=7&text=hi", FORM),
        ("POST", "/bot1:a/SENDMESSAGE", '{"chat_id": 7, "text": "hi"}', JSON),
        ("POST", "/bot1:a/sendmessage", MULTIPART, {"Content-Type": "multipart/form-data; boundary=b"}),
        ("GET", "/bot1:a/sendMessage?chat_id=7&text=hi", None, {}),
        ("POST", "/bot1%3Aa/sendMessage?chat_id=7", "text=hi", FORM),
    ],
)
def test_parameters_are_read_from_each_form_that_the_real_server_reads(
    sandbox: SandboxProcess, method: str, path: str, body: str | bytes | None, headers: dict[str, str]
) -> None:
    status, answer = _ask(sandbox, path, body, headers, method)

    assert (status, answer["ok"]) == (200, True)
    assert answer["result"]["text"] == "hi"
    assert [entry["raw"] for entry in sandbox.outbox()] == [{"chat_id": "7", "text": "hi"}]


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "description"),
    [
        ("/", None, {}, 404, "Not Found"),
        ("/bot1:a/noSuchMethod", None, {}, 404, "Not Found"),
        ("/botnonsense/getMe", None, {}, 401, "Unauthorized"),
        ("/bot1:a/sendMessage", "text=hi", FORM, 400, "Bad Request: chat_id is empty"),
        ("/bot1:a/sendMessage", "chat_id=ada&text=hi", FORM, 400, "Bad Request: chat not found"),
        ("/bot1:a/sendMessage", "chat_id=7", FORM, 400, "Bad Request: message text is empty"),
        ("/bot1:a/sendMessage", "{", JSON, 400, "Bad Request: can't parse request as JSON"),
        ("/bot1:a/sendMessage", "[" * 100_000, JSON, 400, "Bad Request: can't parse request as JSON"),
        ("/bot1:a/sendMessage", "[]", JSON, 400, "Bad Request: request body must be a JSON object"),
        ("/bot1:a/sendMessage", b"\xff", FORM, 400, "Bad Request: strings must be encoded in UTF-8"),
        (
            "/bot1:a/sendMessage",
            b"--b\r\nbroken",
            {"Content-Type": "multipart/form-data; boundary=b"},
            400,
            "Bad Request: multipart body is not closed by its boundary",
        ),
        (
            "/bot1:a/sendMessage",
            "chat_id=7&text=hi&reply_markup=%7B",
            FORM,
            400,
            "Bad Request: object expected as reply markup",
        ),
        (
            "/bot1:a/sendMessage",
            "chat_id=7&text=hi&entities=%5B%7B%22type%22%3A1%7D%5D",
            FORM,
            400,
            "Bad Request: can't parse MessageEntity: expected an object with a type",
        ),
        ("/bot1:a/sendDocument", "chat_id=7", FORM, 400, "Bad Request: there is no document in the request"),
        (
            "/bot1:a/sendDocument",
            "chat_id=7&document=../x",
            FORM,
            400,
            "Bad Request: wrong file identifier/HTTP URL specified",
        ),
        (
            "/bot1:a/setWebhook",
            "url=ftp://x",
            FORM,
            400,
            "Bad Request: bad webhook: An HTTPS URL must be provided for webhook",
        ),
    ],
)
def test_a_bad_request_gets_the_bot_apis_own_error(
    sandbox: SandboxProcess,
    path: str,
    body: str | bytes | None,
    headers: dict[str, str],
    status: int,
    description: str,
) -> None:
    answer = _ask(sandbox, path, body, headers)

    assert answer == (status, {"ok": False, "error_code": status, "description": description})
    assert sandbox.outbox() == []


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"POST /bot1:a/getMe HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST /bot1:a/getMe HTTP/1.1\r\nContent-Length: 999999999999\r\n\r\n", 413),
        (b"POST /bot1:a/getMe HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", 431),
    ],
)
def test_what_is_not_http_is_refused_and_the_connection_closed(
    sandbox: SandboxProcess, request_bytes: bytes, status: int
) -> None:
    port = int(sandbox.bot_api_url.rpartition(":")[2])

    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(request_bytes)
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))

    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error_code"] == status


def test_an_upload_above_the_limit_is_answered_413_not_a_lost_connection(sandbox: SandboxProcess) -> None:
    part = b'--b\r\nContent-Disposition: form-data; name="document"; filename="x"\r\n\r\n'
    body = part + bytes(52 * 1024 * 1024) + b"\r\n--b--\r\n"

    status, answer = _ask(sandbox, "/bot1:a/sendDocument", body, {"Content-Type": "multipart/form-data; boundary=b"})

    assert (status, answer["description"]) == (413, "Request Entity Too Large")


def test_a_chunked_body_is_read(sandbox: SandboxProcess) -> None:
    connection = _connect(sandbox)

    connection.request("POST", "/bot1:a/sendMessage", iter([b"chat_id=7&", b"text=hi"]), FORM, encode_chunked=True)

    assert json.loads(connection.getresponse().read())["result"]["text"] == "hi"
    connection.close()


def test_one_connection_serves_many_requests(sandbox: SandboxProcess) -> None:
    connection = _connect(sandbox)
    connection.connect()
    first_socket = connection.sock

    for _ in range(50):
        connection.request("POST", "/bot1:a/sendMessage", "chat_id=7&text=hi", FORM)
        assert connection.getresponse().read()

    assert connection.sock is first_socket
    assert len(sandbox.outbox()) == 50
    connection.close()


def test_a_second_poll_ends_the_first_with_409(sandbox: SandboxProcess) -> None:
    answers: list[tuple[int, Any]] = []
    first = threading.Thread(target=lambda: answers.append(_ask(sandbox, "/bot1:a/getUpdates?timeout=4")))

    first.start()
    while first.is_alive():  # whichever poll came first is replaced by one of these
        _ask(sandbox, "/bot1:a/getUpdates?timeout=0")
    first.join()

    assert answers[0][0] == 409


def test_an_update_for_one_bot_is_not_seen_by_another(sandbox: SandboxProcess) -> None:
    sandbox.queue_update({"update_id": 9}, bot_id=1)

    assert _ask(sandbox, "/bot2:a/getUpdates")[1]["result"] == []
    assert _ask(sandbox, "/bot1:a/getUpdates")[1]["result"] == [{"update_id": 9}]
    assert _ask(sandbox, "/bot1:a/getUpdates?offset=10")[1]["result"] == []


def test_a_file_that_a_user_sends_can_be_downloaded(sandbox: SandboxProcess) -> None:
    file_id = sandbox.store_file(b"%PDF", filename="bill.pdf", content_type="application/pdf")

    _, answer = _ask(sandbox, f"/bot1:a/getFile?file_id={file_id}")
    connection = _connect(sandbox)
    connection.request("GET", f"/file/bot1:a/{answer['result']['file_path']}")

    assert connection.getresponse().read() == b"%PDF"
    connection.close()
