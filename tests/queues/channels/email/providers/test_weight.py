"""What the webhook function pays for a provider: no HTTP client, no cryptography, no mail library before a request needs one."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.architecture.code import REPOSITORY

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
        cwd=REPOSITORY, capture_output=True, text=True, timeout=_timeout_s, check=True,
    )  # fmt: skip

    loaded = set(json.loads(done.stdout))

    assert loaded & _HEAVY == set()
    assert "queues.channels.email.providers.ses.ingress" in loaded
