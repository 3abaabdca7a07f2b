"""Quotas of callers: a rate (requests a second) and a burst for each class of cost, counted in this process's memory.

An API key or a user has its own quotas; requests without a caller, and requests whose credentials are refused, count
for their network. Counting in the process costs no statement and no write; each pod counts for itself, so a caller of
several pods may ask each of them as much. The algorithm is GCRA: a quota refills evenly.

Responses carry the fields of https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/.
"""

from __future__ import annotations

import math
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from functions.http.operations import Cost
from models.kernel import limits
from models.kernel.errors import ConfigurationError, TooManyRequests


@dataclass(frozen=True, slots=True)
class Quota:
    """`burst` requests at once after a pause, and `per_s` in the long run."""

    name: str
    per_s: float
    burst: int

    @property
    def policy(self) -> str:
        return f'"{self.name}";q={self.burst};w={max(1, math.ceil(self.burst / self.per_s))}'


class QuotaExceeded(TooManyRequests):
    """Too many requests of this caller; wait for the seconds in Retry-After."""

    code = "quota_exceeded"

    def __init__(self, quota: Quota, *, retry_after_s: float) -> None:
        super().__init__(
            f"More than {quota.burst} requests of the class {quota.name} at once, or {quota.per_s:g} a second. Retry"
            " after the time in Retry-After.",
            retry_after_s=retry_after_s,
        )
        self.headers = _headers(quota, 0, retry_after_s)


class Quotas:
    """The quotas of all callers of this process; remembers the callers that asked last."""

    def __init__(self, quotas: Mapping[str, Quota]) -> None:
        self._quotas = dict(quotas)
        self._lock = threading.Lock()
        # The instant at which the caller's quota is full again.
        self._full_at: OrderedDict[tuple[str, str], float] = OrderedDict()

    def take(self, cost: Cost, caller: str) -> dict[str, str]:
        """Count a request; return the header fields that describe the quota. Raises QuotaExceeded."""
        quota = self._quotas.get(cost)
        if quota is None:
            return {}
        every_s, now = 1 / quota.per_s, time.monotonic()
        key = (cost.value, caller)
        with self._lock:
            full_at = max(self._full_at.get(key, now), now) + every_s
            wait_s = full_at - now - quota.burst * every_s
            if wait_s > 1e-9:  # the rounding of a sum of fractions
                raise QuotaExceeded(quota, retry_after_s=wait_s)
            self._full_at[key] = full_at
            self._full_at.move_to_end(key)
            if len(self._full_at) > limits.quota_callers_max:
                self._full_at.popitem(last=False)
        return _headers(quota, int((quota.burst * every_s - (full_at - now)) / every_s + 1e-9), full_at - now)


def _headers(quota: Quota, remaining: int, seconds: float) -> dict[str, str]:
    return {
        "RateLimit-Policy": quota.policy,
        "RateLimit": f'"{quota.name}";r={remaining};t={max(1, math.ceil(seconds))}',
    }


_ENTRY = re.compile(r"(\w+)=(?:0|(\d+(?:\.\d+)?)/(\d+))")


def of_setting(text: str) -> Quotas:
    """The quotas of the setting REQUEST_LIMITS over the defaults. Raises ConfigurationError."""
    quotas = {name: Quota(name, *values) for name, values in limits.request_limits.items()}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        match = _ENTRY.fullmatch(entry)
        if match is None or match[1] not in quotas or (match[2] and not (float(match[2]) and int(match[3]))):
            raise ConfigurationError(
                f"REQUEST_LIMITS: expected class=requests a second/burst or class=0 with a class of"
                f" {', '.join(quotas)}, found {entry[:40]!r}"
            )
        if match[2] is None:
            del quotas[match[1]]
        else:
            quotas[match[1]] = Quota(match[1], float(match[2]), int(match[3]))
    return Quotas(quotas)
