"""Where and under which names the embedded desk answers: foreign Host headers, clear text, TLS."""

from __future__ import annotations

import argparse
import datetime
import ipaddress
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from models.kernel.errors import ConfigurationError
from scripts.desk import hosts
from scripts.desk.__main__ import Desk
from tests.services.ports import free_port
from tests.services.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
NAMES = hosts.own("http://desk.test:8080")


@pytest.mark.parametrize(
    "header", ["127.0.0.1:8080", "localhost", "LOCALHOST:1", "[::1]:8080", "desk.test", "localhost.:80", ""]
)
def test_the_demo_answers_under_its_own_names(header: str) -> None:
    assert hosts.is_own(header, NAMES)


@pytest.mark.parametrize(
    "header",
    ["evil.test", "evil.test:8080", "127.0.0.1.evil.test", "localhost@evil.test", "evil.test#localhost", "[::1", "x y"],
)
def test_the_demo_refuses_other_names(header: str) -> None:
    assert not hosts.is_own(header, NAMES)


def options(tmp_path: Path, **changed: Any) -> argparse.Namespace:
    given = {
        "data_dir": str(tmp_path / "var"),
        "host": "127.0.0.1",
        "port": free_port(),
        "reset": False,
        "no_demo": True,
        "tls": None,
        "behind_proxy": False,
    }
    return argparse.Namespace(**{**given, **changed})


def test_a_desk_without_tls_listens_on_loopback_only(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"in clear text.*--tls CERT KEY.*--behind-proxy"):
        Desk(options(tmp_path, host="0.0.0.0"))._check_address()


def test_a_proxy_or_a_certificate_permits_other_addresses(tmp_path: Path) -> None:
    Desk(options(tmp_path, host="0.0.0.0", behind_proxy=True))._check_address()
    Desk(options(tmp_path, host="0.0.0.0", tls=certificate(tmp_path)))._check_address()


def test_the_demo_stays_on_loopback_even_with_tls(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="the demo's passwords are public"):
        Desk(options(tmp_path, host="0.0.0.0", no_demo=False, tls=certificate(tmp_path)))._check_address()


def test_a_file_that_is_no_certificate_is_refused_with_its_name(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    Path(cert).write_text("nothing")

    with pytest.raises(ConfigurationError, match=r"cert\.pem .*expected a certificate and its key"):
        Desk(options(tmp_path, tls=[cert, key]))._check_address()


def certificate(folder: Path) -> list[str]:
    """Write a certificate for 127.0.0.1 and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "desk")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    )
    return [str(folder / "cert.pem"), str(folder / "key.pem")]


def test_the_whole_desk_serves_https_and_the_demo_refuses_foreign_names(tmp_path: Path) -> None:
    port, (cert, key) = free_port(), certificate(tmp_path)
    command = [sys.executable, "-m", "scripts.desk", "--port", str(port), "--data-dir", str(tmp_path / "var")]
    desk = subprocess.Popen(
        [*command, "--tls", cert, key], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, start_new_session=True
    )
    url = f"https://127.0.0.1:{port}"

    def is_up() -> bool:
        assert desk.poll() is None, "the desk ended"
        try:
            return requests.get(f"{url}/healthz", verify=cert, timeout=2).ok
        except (requests.ConnectionError, requests.Timeout):
            return False

    try:
        wait_until(is_up, within_s=60, what="the desk answers by HTTPS")
        own = requests.get(f"{url}/v1/me", headers={"Authorization": "Bearer demo-key"}, verify=cert, timeout=10)
        foreign = requests.get(f"{url}/v1/me", headers={"Host": "evil.test"}, verify=cert, timeout=10)
        page = requests.get(url, verify=cert, timeout=10)
        with pytest.raises(requests.ConnectionError):
            requests.get(f"http://127.0.0.1:{port}/healthz", timeout=10)
    finally:
        os.killpg(desk.pid, signal.SIGINT)
        desk.wait(30)

    assert own.json()["kind"] == "api_key"
    assert own.headers["strict-transport-security"].startswith("max-age=")
    assert (foreign.status_code, foreign.json()["code"]) == (421, "misdirected")
    assert (page.status_code, page.url) == (200, f"{url}/sandbox"), "the start of the demo"
    assert "style-src 'self'" in page.headers["content-security-policy"]
