"""Rate limits in the database: GCRA, all buckets or none (ENGINE 3.7), no Redis, no sleeping worker.

One row a bucket holds the theoretical arrival time (TAT). A cell conforms when TAT <= now + burst tolerance; who must wait
learns how long and becomes due later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from models.kernel import clock, database


@dataclass(frozen=True, slots=True)
class Bucket:
    """A limit: one each `every_s` seconds, with `burst` at once after a pause."""

    name: str
    every_s: float
    burst: int = 1


def take(buckets: Sequence[Bucket]) -> float:
    """Take one slot of every bucket, or of none. Returns 0.0, or the seconds to wait. Joins the caller's transaction.

    One statement when all have a slot, the common case. When one has not, what the others gave is put back: their rows are
    held, so nobody saw it missing. Rows are locked in the order of their names, so two takers never wait for each other in a ring.
    """
    return _take(buckets)[0]


def take_or_line_up(buckets: Sequence[Bucket]) -> float:
    """Like `take`, for callers that come back by themselves after the seconds returned.

    Each is told a time of its own, one slot after the other. Told the time of the next free slot, a thousand waiting sends would
    all come back for each of them. A place in the line is no reservation: who finds its slot taken lines up again.
    """
    wait_s, refusing = _take(buckets)
    if refusing is None:
        return 0.0
    now_s = clock.now().timestamp()
    row = database.one(
        "INSERT INTO rate_buckets (bucket, tat_s) VALUES (:line, :first_s + :every_s) ON CONFLICT (bucket) DO UPDATE"
        " SET tat_s = CASE WHEN rate_buckets.tat_s > :first_s THEN rate_buckets.tat_s ELSE :first_s END + :every_s RETURNING tat_s",
        line=f"{refusing.name} (line)",
        first_s=now_s + wait_s,
        every_s=refusing.every_s,
    )
    assert row is not None
    return max(wait_s, float(row["tat_s"]) - refusing.every_s - now_s)


def _take(buckets: Sequence[Bucket]) -> tuple[float, Bucket | None]:
    """The seconds to wait and the bucket that asks for most of them; (0.0, None) when every slot was taken."""
    assert database.in_transaction(), "slots are taken together with the attempt that uses them"
    ordered = sorted(buckets, key=lambda bucket: bucket.name)
    if not ordered:
        return 0.0, None
    now_s = clock.now().timestamp()
    values: dict[str, object] = {"now_s": now_s}
    for index, bucket in enumerate(ordered):
        values |= {
            f"name{index}": bucket.name,
            f"every{index}": bucket.every_s,
            f"tolerance{index}": bucket.every_s * (bucket.burst - 1),
            f"first{index}": now_s + bucket.every_s,
        }
    taken = {row["bucket"] for row in database.run(_take_statement(len(ordered)), values)}
    if len(taken) == len(ordered):
        return 0.0, None
    return _put_back(ordered, taken, now_s)


@lru_cache(maxsize=8)
def _take_statement(count: int) -> str:
    """Upserts `count` buckets; those that are full are locked like the others, stay as they are and are not returned."""
    each = range(count)
    every = " ".join(f"WHEN :name{i} THEN :every{i}" for i in each)
    tolerance = " ".join(f"WHEN :name{i} THEN :tolerance{i}" for i in each)
    places = ", ".join(f"(:name{i}, :first{i})" for i in each)
    settings = f"+ CASE rate_buckets.bucket {every} END"
    where = f"rate_buckets.tat_s - CASE rate_buckets.bucket {tolerance} END <= :now_s"
    return (
        f"INSERT INTO rate_buckets (bucket, tat_s) VALUES {places} ON CONFLICT (bucket) DO UPDATE SET tat_s ="
        f" CASE WHEN rate_buckets.tat_s > :now_s THEN rate_buckets.tat_s ELSE :now_s END {settings}"
        f" WHERE {where} AND rate_buckets.blocked_until_s <= :now_s RETURNING bucket"
    )


def _put_back(buckets: Sequence[Bucket], taken: set[str], now_s: float) -> tuple[float, Bucket | None]:
    """Undo what was taken; how long to wait for the others, and for which of them longest."""
    wait_s, refusing = 0.0, None
    for bucket in buckets:
        if bucket.name in taken:
            database.execute(
                "UPDATE rate_buckets SET tat_s = tat_s - :every_s WHERE bucket = :bucket",
                bucket=bucket.name,
                every_s=bucket.every_s,
            )
            continue
        row = database.one("SELECT tat_s, blocked_until_s FROM rate_buckets WHERE bucket = :b", b=bucket.name)
        assert row is not None, "a bucket that is full is there"
        tolerance_s = bucket.every_s * (bucket.burst - 1)
        needed_s = max(row["tat_s"] - tolerance_s, row["blocked_until_s"]) - now_s
        if needed_s > wait_s:
            wait_s, refusing = needed_s, bucket
    return wait_s, refusing


def charge(buckets: Sequence[Bucket], slots: int) -> None:
    """Count `slots` more that were used after one was taken: a long text that went out in parts. Joins the caller's transaction.

    It may overdraw a bucket; who comes next waits for it. In the order of the names, as `take` locks them.
    """
    for bucket in sorted(buckets, key=lambda bucket: bucket.name):
        database.execute(
            "UPDATE rate_buckets SET tat_s = tat_s + :more_s WHERE bucket = :bucket",
            bucket=bucket.name,
            more_s=bucket.every_s * slots,
        )


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
