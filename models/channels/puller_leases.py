"""Leases of pulled accounts: one process at a time reads an account.

Two readers store nothing twice (the inbox recognises a repeat), but a bot answers the second one with an error, and a
mailbox counts connections. The lease expires when its holder is killed.
"""

from __future__ import annotations

from models.kernel import limits
from models.kernel.storage import database

# A lease with more seconds left than this was given before the database's clock was set back.
_IMPOSSIBLE_S = limits.puller_lease_s_max + limits.clock_difference_s_max


def take(channel: str, account: str, *, holder: str, lease_s: float) -> bool:
    """Take or renew the account's lease in a transaction of its own. Returns whether `holder` has it.

    `lease_s` is at most limits.puller_lease_s_max. A lease that ends later than any new one was given before the
    database's clock was set back. It counts as free, because its holder may be dead: two readers for one round do no
    harm, but a mailbox that nobody reads for hours does.
    """
    assert lease_s <= limits.puller_lease_s_max, f"a lease of {lease_s} s would look like one of a wrong clock"
    with database.transaction():
        row = database.one(
            "INSERT INTO puller_leases (channel, account, holder, expires_at)"
            " VALUES (:channel, :account, :holder, NOW_PLUS(:lease_s)) ON CONFLICT (channel, account)"
            " DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at"
            " WHERE puller_leases.holder = excluded.holder OR puller_leases.expires_at <= NOW()"
            " OR puller_leases.expires_at > NOW_PLUS(:impossible_s) RETURNING holder",
            channel=channel,
            account=account,
            holder=holder,
            lease_s=lease_s,
            impossible_s=_IMPOSSIBLE_S,
        )
    return row is not None


def give_back(channel: str, account: str, *, holder: str) -> None:
    """End the lease, in a transaction of its own, so that another process can read at once."""
    with database.transaction():
        database.execute(
            "DELETE FROM puller_leases WHERE channel = :channel AND account = :account AND holder = :holder",
            channel=channel,
            account=account,
            holder=holder,
        )


def is_leased(channel: str, account: str) -> bool:
    """Return True while a process holds the lease of the account."""
    row = database.one(
        "SELECT holder FROM puller_leases WHERE channel = :channel AND account = :account AND expires_at > NOW()"
        " AND expires_at <= NOW_PLUS(:impossible_s)",
        channel=channel,
        account=account,
        impossible_s=_IMPOSSIBLE_S,
    )
    return row is not None
