"""Parts of the report that come from the database: schema, definitions, tasks, inbox, deliveries, timers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import peewee

from models import migrations
from models.channels import health
from models.deliveries import queries as deliveries
from models.inbox import queries as inbox
from models.kernel import clock
from models.kernel.errors import NestorError, Unavailable
from models.kernel.settings import Settings
from models.kernel.storage import database, resealing, skew
from models.onboarding import commands as onboarding
from models.subscriptions import queries as subscriptions
from models.tasks import queries as tasks
from scripts.diag import event_log, limits, scanner, search_index
from scripts.diag.part import Part
from scripts.explain import words


def parts(config: Settings) -> list[Part]:
    """Every part that the database answers; only the schema's when it is away or does not fit."""
    found = [_schema(config)]
    if not found[0].problems:
        found.extend(_read(name, look) for name, look in _LOOKS)
    return found


def _read(name: str, look: Callable[[Part], None]) -> Part:
    part = Part(name)
    try:
        with database.connection():
            look(part)
    except (NestorError, peewee.PeeweeException) as error:
        part.problem(f"{name} cannot be read: {words.short(error)}")
    return part


def where(url: str) -> str:
    """A database's or broker's URL without its credentials."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2].partition('?')[0]}"


def _schema(config: Settings) -> Part:
    part = Part("database", facts={"url": where(config.database_url), "schema_needed": newest_schema()})
    try:
        with database.connection():
            applied = migrations.applied()
            part.facts["schema"] = applied
            part.lines.append(f"{part.facts['url']}: schema {applied}, this program's is {newest_schema()}")
            migrations.check()
    except Unavailable as error:
        part.problem(f"{part.facts['url']} is away: {words.short(error.__cause__ or error)}")
    except NestorError as error:
        part.problem(f"{part.facts['url']}: {error.message}")
    except peewee.PeeweeException as error:
        part.problem(f"{part.facts['url']} cannot be read: {words.short(error)}")
    return part


def newest_schema() -> int:
    """The schema that this program was written for."""
    return migrations.available()[-1].version


def _definitions(part: Part) -> None:
    rows = database.run(
        "SELECT kind, name, max(version) AS version FROM definitions GROUP BY kind, name ORDER BY kind, name"
    )
    part.facts["published"] = rows
    part.lines.extend(f"{row['kind']} {row['name']} version {row['version']}" for row in rows)
    for kind in ("workflow", "channel"):
        if not any(row["kind"] == kind for row in rows):
            part.problem(f"no {kind} is published: run `python -m scripts.bootstrap`")


def _tasks(part: Part) -> None:
    backlog = tasks.backlog()
    part.facts.update(backlog)
    part.lines.extend(
        f"{row['queue']:<8} {row['kind']:<16} {row['state']:<7} {row['tasks']:>7}, {row['due']} due"
        for row in backlog["counts"]
    )
    oldest_s = float(backlog["oldest_due_s"])
    due = words.seconds(timedelta(seconds=oldest_s))
    part.lines.append(f"oldest due task: {due} ago" if oldest_s else "nothing is due")
    if oldest_s > limits.overdue_s:
        part.problem(f"the oldest due task waits for {due}: no worker takes it, or one fails again and again")
    _misconfigured(part)
    dead = tasks.page(state="dead", before_id=None, limit=limits.examples_max) if backlog["dead"] else []
    part.facts["dead_letters"] = dead
    part.lines.extend(
        f"dead: task {row['id']} {row['kind']} after {row['attempts']} attempts: {words.short(row['last_error'])}"
        for row in dead
    )
    if backlog["dead"]:
        part.problem(f"{words.counted(backlog['dead'], 'dead letter')}: retry or discard at /v1/tasks?state=dead")


def _misconfigured(part: Part) -> None:
    """Tasks that wait for their operator: the runner writes the error's code in front of its message."""
    rows = database.run(
        "SELECT last_error, count(*) AS waiting FROM tasks WHERE state = 'ready' AND last_error LIKE 'configuration: %'"
        " GROUP BY last_error ORDER BY count(*) DESC, last_error LIMIT :most",
        most=limits.examples_max,
    )
    for row in rows:
        part.problem(f"{words.counted(row['waiting'], 'task')} waiting: {words.short(row['last_error'])}")


def _accounts(part: Part) -> None:
    """Channel accounts whose provider, credential or configuration is in trouble, with the beginning of each trouble.

    Sends that fail become a problem when none was accepted for some minutes: a provider often fails for a moment.
    """
    part.facts["troubled"], part.facts["failing_sends"] = [], []
    for name, known in health.troubled(limits.examples_max):
        if known.error is not None:
            since = _rfc3339(known.error_since)
            part.facts["troubled"].append({"account": name, "error": known.error, "since": since})
            part.problem(f"{name}: {words.short(known.error)}{f' (since {since})' if since else ''}")
        if known.sending_error is not None and known.sending_failed_since is not None:
            since, began = _rfc3339(known.sending_failed_since), known.sending_failed_since
            part.facts["failing_sends"].append({"account": name, "error": known.sending_error, "since": since})
            line = f"{name}: no send was accepted since {since}: {words.short(known.sending_error)}"
            is_long = (clock.now() - began).total_seconds() > limits.sends_fail_s
            (part.problem if is_long else part.lines.append)(line)


def _rfc3339(at: datetime | None) -> str | None:
    return None if at is None else clock.rfc3339(at)


def _inbox(part: Part) -> None:
    counts = inbox.counts()
    part.facts["counts"] = counts
    stored, failed = counts.get("stored", 0), counts.get("failed", 0)
    part.lines.append(f"{stored} stored and not read yet, {failed} failed")
    failures = inbox.page(status="failed", before=None, limit=limits.examples_max) if failed else []
    part.facts["failures"] = failures
    part.lines.extend(
        f"failed: {row['channel']}/{row['account']} event {row['id']}: {words.short(row['reason'])}" for row in failures
    )
    if failed:
        part.problem(
            f"{words.counted(failed, 'event')} could not be read: see /v1/inbox?status=failed, replay after the repair"
        )

    _ignored(part)


def _ignored(part: Part) -> None:
    """Events that needed no work or were left out by a rule, of the last days. A wrong rule shows here first."""
    since = clock.now() - timedelta(seconds=limits.ignored_events_shown_s)
    rows = inbox.ignored_reasons(since=since, limit=limits.examples_max)
    part.facts["ignored"] = {str(row["reason"]): int(row["n"]) for row in rows}
    days = limits.ignored_events_shown_s // 86_400
    part.lines.extend(f"ignored in {days} days: {row['n']}: {words.short(row['reason'])}" for row in rows)
    if rows:
        part.lines.append("the ignored events: /v1/inbox?status=ignored, with `reason` those of one reason")


def _deliveries(part: Part) -> None:
    rows = database.run(
        "SELECT state, count(*) AS deliveries FROM deliveries WHERE state <> 'sent' GROUP BY state ORDER BY state"
    )
    counts = {row["state"]: int(row["deliveries"]) for row in rows}
    part.facts.update(counts=counts, examples=[])
    part.lines.append(", ".join(f"{n} {state}" for state, n in counts.items()) or "all sent, or none was made yet")
    for state in ("failed", "unknown"):
        if counts.get(state):
            _troubled(part, state, counts[state])


def _troubled(part: Part, state: str, count: int) -> None:
    examples = deliveries.page(state=state, before=None, limit=limits.examples_max)
    for row in examples:
        part.lines.append(
            f"{state}: {row['channel']}/{row['account']} delivery {row['id']}: {words.short(row['last_error'])}"
        )
    # Without addresses: the page gets pasted into chats, and the API names the reader.
    shown = [{name: value for name, value in row.items() if name != "address"} for row in examples]
    part.facts["examples"].extend(shown)
    noun = "delivery" if count == 1 else "deliveries"
    part.problem(f"{count} {state} {noun}: retry or discard at /v1/deliveries?status={state}")


def _webhooks(part: Part) -> None:
    """Outgoing webhooks that fail; by id, because a URL may say more than belongs on this page."""
    troubled = subscriptions.troubled()
    part.facts["troubled"] = [{"id": str(one.id), "state": one.state} for one in troubled]
    part.lines.append(f"{subscriptions.count()} outgoing, {len(troubled)} in trouble")
    for one in troubled:
        if not one.active:
            part.problem(
                f"webhook {one.id} was switched off: {one.switched_off_reason}; switch it on and replay, or pause it:"
                f" /v1/webhooks/{one.id}"
            )
        elif one.failing_since is not None:
            since = words.seconds(clock.now() - one.failing_since)
            part.lines.append(f"webhook {one.id} has been failing for {since}")


def _secrets(part: Part) -> None:
    """Secrets that are not encrypted with the current key. Rotation encrypts them."""
    for one in resealing.counts():
        part.facts[one.column] = {"current": one.current, "other": one.other, "plain": one.plain}
        part.lines.append(
            f"{one.column}: {one.current} current, {one.other} with another key, {one.plain} in plain text"
        )
        if one.plain:
            part.problem(
                f"{one.plain} values of {one.column} are not encrypted: run `python -m scripts.secrets rotate`"
            )


def _timers(part: Part) -> None:
    row = database.run(
        "SELECT count(*) AS timers, sum(CASE WHEN due_at <= NOW() THEN 1 ELSE 0 END) AS due, min(due_at) AS oldest"
        " FROM timers"
    )[0]
    oldest = database.instant(row["oldest"])
    late_s = max(0.0, (clock.now() - oldest).total_seconds()) if oldest else 0.0
    part.facts.update(timers=int(row["timers"]), overdue=int(row["due"] or 0), oldest_overdue_s=late_s)
    part.lines.append(f"{row['timers']} set, {row['due'] or 0} overdue")
    if late_s > limits.overdue_s:
        late = words.seconds(timedelta(seconds=late_s))
        part.problem(f"a timer should have fired {late} ago: nothing sweeps (scheduler, worker or tick)")


def _clock(part: Part) -> None:
    """Each process compares itself with the database and logs `clock_differs`; this compares the machine that diag runs
    on.
    """
    part.facts["machine_ahead_s"] = clock.machine_ahead_s()
    part.lines.append(skew.detail())
    for problem in (skew.finding(), tasks.ahead_of_clock()):
        if problem:
            part.problem(f"{problem}; set it by NTP")


def _users(part: Part) -> None:
    waiting = onboarding.stuck()
    part.facts["waiting_for_an_account"] = waiting
    part.lines.append(f"{words.counted(len(waiting), 'user')} waiting for an account")
    if waiting:
        part.problem(
            f"{words.counted(len(waiting), 'user')} cannot be given work, because the account is not open: no worker"
            " runs open_account and activate_user, or they are dead letters"
        )


_LOOKS: tuple[tuple[str, Callable[[Part], None]], ...] = (
    ("definitions", _definitions),
    ("tasks", _tasks),
    ("event log", event_log.look),
    ("search index", search_index.look),
    ("users", _users),
    ("accounts", _accounts),
    ("inbox", _inbox),
    ("deliveries", _deliveries),
    ("webhooks", _webhooks),
    ("secrets", _secrets),
    ("scanner", scanner.look),
    ("timers", _timers),
    ("clock", _clock),
)
