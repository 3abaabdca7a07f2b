"""Rate limits in the database: GCRA, all buckets or none, no Redis, no sleeping worker.

One row a bucket holds the theoretical arrival time (TAT). A cell conforms when TAT <= now + burst tolerance; who must
wait learns how long and becomes due later.

A clock that was ahead, or that was set back since, leaves times behind that are too far in the future, and the bucket
would make everybody wait for the difference. A refusal is therefore believed only after `_heal`: a bucket that was
changed in the future is moved back by as much, and no bucket owes more than its limit allows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from models.kernel import clock, limits
from models.kernel.storage import database
from models.kernel.storage.prepared import Prepared
from models.kernel.telemetry import logs

log = logs.get("rates")


@dataclass(frozen=True, slots=True)
class Bucket:
    """A limit: one slot each `every_s` seconds, and `burst` slots together after a pause."""

    name: str
    every_s: float
    burst: int = 1


def take(buckets: Sequence[Bucket]) -> float:
    """Take one slot of every bucket, or of none. Returns 0.0, or the seconds to wait. Joins the caller's transaction.

    In the common case all buckets have a slot, and one statement suffices. Otherwise the slots of the other buckets are
    put back; the locks of their rows hide the difference from other transactions. Rows are locked in the order of
    their names, which prevents deadlocks.
    """
    return _take(buckets)[0]


def look(buckets: Sequence[Bucket]) -> float:
    """Return the seconds until every bucket has a slot, 0.0 for now, without taking one. Writes nothing.

    A time that only a wrong clock can have left counts as none; `take` then corrects it.
    """
    if not buckets:
        return 0.0
    now_s = clock.now().timestamp()
    by_name = {bucket.name: bucket for bucket in buckets}
    places, values = database.in_list("name", list(by_name))
    rows = database.run(
        f"SELECT bucket, tat_s, blocked_until_s, changed_s FROM rate_buckets WHERE bucket IN {places}", values
    )
    wait_s = 0.0
    for row in rows:
        if row["changed_s"] - now_s > limits.bucket_clock_tolerance_s:
            continue
        bucket = by_name[row["bucket"]]
        full_until_s = row["tat_s"] - bucket.every_s * (bucket.burst - 1)
        wait_s = max(wait_s, max(full_until_s, row["blocked_until_s"]) - now_s)
    return wait_s


def take_or_line_up(buckets: Sequence[Bucket]) -> float:
    """Take like `take`, for callers that retry after the returned seconds.

    Each waiting send gets its own slot, one after the other. If all were given the next free slot, a thousand waiting
    sends would all retry at once. The slot is not reserved: a caller that finds it taken queues again.
    """
    wait_s, refusing = _take(buckets)
    if refusing is None:
        return 0.0
    now_s = clock.now().timestamp()
    row = database.one(
        "INSERT INTO rate_buckets (bucket, tat_s, changed_s) VALUES (:line, :first_s + :every_s, :now_s)"
        " ON CONFLICT (bucket) DO UPDATE SET changed_s = :now_s, tat_s = :every_s + CASE WHEN rate_buckets.tat_s >"
        " :first_s"
        " AND rate_buckets.tat_s <= :last_s AND rate_buckets.changed_s <= :soon_s THEN rate_buckets.tat_s ELSE"
        " :first_s END"
        " RETURNING tat_s",
        line=f"{refusing.name} (line)",
        now_s=now_s,
        soon_s=now_s + limits.bucket_clock_tolerance_s,
        first_s=now_s + wait_s,
        last_s=now_s + wait_s + limits.line_s_max,
        every_s=refusing.every_s,
    )
    assert row is not None
    return max(wait_s, float(row["tat_s"]) - refusing.every_s - now_s)


def _take(buckets: Sequence[Bucket], *, healed: bool = False) -> tuple[float, Bucket | None]:
    """Return the seconds to wait and the bucket that asks for most of them; (0.0, None) when every slot was taken."""
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
    refusal = _put_back(ordered, taken, now_s)
    refused = [bucket for bucket in ordered if bucket.name not in taken]
    if not healed and sum(_heal(bucket, now_s) for bucket in refused):
        return _take(ordered, healed=True)
    return refusal


def _heal(bucket: Bucket, now_s: float) -> bool:
    """Correct impossible times of a bucket; return True if that changed the row. The caller's transaction has locked
    the row.

    A legitimate debt may be higher when several long texts were charged at once. The provider's 429 then tells us.
    `now_s` was read before the wait for the row's lock, and the lock's last holder may have changed the bucket since.
    Therefore the bucket's change time is compared with the current clock.
    """
    row = database.one("SELECT tat_s, blocked_until_s, changed_s FROM rate_buckets WHERE bucket = :b", b=bucket.name)
    assert row is not None, "a bucket that refuses is there"
    ahead_s = row["changed_s"] - clock.now().timestamp()
    back_s = ahead_s if ahead_s > limits.bucket_clock_tolerance_s else 0.0
    tat_s = min(row["tat_s"] - back_s, now_s + bucket.every_s * (bucket.burst + limits.charged_slots_max))
    blocked_until_s = min(row["blocked_until_s"] - back_s, now_s + limits.provider_wait_s_max)
    if (tat_s, blocked_until_s) == (row["tat_s"], row["blocked_until_s"]):
        return False
    database.execute(
        "UPDATE rate_buckets SET tat_s = :tat_s, blocked_until_s = :until_s, changed_s = :now_s WHERE bucket = :bucket",
        bucket=bucket.name,
        tat_s=tat_s,
        until_s=blocked_until_s,
        now_s=now_s,
    )
    log.warning("rate_bucket_healed", back_s=round(back_s, 1))
    return True


@lru_cache(maxsize=8)
def _take_statement(count: int) -> str:
    """Upserts `count` buckets; those that are full are locked like the others, stay as they are and
    are not returned.
    """
    each = range(count)
    every = " ".join(f"WHEN :name{i} THEN CAST(:every{i} AS double precision)" for i in each)
    tolerance = " ".join(f"WHEN :name{i} THEN CAST(:tolerance{i} AS double precision)" for i in each)
    places = ", ".join(f"(:name{i}, :first{i}, :now_s)" for i in each)
    settings = f"+ CASE rate_buckets.bucket {every} END"
    where = f"rate_buckets.tat_s - CASE rate_buckets.bucket {tolerance} END <= :now_s"
    return Prepared(
        f"INSERT INTO rate_buckets (bucket, tat_s, changed_s) VALUES {places} ON CONFLICT (bucket) DO UPDATE SET"
        " changed_s = :now_s, tat_s = CASE WHEN rate_buckets.tat_s > :now_s THEN rate_buckets.tat_s ELSE :now_s"
        f" END {settings}"
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


def give_back(buckets: Sequence[Bucket]) -> None:
    """Return a slot of each bucket, for limits that count failures only. Joins the caller's transaction.

    In the order of the names, as `take` locks them.
    """
    for bucket in sorted(buckets, key=lambda bucket: bucket.name):
        database.execute(
            "UPDATE rate_buckets SET tat_s = tat_s - :every_s WHERE bucket = :bucket",
            bucket=bucket.name,
            every_s=bucket.every_s,
        )


def charge(buckets: Sequence[Bucket], slots: int) -> None:
    """Count `slots` more that were used after one was taken: a long text that went out in parts. Joins the caller's
    transaction.

    It may overdraw a bucket; who comes next waits for it. In the order of the names, as `take` locks them.
    """
    for bucket in sorted(buckets, key=lambda bucket: bucket.name):
        database.execute(
            "UPDATE rate_buckets SET tat_s = tat_s + :more_s WHERE bucket = :bucket",
            bucket=bucket.name,
            more_s=bucket.every_s * slots,
        )


def block(bucket: str, *, for_s: float) -> None:
    """Refuse every slot of the bucket for `for_s` seconds (a provider's 429). Joins the caller's transaction.

    A longer block stays, unless a wrong clock made it. The debt of a bucket that a wrong clock changed is moved like in
    `_heal`.
    """
    now_s = clock.now().timestamp()
    database.execute(
        "INSERT INTO rate_buckets (bucket, tat_s, blocked_until_s, changed_s) VALUES (:bucket, :now_s, :until_s,"
        " :now_s)"
        " ON CONFLICT (bucket) DO UPDATE SET blocked_until_s = excluded.blocked_until_s, changed_s = :now_s, tat_s ="
        " CASE WHEN rate_buckets.changed_s > :soon_s THEN rate_buckets.tat_s - rate_buckets.changed_s + :now_s"
        " ELSE rate_buckets.tat_s END"
        " WHERE rate_buckets.blocked_until_s < excluded.blocked_until_s OR rate_buckets.changed_s > :soon_s",
        bucket=bucket,
        now_s=now_s,
        soon_s=now_s + limits.bucket_clock_tolerance_s,
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
