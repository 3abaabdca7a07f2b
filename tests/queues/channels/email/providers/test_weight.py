"""What the webhook function pays for a provider: no HTTP client, no cryptography, no mail library before a request
needs one.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tracemalloc
from dataclasses import replace
from typing import Any

import pytest

from models.kernel.errors import Unauthenticated
from models.ports.inbound import IngressRequest
from queues.channels.email import providers
from tests.architecture.code import REPOSITORY
from tests.queues.channels import golden

_HEAVY = {"requests", "urllib3", "httpx", "cryptography", "charset_normalizer", "smtplib", "nh3", "obstore"}
_PROGRAM = """
import json, sys
from queues.channels.email import ingress, providers
for name in providers.names():
    providers.ingress(name)
print(json.dumps(sorted(sys.modules)))
"""
_timeout_s = 60.0


def test_every_providers_ingress_loads_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=_timeout_s,
        check=True,
    )

    loaded = set(json.loads(done.stdout))

    assert loaded & _HEAVY == set()
    assert "queues.channels.email.providers.ses.ingress" in loaded


@pytest.mark.parametrize(
    ("provider", "config"),
    [
        ("mailgun", {"signing_key": {"secret": "signing"}}),
        ("ses", {"topic_arns": ["arn:aws:sns:eu-west-1:1:desk"]}),
    ],
)
def test_megabytes_of_json_of_a_stranger_are_refused_unread(
    provider: str, config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NESTOR_SECRET_SIGNING", "key")
    body = b"[" + b"{}," * 700_000 + b"{}]"
    account = replace(golden.EMAIL, config={**golden.EMAIL.config, "provider": provider, **config})
    request = IngressRequest({}, body, "application/json")

    tracemalloc.start()
    with pytest.raises(Unauthenticated):
        providers.ingress(provider).verify(request, account, golden.settings())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 1_000_000


@pytest.mark.parametrize("name", ["timestamp", "token", "signature"])
@pytest.mark.parametrize("form", ["urlencoded", "escaped", "multipart"])
def test_a_signature_of_megabytes_is_refused_undecoded(name: str, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NESTOR_SECRET_SIGNING", "key")
    config = {**golden.EMAIL.config, "provider": "mailgun", "signing_key": {"secret": "signing"}}
    content_type, body = _form_of(form, name, 5_000_000)
    request = IngressRequest({}, body, content_type)

    tracemalloc.start()
    with pytest.raises(Unauthenticated):
        providers.ingress("mailgun").verify(request, replace(golden.EMAIL, config=config), golden.settings())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 1_000_000


def _form_of(form: str, name: str, bytes_max: int) -> tuple[str, bytes]:
    if form == "multipart":
        part = f'--mark\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode()
        return "multipart/form-data; boundary=mark", part + b"1" * bytes_max + b"\r\n--mark--\r\n"
    value = b"1" * bytes_max if form == "urlencoded" else b"%31" * (bytes_max // 3)
    return "application/x-www-form-urlencoded", f"{name}=".encode() + value
