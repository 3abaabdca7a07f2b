"""The caller of a request: its network address, its network for logs, and the record of refused rights."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from functools import lru_cache

import falcon

from functions.http.operations import Operation
from models.audit import entries
from models.audit.actions import AuditAction, Outcome
from models.kernel import limits


def client_address(req: falcon.Request, trusted_proxies: int) -> str:
    """Return the client's address: the peer of the connection, or behind TRUSTED_PROXIES proxies the entry that the
    outermost proxy added to X-Forwarded-For.

    Entries further left come from the client and are not trusted.
    """
    if trusted_proxies > 0:
        header = req.get_header("X-Forwarded-For") or ""
        hops = [part.strip() for part in header.split(",") if part.strip()]
        if hops:
            return hops[-min(trusted_proxies, len(hops))]
    return req.remote_addr or "unknown"


@lru_cache(maxsize=1_000)  # some 200 bytes each
def network_of(address: str) -> str:
    """Return the caller's network for a log line: /24 of IPv4, /48 of IPv6; "unknown" for anything else.

    Logs hold no whole address, because it identifies a person (GDPR, recital 30).
    """
    # Loaded at the first request: a cold start needs no addresses.
    import ipaddress

    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if parsed.version == 6 and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return str(ipaddress.ip_network((int(parsed), 24 if parsed.version == 4 else 48), strict=False))


_recent: OrderedDict[tuple[str, str], float] = OrderedDict()
_lock = threading.Lock()


def record_refusal(caller: str, operation: Operation) -> None:
    """Record that a caller lacks the permission of an operation; at most once per `limits.audit_refusal_repeat_s` in
    this process.
    """
    name, now = f"{operation.method}:{operation.path}", time.monotonic()
    with _lock:
        last = _recent.get((caller, name))
        if last is not None and now - last < limits.audit_refusal_repeat_s:
            return
        _recent[caller, name] = now
        _recent.move_to_end((caller, name))
        if len(_recent) > limits.audit_refusals_remembered:
            _recent.popitem(last=False)
    entries.record_apart(
        AuditAction.access_refused,
        "operation",
        name,
        outcome=Outcome.refused,
        reason="forbidden",
        after={"permission": operation.needs},
    )
