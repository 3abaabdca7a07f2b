"""The client of clamd, against a clamd of the tests' own and a real one."""

from __future__ import annotations

import io
import socket
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from models.kernel import limits
from models.kernel.errors import ConfigurationError
from models.kernel.settings import Settings
from queues.outside import scanner
from queues.outside.scanner import ScannerAway, Verdict
from tests.queues.clamd import Clamd
from tests.services.clamav import EICAR, STREAM_BYTES_MAX, ClamdServer

CLEAN = b"%PDF-1.7 an invoice"


@pytest.fixture
def clamd() -> Iterator[Clamd]:
    with Clamd() as made:
        yield made


@pytest.mark.parametrize(
    ("content", "verdict"),
    [
        (b"", Verdict("clean")),
        (CLEAN, Verdict("clean")),
        (b"x" * 300_000 + EICAR, Verdict("infected", "Eicar-Test-Signature")),
    ],
    ids=["empty", "clean", "infected in the fifth chunk"],
)
def test_a_file_is_sent_in_chunks_and_gets_its_verdict(clamd: Clamd, content: bytes, verdict: Verdict) -> None:
    assert scanner.scan(clamd.url, io.BytesIO(content)) == verdict
    assert clamd.scanned == [content]


def test_a_scanner_is_reached_by_a_socket_in_a_folder(tmp_path: Path) -> None:
    with Clamd(folder=tmp_path) as clamd:
        scanner.ping(clamd.url)
        assert scanner.scan(clamd.url, io.BytesIO(EICAR)).state == "infected"


def test_a_stream_above_the_scanners_own_limit_is_too_large() -> None:
    with Clamd(stream_bytes_max=100_000) as clamd:
        assert scanner.scan(clamd.url, io.BytesIO(b"x" * 5_000_000)).state == "too_large"


@pytest.mark.parametrize(
    "plan",
    [
        {"hangs_up": True},
        {"says": "stream: lstat() failed: No such file or directory. ERROR"},
        {"says": "UNKNOWN COMMAND"},
        {"says": "stream: OK then something else"},
    ],
    ids=["hangs up", "error", "unknown", "strange"],
)
def test_an_answer_that_is_no_verdict_is_no_verdict(plan: dict[str, Any]) -> None:
    with Clamd(**plan) as clamd, pytest.raises(ScannerAway):
        scanner.scan(clamd.url, io.BytesIO(CLEAN))


def test_a_scanner_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "scanner_ping_s", 0.2)

    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(ScannerAway, match="is away"):
        scanner.ping(f"tcp://127.0.0.1:{silent.getsockname()[1]}")


def test_a_real_clamd_scans_files_and_looks_into_archives(clamd_server: ClamdServer) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.txt", EICAR)

    for url in (clamd_server.url, clamd_server.socket_url):
        scanner.ping(url)
        states = [scanner.scan(url, io.BytesIO(found)).state for found in (b"", CLEAN, EICAR, packed.getvalue())]
        assert states == ["clean", "clean", "infected", "infected"]


@pytest.mark.parametrize("more_bytes", [1, 5_000_000])
def test_a_real_clamds_limit_is_a_state_of_its_own(clamd_server: ClamdServer, more_bytes: int) -> None:
    most = scanner.scan(clamd_server.url, io.BytesIO(b"x" * STREAM_BYTES_MAX))
    beyond = scanner.scan(clamd_server.url, io.BytesIO(b"x" * (STREAM_BYTES_MAX + more_bytes)))

    assert (most.state, beyond.state) == ("clean", "too_large")


@pytest.mark.parametrize("url", ["http://clamav:3310", "clamav:3310", "unix:clamd.ctl"])
def test_a_wrong_address_of_the_scanner_stops_the_start(url: str) -> None:
    with pytest.raises(ConfigurationError, match="SCANNER_URL"):
        Settings(scanner_url=url)
