"""The part of the report that comes from the broker: messages and consumers of each queue over AMQP, and ready and
unacknowledged ones from its HTTP API.
"""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import pika
import requests
from pika.exceptions import AMQPError, ChannelClosedByBroker

from models.kernel.settings import Settings
from queues import broker
from queues.topology import QUEUES
from scripts.diag import limits
from scripts.diag.ledger import where
from scripts.diag.part import Part
from scripts.explain import words

# Dramatiq's companions of a queue: delayed messages (we use none) and dead letters of the broker.
_SUFFIXES = ("", ".DQ", ".XQ")


def part(config: Settings) -> Part:
    """The broker's part of the page."""
    part = Part("broker", facts={"url": where(config.broker_url), "queues": {}})
    if config.embedded:
        part.lines.append("embedded: the workers are threads of the desk's own process; no queue to look at")
        return part
    logging.getLogger("pika").setLevel(logging.CRITICAL)  # its tracebacks repeat what becomes one line here
    try:
        connection = pika.BlockingConnection(pika.URLParameters(broker.amqp_url(config.broker_url)))
    except (AMQPError, OSError) as error:
        part.problem(f"{part.facts['url']} is away ({_reason(error)}): rows are kept, nothing runs until it is back")
        return part
    try:
        for queue in (name + suffix for name in QUEUES for suffix in _SUFFIXES):
            _passive(part, connection, queue)
    except (AMQPError, OSError) as error:
        part.problem(f"{part.facts['url']} broke off ({_reason(error)})")
    finally:
        if connection.is_open:
            connection.close()
    if config.broker_management_url:
        _management(part, config)
    return part


def _reason(error: BaseException) -> str:
    """Return the cause, which pika wraps, sometimes twice and without a text."""
    inner = error
    while inner.args and isinstance(inner.args[0], BaseException):
        inner = inner.args[0]
    for found in (getattr(inner, "exception", None), inner.__cause__):
        if isinstance(found, BaseException):
            inner = found
    return words.short(f"{type(error).__name__}: {inner}" if str(inner) else type(error).__name__)


def _passive(part: Part, connection: Any, queue: str) -> None:
    """A passive declaration changes nothing and answers the counts; a missing queue closes its channel, so each has its
    own.
    """
    channel = connection.channel()
    try:
        counts = channel.queue_declare(queue, passive=True).method
    except ChannelClosedByBroker as error:
        part.facts["queues"][queue] = None
        part.problem(f"queue {queue}: {words.short(error.reply_text)}: run `python -m scripts.topology`")
        return
    part.facts["queues"][queue] = {"messages": counts.message_count, "consumers": counts.consumer_count}
    if queue in QUEUES or counts.message_count or counts.consumer_count:
        part.lines.append(
            f"{queue:<12} {counts.message_count:>7} ready, {words.counted(counts.consumer_count, 'consumer')}"
        )
    channel.close()


def _management(part: Part, config: Settings) -> None:
    """Unacknowledged messages are only known to the HTTP API; its user is the broker's unless the URL names one."""
    amqp, http = urlsplit(config.broker_url), urlsplit(config.broker_management_url)
    login = http if http.username else amqp
    vhost = unquote(amqp.path.removeprefix("/")) or "/"
    host = http.netloc.rpartition("@")[2]
    try:
        answer = requests.get(
            f"{http.scheme}://{host}{http.path.rstrip('/')}/api/queues/{quote(vhost, safe='')}",
            auth=(unquote(login.username or "guest"), unquote(login.password or "guest")),
            timeout=limits.management_timeout_s,
        )
        answer.raise_for_status()
        found = answer.json()
    except (requests.RequestException, ValueError) as error:
        part.problem(f"the HTTP API at {where(config.broker_management_url)} cannot be read: {words.short(error)}")
        return
    for row in found:
        ready, unacked = row.get("messages_ready", 0), row.get("messages_unacknowledged", 0)
        known = part.facts["queues"].get(row["name"])
        if known is not None:
            known.update(ready=ready, unacknowledged=unacked, type=row.get("type"))
            if row["name"] in QUEUES:
                part.lines.append(
                    f"{row['name']:<12} {ready:>7} ready, {unacked} unacknowledged ({row.get('type')}; HTTP API)"
                )
