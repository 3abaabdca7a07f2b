"""Both stores for the tests: a folder, and a real S3 server on a free port (moto's)."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

ACCESS_KEY, SECRET_KEY = "test-access-key", "test-secret-key"


class S3Server:
    """A running server with one bucket at a time."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint

    def url(self, bucket: str = "files", prefix: str = "desk/one") -> str:
        return f"s3://{bucket}/{prefix}?endpoint={self.endpoint}&region=us-east-1&access_key_id={ACCESS_KEY}"

    def make_bucket(self, name: str = "files") -> None:
        request = urllib.request.Request(f"{self.endpoint}/{name}", method="PUT")
        with urllib.request.urlopen(request, timeout=10):
            pass

    def keys(self, bucket: str = "files") -> list[str]:
        """All objects of the bucket, as the server itself tells."""
        with urllib.request.urlopen(f"{self.endpoint}/moto-api/data.json", timeout=10) as answer:
            data: Any = json.load(answer)
        found = data.get("s3", {}).get("FakeKey", [])
        return sorted({str(one.get("name")) for one in found})

    def reset(self) -> None:
        request = urllib.request.Request(f"{self.endpoint}/moto-api/reset", method="POST")
        with urllib.request.urlopen(request, timeout=10):
            pass


# A process of its own: what it holds in memory is not ours. It ends when its standard input does, so also when the
# tests are killed.
_SERVER = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""


@contextmanager
def s3_server() -> Iterator[S3Server]:
    """Start the server, and stop it."""
    with subprocess.Popen(
        [sys.executable, "-c", _SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        assert port.isdigit(), "the S3 server did not start"
        try:
            yield S3Server(f"http://127.0.0.1:{port}")
        finally:
            server.terminate()
