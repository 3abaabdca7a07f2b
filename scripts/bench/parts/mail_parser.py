"""(i) Raw mail: mails parsed a second, and the memory that one costs, by size (1 KB of text, 100 KB with a picture, 25
MB attached).

The standard library alone, beside it, does less: it splits and decodes, and finds neither text nor sender. Memory is
that of a process that reads one mail, above what it had with the parser loaded and the mail in its hands.
"""

from __future__ import annotations

import base64
import email
import email.policy
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from models.channels.accounts import ChannelAccount
from queues.channels.email.parse import read_mail
from scripts.bench.report import Report, Target

_SAMPLE_S = 1.0  # each mail is read again until this has passed
_CHILD_S_MAX = 120.0
_ACCOUNT = ChannelAccount("email", "bench", 1, {"address": "desk@example.test"})
_HEAD = (
    b"Received: from mx.example.test by desk.example.test; Mon, 16 Nov 2026 09:15:01 +0000\r\n"
    b"From: =?utf-8?q?Ad=C3=A0?= <ada@example.test>\r\n"
    b"To: desk@example.test\r\nSubject: =?utf-8?b?0J/RgNC40L3RgtC10YA=?= on fire\r\n"
    b"Date: Mon, 16 Nov 2026 09:15:00 +0000\r\n"
    b"Message-ID: <1@example.test>\r\nIn-Reply-To: <2@example.test>\r\nMIME-Version: 1.0\r\n"
)
_TYPED = b"Content-Type: text/%s; charset=utf-8\r\n\r\n"
_TEXT = "The printer on the third floor is on fire again, and nobody answers the phone.\r\n"
_QUOTE = "\r\nOn Mon, Nov 16, 2026 at 9:00 Desk <desk@example.test> wrote:\r\n" + "> How can we help you today?\r\n" * 5


MAILS: dict[str, Callable[[], bytes]] = {
    "1 KB": lambda: _HEAD + b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + (_TEXT * 5 + _QUOTE).encode(),
    "100 KB": lambda: _multipart(60_000),
    "25 MB": lambda: _multipart(25_000_000),
}


def measure() -> dict[str, dict[str, float]]:
    """Mails a second (`per_s`, and `library_per_s` for the standard library), and memory above the mail itself in MB
    (`peak_mb`, with `size_mb` to compare), by mail.
    """
    found: dict[str, dict[str, float]] = {"per_s": {}, "library_per_s": {}, "peak_mb": {}, "size_mb": {}}
    for name, make in MAILS.items():
        raw = make()
        found["per_s"][name] = _per_s(lambda raw=raw: read_mail(raw, {}, _ACCOUNT))  # type: ignore[misc]
        found["library_per_s"][name] = _per_s(lambda raw=raw: _by_library(raw))  # type: ignore[misc]
        found["peak_mb"][name] = _peak_mb(name)
        found["size_mb"][name] = len(raw) / 1e6
    return found


def print_rows(report: Report) -> None:
    """The rows of (i)."""
    found = measure()
    for name, per_s in found["per_s"].items():
        report.row(
            "i",
            f"mails of {name}",
            f"{per_s:.4g}/s ({found['library_per_s'][name]:.4g}/s: the library's split alone)",
        )
        peak, size = found["peak_mb"][name], found["size_mb"][name]
        target = Target(peak < 2 * size, "< 2 x the mail") if size > 1 else None
        report.row("i", "  memory above the mail", f"{peak:.1f} MB for {size:.3g} MB", target)


def _multipart(attachment_bytes: int) -> bytes:
    """Text, the same as HTML with 1,200 tags, and a file whose lines are made without a copy that would hide what the
    parser takes.
    """
    html = f"<p>{_TEXT}</p><div class='gmail_quote'>{_QUOTE}</div>" + "<p>x <b>y</b></p>" * 300
    texts = _parts(
        b"alternative",
        b"a",
        [_TYPED % b"plain" + (_TEXT * 20 + _QUOTE).encode(), _TYPED % b"html" + html.encode()],
    )
    line = base64.b64encode(bytes(range(57))) + b"\r\n"
    head = b"Content-Type: application/pdf; name=scan.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    return _HEAD + _parts(b"mixed", b"m", [texts, head + line * (attachment_bytes // 57)])


def _parts(kind: bytes, boundary: bytes, parts: list[bytes]) -> bytes:
    inner = b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts)
    return (
        b"Content-Type: multipart/"
        + kind
        + b"; boundary="
        + boundary
        + b"\r\n\r\n"
        + inner
        + b"--"
        + boundary
        + b"--\r\n"
    )


def _by_library(raw: bytes) -> int:
    message = email.message_from_bytes(raw, policy=email.policy.compat32)
    return sum(len(part.get_payload(decode=True) or b"") for part in message.walk() if not part.is_multipart())


def _per_s(read: Callable[[], object]) -> float:
    read()
    count, started = 0, time.perf_counter()
    while (passed := time.perf_counter() - started) < _SAMPLE_S:
        read()
        count += 1
    return count / passed


def _peak_mb(name: str) -> float:
    """In a process of its own: the most that one had before cannot be taken back."""
    command = [sys.executable, "-m", "scripts.bench.parts.mail_parser", name]
    done = subprocess.run(command, capture_output=True, check=True, timeout=_CHILD_S_MAX, env=dict(os.environ))
    return float(json.loads(done.stdout)["peak_mb"])


def _child(name: str) -> None:
    read_mail(MAILS["1 KB"](), {}, _ACCOUNT)  # what is loaded when needed
    read_mail(MAILS["100 KB"](), {}, _ACCOUNT)
    raw = MAILS[name]()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # proc(5): the peak begins anew
    before = _status_kb("VmHWM")
    parsed = read_mail(raw, {}, _ACCOUNT)
    after = _status_kb("VmHWM")
    sys.stdout.write(json.dumps({"peak_mb": (after - before) / 1000, "kind": type(parsed).__name__}))


def _status_kb(field: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))


if __name__ == "__main__":
    _child(sys.argv[1])
