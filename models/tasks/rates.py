"""Rate limits in the database: GCRA, all buckets or none (ENGINE 3.7), no Redis, no sleeping worker.

One row a bucket holds the theoretical arrival time (TAT). A cell conforms when TAT <= now + burst tolerance; who must wait
learns how long and becomes due later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models.kernel import clock, database


@dataclass(frozen=True, slots=True)
class Bucket:
    """A limit: one each `every_s` seconds, with `burst` at once after a pause."""

    name: str
    every_s: float
    burst: int = 1


def take(buckets: Sequence[Bucket]) -> float:
    """Take one slot of every bucket, or of none. Returns 0.0, or the seconds to wait. Joins the caller's transaction.

    Rows are locked in the order of their names, so two takers never wait for each other in a ring.
    """
    assert database.in_transaction(), "slots are taken together with the attempt that uses them"
    now_s = clock.now().timestamp()
    wait_s = 0.0
    held: list[tuple[Bucket, float]] = []
    for bucket in sorted(buckets, key=lambda b: b.name):
        database.execute(
            "INSERT INTO rate_buckets (bucket, tat_s) VALUES (:bucket, :now_s) ON CONFLICT (bucket) DO NOTHING",
            bucket=bucket.name,
            now_s=now_s,
        )
        row = database.one(
            "SELECT tat_s, blocked_until_s FROM rate_buckets WHERE bucket = :b FOR_UPDATE", b=bucket.name
        )
        assert row is not None
        tolerance_s = bucket.every_s * (bucket.burst - 1)
        wait_s = max(wait_s, row["tat_s"] - tolerance_s - now_s, row["blocked_until_s"] - now_s)
        held.append((bucket, max(row["tat_s"], now_s)))
    if wait_s > 0:
        return wait_s
    for bucket, tat_s in held:
        database.execute(
            "UPDATE rate_buckets SET tat_s = :tat_s WHERE bucket = :bucket",
            bucket=bucket.name,
            tat_s=tat_s + bucket.every_s,
        )
    return 0.0


def block(bucket: str, *, for_s: float) -> None:
    """Let nobody take from the bucket for `for_s` seconds (a provider's 429); a longer block stays. Joins the caller's transaction."""
    now_s = clock.now().timestamp()
    database.execute(
        "INSERT INTO rate_buckets (bucket, tat_s, blocked_until_s) VALUES (:bucket, :now_s, :until_s)"
        " ON CONFLICT (bucket) DO UPDATE SET blocked_until_s = excluded.blocked_until_s"
        " WHERE rate_buckets.blocked_until_s < excluded.blocked_until_s",
        bucket=bucket,
        now_s=now_s,
        until_s=now_s + for_s,
    )


def collect(*, older_than_s: float, batch_max: int) -> int:
    """Delete buckets that have been full again for `older_than_s` seconds."""
    return int(
        database.execute(
            "DELETE FROM rate_buckets WHERE bucket IN (SELECT bucket FROM rate_buckets WHERE tat_s < :before_s"
            " AND blocked_until_s < :before_s LIMIT :batch)",
            before_s=clock.now().timestamp() - older_than_s,
            batch=batch_max,
        ).rowcount
    )
