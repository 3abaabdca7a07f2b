"""The TLS context for mail servers: the machine's certificate authorities and those that an account names."""

from __future__ import annotations

import ssl
from functools import lru_cache
from pathlib import Path


def client_context(ca_file: str | None) -> ssl.SSLContext:
    """Return a context that checks certificate and host name. Raises OSError or ssl.SSLError for an unusable file.

    Reading the machine's authorities takes 20 ms, so the context is kept until the file changes.
    """
    return _context(ca_file, None if ca_file is None else Path(ca_file).stat().st_mtime_ns)


@lru_cache(maxsize=16)
def _context(ca_file: str | None, changed_at_ns: int | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    return context
