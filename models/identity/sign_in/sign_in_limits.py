"""The throttle of sign-ins, which nobody can turn against others.

Failures are counted by address and network together, and by network. A stranger elsewhere therefore cannot use up the
attempts of a person. The counter of the account alone refuses nobody; it delays the checks of unknown devices while
many networks guess one password. A known device (devices.py) has a counter of its own and is not delayed.

A refused attempt reads the counters and writes nothing, so refused attempts cost the database no rows.
"""

from __future__ import annotations

import hashlib
import ipaddress
import threading
import time
from uuid import UUID

from models.identity.sign_in.devices import Device
from models.kernel import limits
from models.kernel.errors import TooManyRequests
from models.kernel.storage import database
from models.tasks import rates
from models.tasks.rates import Bucket


def of_attempt(email: str, client: str, known: Device | None) -> list[Bucket]:
    """Return the counters of an attempt. `known` is the device of the user whom the address names."""
    if known is not None:
        return [_bucket(f"device:{known.id}", limits.sign_in_failure_every_s, limits.sign_in_failures_burst)]
    where = network(client)
    return [
        _bucket(_pair(email, where), limits.sign_in_failure_every_s, limits.sign_in_failures_burst),
        _bucket(
            f"network:{_hash(where)}", limits.network_sign_in_failure_every_s, limits.network_sign_in_failures_burst
        ),
    ]


def take(buckets: list[Bucket]) -> None:
    """Take a slot for an attempt. Raises TooManyRequests, and then has written nothing."""
    with database.transaction():
        wait_s = rates.look(buckets) or rates.take(buckets)
    if wait_s > 0:
        raise TooManyRequests("too many failed sign-ins; wait and try again", retry_after_s=wait_s)


def count_failure(email: str) -> None:
    """Count a failure of the account, from wherever. Joins the caller's transaction."""
    rates.take([_account(email)])


_waiting = threading.BoundedSemaphore(limits.slow_sign_ins_max)


def slow_down(email: str) -> None:
    """Wait while the account has many recent failures from unknown devices; never refuses.

    At most `limits.slow_sign_ins_max` threads of the process wait; others go on, because threads that wait must not
    stop the desk.
    """
    with database.connection():
        wait_s = rates.look([_account(email)])
    if wait_s > 0 and _waiting.acquire(blocking=False):
        try:
            time.sleep(min(wait_s, limits.slow_sign_in_s))
        finally:
            _waiting.release()


def forget(user_id: UUID, email: str) -> int:
    """Reset the counters of a user, for an operator who knows the person; the counters of networks and devices stay.

    Returns the number of counters. Joins the caller's transaction.
    """
    return int(
        database.execute(
            "DELETE FROM rate_buckets WHERE bucket LIKE :pairs OR bucket IN (:account, :checks)",
            pairs=f"sign_in:pair:{_hash(email)}:%",
            account=_account(email).name,
            checks=f"password_check:{user_id}",
        ).rowcount
    )


def network(client: str) -> str:
    """Return the name under which failures of a client are counted.

    An IPv6 caller owns at least a /64 and would otherwise have 2^64 names.
    """
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((int(address), 64), strict=False))


def _account(email: str) -> Bucket:
    return _bucket(f"account:{_hash(email)}", limits.account_sign_in_failure_every_s, limits.sign_in_failures_burst)


def _pair(email: str, where: str) -> str:
    return f"pair:{_hash(email)}:{_hash(where)}"


def _bucket(name: str, every_s: float, burst: int) -> Bucket:
    return Bucket(f"sign_in:{name}", every_s=every_s, burst=burst)


def _hash(text: str) -> str:
    """Return a name of bounded length, so that the table of counters lists no addresses."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
