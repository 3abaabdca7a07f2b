"""Judge the encryption of the connections to PostgreSQL and RabbitMQ by their URLs.

A connection that leaves the machine carries messages, password hashes and the password of the connection. A URL that
does not ask for TLS is not refused, because that would stop desks that run in a private network; it is reported at the
start, by `scripts.diag` and by /healthz/deep until the operator asks for TLS or says that it is off on purpose.

libpq's modes: https://www.postgresql.org/docs/current/libpq-ssl.html
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, urlsplit

from psycopg2 import ProgrammingError
from psycopg2.extensions import parse_dsn

from models.kernel.settings import Settings, libpq_default
from models.kernel.telemetry import logs

log = logs.get("transport")

_DATABASE_REMEDY: Final = (
    "set sslmode=verify-full and sslrootcert in DATABASE_URL, or sslmode=disable if this is intended"
)
_BROKER_REMEDY: Final = "use amqps:// in BROKER_URL, or set BROKER_WITHOUT_TLS=true if this is intended"
_MANAGEMENT_REMEDY: Final = "use https:// in BROKER_MANAGEMENT_URL, or set BROKER_WITHOUT_TLS=true if this is intended"


@dataclass(frozen=True, slots=True)
class Transport:
    """The protection of one connection. `problem`: the operator has to decide something."""

    name: str
    detail: str
    problem: bool = False
    leaves: bool = True


def judged(config: Settings) -> list[Transport]:
    """Return the judgement of each connection that the settings name. Pure, except for libpq's environment."""
    found = []
    if not config.database_url.startswith("sqlite:"):
        found.append(_database(config.database_url))
    if not config.embedded:
        found.append(_broker(config.broker_url, intended=config.broker_without_tls))
    if config.broker_management_url:
        found.append(_management(config.broker_management_url, intended=config.broker_without_tls))
    return found


def problems(config: Settings) -> list[str]:
    """Return the connections that leave this machine without TLS, each with the remedy."""
    return [f"{one.name}: {one.detail}" for one in judged(config) if one.problem]


def warn(config: Settings) -> None:
    """Log each connection without TLS. Each process calls this once, at its start."""
    for one in judged(config):
        if one.problem:
            log.warning("tls_off", connection=one.name, detail=one.detail)


def _database(url: str) -> Transport:
    try:
        written = parse_dsn(url.replace("postgres://", "postgresql://", 1))
    except ProgrammingError:
        return Transport("database", "the URL cannot be read")  # the connection itself reports it
    hosts = str(written.get("hostaddr") or written.get("host") or libpq_default("PGHOST")).split(",")
    if all(_is_local(host) for host in hosts):
        return Transport("database", "on this machine", leaves=False)
    mode = str(written.get("sslmode") or libpq_default("PGSSLMODE") or "prefer")
    if mode in ("verify-full", "verify-ca"):
        return Transport("database", f"TLS, and the server's certificate is checked (sslmode={mode})")
    if mode == "require":
        return Transport(
            "database", "TLS without a check of the server's name (sslmode=require); verify-full checks it"
        )
    if mode == "disable":
        return Transport("database", "no TLS, as DATABASE_URL says (sslmode=disable)")
    return Transport("database", f"TLS is not required (sslmode={mode}): {_DATABASE_REMEDY}", problem=True)


def _broker(url: str, *, intended: bool) -> Transport:
    for one in url.split(";"):
        parts = urlsplit(one)
        options = parse_qs(parts.query).get("ssl_options", ["None"])[0]
        if parts.scheme == "amqps" or options != "None" or _is_local(parts.hostname or "localhost"):
            continue
        if intended:
            return Transport("broker", "no TLS, as BROKER_WITHOUT_TLS says")
        return Transport("broker", f"amqp:// to another machine, without TLS: {_BROKER_REMEDY}", problem=True)
    if urlsplit(url).scheme == "amqps":
        return Transport("broker", "TLS, and the server's certificate is checked (amqps://)")
    return Transport("broker", "on this machine", leaves=False)


def _management(url: str, *, intended: bool) -> Transport:
    parts = urlsplit(url)
    if parts.scheme == "https":
        return Transport("broker management", "TLS, and the server's certificate is checked (https://)")
    if _is_local(parts.hostname or ""):
        return Transport("broker management", "on this machine", leaves=False)
    if intended:
        return Transport("broker management", "no TLS, as BROKER_WITHOUT_TLS says")
    return Transport("broker management", f"the password goes in clear text: {_MANAGEMENT_REMEDY}", problem=True)


def _is_local(host: str) -> bool:
    """Return True for the loopback interface, a socket in a folder, and libpq's default, which is such a socket."""
    if host in ("", "localhost") or host.startswith(("/", "@")):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
