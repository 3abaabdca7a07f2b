"""Configuration: environment variables only, read in one place, frozen, passed on.

Each variable has a `NAME_FILE` variant that names a file with the value (mounted secrets). Channel credentials are
not settings; accounts name them and `Settings.secret` finds them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from models.kernel import data_keys, secret_keys
from models.kernel.errors import ConfigurationError

_SECRET_NAME = re.compile(r"^[a-z][a-z0-9_]{0,63}$")


def _var(default: str | int | float | bool | None, doc: str, *, required: bool = False) -> Any:
    return field(default=default, metadata={"doc": doc, "required": required})


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of a process; each field's metadata is its documentation (README lists the same;
    a test compares).
    """

    database_url: str = _var(
        "sqlite:///var/nestor.db", "`sqlite:///path` or `postgresql://user:password@host/name?sslmode=verify-full`"
    )
    broker_url: str = _var(
        "embedded://",
        "`embedded://` (workers in this process) or `amqps://user:password@host/vhost` (`amqp://` without TLS)",
    )
    blob_url: str = _var(
        "file:var/blobs",
        "storage of attachments: `file:folder` or"
        " `s3://bucket/prefix?endpoint=...&region=...&access_key_id=...&path_style=true`",
    )
    blob_secret_key: str = _var(
        "", "S3: the secret of BLOB_URL's `access_key_id`; without both, the machine's own role is used"
    )
    scanner_url: str = _var(
        "",
        "malware scanner for files, by clamd's protocol: `tcp://host:3310` or `unix:/run/clamav/clamd.ctl`; empty:"
        " files are not scanned",
    )
    scanner_bytes_max: int = _var(
        26_214_400, "largest file that is sent to the scanner, in bytes; at most clamd's StreamMaxLength"
    )
    port: int = _var(8080, "port that a function listens on; Knative sets it")
    public_url: str = _var("http://127.0.0.1:8080", "base address of the links in messages and answers")
    files_url: str = _var(
        "",
        "base address of the links to attachments, preferably on a host of its own, where pictures can be shown inline;"
        " empty:"
        " PUBLIC_URL",
    )
    secret_key: str | None = _var(
        None, "signs access tokens; at least 32 characters; required outside the embedded demo", required=True
    )
    password_words: str = _var(
        "", "words that count as guessable in a new password, such as the company's names; separated by commas"
    )
    data_keys: str = _var(
        "",
        "keys that encrypt secrets in the database, `id:key` separated by commas; the first one encrypts; empty: a key"
        " derived from SECRET_KEY",
    )
    second_factor_roles: str = _var(
        "",
        "roles whose users need a second factor to sign in with a password, separated by commas; `all`: every role",
    )
    secret_keys_accepted: str = _var(
        "", "other keys, separated by commas, whose access tokens and secrets are accepted while SECRET_KEY is rotated"
    )
    oidc_issuer: str = _var(
        "", "OpenID provider for sign-ins: its issuer, the beginning of its discovery address; empty: none"
    )
    oidc_client_id: str = _var(
        "", "name of this desk at the OpenID provider; its secret is the credential `oidc_client_secret`"
    )
    oidc_scopes: str = _var("openid email profile", "scopes that the desk asks the OpenID provider for")
    oidc_roles_claim: str = _var("groups", "claim of the ID token with the user's groups; dots lead into objects")
    oidc_roles: str = _var(
        "",
        "role by group, `group=role` separated by commas; the first match counts, and a user without a"
        " match is refused;"
        " empty: roles"
        " are managed at the desk",
    )
    oidc_domains: str = _var(
        "", "domains of verified addresses that may sign in by OpenID, separated by commas; empty: all"
    )
    oidc_link_by_email: bool = _var(
        False, "the first OpenID sign-in links the user of the desk with the same verified address"
    )
    oidc_create_users: bool = _var(
        False, "the first OpenID sign-in creates the user, with a verified address and a role by OIDC_ROLES"
    )
    rating_days: float = _var(
        30.0, "days after a ticket was closed during which its rating link works; it stays in mailboxes much longer"
    )
    bin_days: float = _var(
        30.0,
        "days after which the content of a deleted ticket is purged; a month is long enough to notice a mistake after a"
        " holiday, and short enough for personal data that nobody needs",
    )
    session_idle_hours: float = _var(72.0, "hours without a request after which a session ends")
    log_level: str = _var("INFO", "DEBUG, INFO, WARNING or ERROR")
    definitions_dir: str = _var(
        "", "folder of the desk's own definitions, which replaces `workflow_defs/`; empty: `workflow_defs/`"
    )
    secrets_dir: str = _var(
        "", "folder of mounted channel credentials, one file each; the variable `NESTOR_SECRET_<NAME>` has precedence"
    )
    tick_token: str = _var("", "bearer token that `/tick` requires; empty: `/tick` refuses every caller")
    telegram_api_url: str = _var("https://api.telegram.org", "Bot API server; a local one or the sandbox's")
    database_pool_max: int = _var(10, "PostgreSQL connections of one process")
    http_threads: int = _var(8, "threads of one function process; equals containerConcurrency")
    http_workers: int = _var(
        1,
        "gunicorn worker processes; leave it at 1: processes of one pod share its memory limit and end together,"
        " more pods do not",
    )
    request_limits: str = _var(
        "",
        "quotas of one caller to one process that replace the defaults: `read=200/4000,write=100/2000,heavy=2/60,"
        "public=50/1000` (requests a second/at once; `class=0`: no limit)",
    )
    worker_threads: int = _var(8, "worker threads of the embedded desk")
    trusted_proxies: int = _var(
        0, "number of proxies in front that append to X-Forwarded-For; the caller's address is the entry before theirs"
    )
    webhook_channels: str = _var("", "channels that this webhook function serves, separated by commas; empty: all")
    webhooks_private: bool = _var(
        False,
        "life cycles, subscriptions and channels may call addresses in private networks (10.x, 127.x ...), any"
        " port, plain http; off: none",
    )
    metrics_port: int = _var(0, "port of a worker's own `/metrics` and `/healthz`; 0: none")
    metrics_host: str = _var(
        "127.0.0.1", "address of METRICS_PORT; `0.0.0.0` in a pod, whose probes come from outside of its container"
    )
    monitor_token: str = _var(
        "", "opens `/metrics`, `/healthz/deep` and `/docs`, as bearer token or as password of HTTP Basic; empty: closed"
    )
    monitor_open: bool = _var(False, "`/metrics`, `/healthz/deep` and `/docs` need no token; the demo sets it")
    drain_seconds: int = _var(25, "seconds that running requests get after SIGTERM")
    sends_at_once: int = _var(
        4, "messages that one worker process sends at the same time; its death can send as many a second time"
    )
    task_lease_s: float = _var(20.0, "seconds after which the tasks of a killed worker run in another worker")
    broker_management_url: str = _var("", "RabbitMQ's HTTP API, for `scripts.diag`")
    broker_without_tls: bool = _var(
        False,
        "connections of BROKER_URL and BROKER_MANAGEMENT_URL without TLS to another machine are intended; off: they are"
        " reported",
    )
    sandbox_url: str = _var("", "control address of the sandbox; set by `scripts/run`, never in production")
    crash_at: str = _var("", "fault tests only: name of the point at which the process kills itself")

    def __post_init__(self) -> None:
        for variable, key in (("SECRET_KEY", self.secret_key), *self._accepted_by_name()):
            if key is not None and (weak := secret_keys.weakness(key)) is not None:
                raise ConfigurationError(f"{variable}: {weak}; {secret_keys.HOW_TO_MAKE_ONE}")
        data_keys.parse(self.data_keys)
        if not 0.25 < self.session_idle_hours <= 24 * 365:
            raise ConfigurationError(f"SESSION_IDLE_HOURS: expected 0.25 to 8760, found {self.session_idle_hours}")
        if self.log_level.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
            raise ConfigurationError(f"LOG_LEVEL: expected DEBUG, INFO, WARNING or ERROR, found {self.log_level!r}")
        if self.sends_at_once < 1:
            raise ConfigurationError(f"SENDS_AT_ONCE: expected at least 1, found {self.sends_at_once}")
        self._check_urls()

    def _check_urls(self) -> None:
        if not self.database_url.startswith(("sqlite:///", "postgresql://", "postgres://")):
            raise ConfigurationError("DATABASE_URL: expected sqlite:///path or postgresql://user:password@host/name")
        if not self.broker_url.startswith(("embedded://", "amqp://", "amqps://")):
            raise ConfigurationError("BROKER_URL: expected embedded:// or amqp://user:password@host/vhost")
        if not self.blob_url.startswith(("file:", "s3://")):
            raise ConfigurationError("BLOB_URL: expected file:folder or s3://bucket/prefix?endpoint=...")
        if self.files_url and not self.files_url.startswith(("http://", "https://")):
            raise ConfigurationError(f"FILES_URL: expected http(s)://host, found {self.files_url!r}")
        if self.scanner_url and not self.scanner_url.startswith(("tcp://", "unix:/")):
            raise ConfigurationError("SCANNER_URL: expected tcp://host:3310 or unix:/path/of/socket")
        user, at, _ = self.broker_url.partition("://")[2].rpartition("@")
        if not self.embedded and at and ":" not in user:
            raise ConfigurationError("BROKER_URL: expected a password after the user: amqp://user:password@host/vhost")

    @property
    def session_idle_s(self) -> float:
        return self.session_idle_hours * 3600

    @property
    def embedded(self) -> bool:
        return self.broker_url.startswith("embedded://")

    def signing_key(self) -> str:
        """Return SECRET_KEY. Raises ConfigurationError without one."""
        if not self.secret_key:
            raise ConfigurationError(f"SECRET_KEY is not set; {secret_keys.HOW_TO_MAKE_ONE}")
        return self.secret_key

    def accepted_keys(self) -> tuple[str, ...]:
        """Return SECRET_KEY, then the keys of SECRET_KEYS_ACCEPTED, which verify and sign nothing."""
        return (self.signing_key(), *(key for _, key in self._accepted_by_name()))

    def _accepted_by_name(self) -> list[tuple[str, str]]:
        keys = filter(None, (part.strip() for part in self.secret_keys_accepted.split(",")))
        return [(f"SECRET_KEYS_ACCEPTED, entry {number}", key) for number, key in enumerate(keys, 1)]

    def secret(self, name: str) -> str:
        """Return the credential called `name`: env NESTOR_SECRET_<NAME>, its _FILE variant, or a file in SECRETS_DIR.

        Raises ConfigurationError that names the places looked at, never a value.
        """
        if not _SECRET_NAME.match(name):
            raise ConfigurationError(f"credential name {name!r}: expected lower-case letters, digits and underscores")
        variable = f"NESTOR_SECRET_{name.upper()}"
        value = _read(os.environ, variable)
        if value is None and self.secrets_dir:
            path = Path(self.secrets_dir) / name
            value = path.read_text(encoding="utf-8").strip() if path.is_file() else None
        if value is None:
            raise ConfigurationError(
                f"credential {name} is missing: set {variable} or put a file {name} into SECRETS_DIR"
            )
        return value


def _read(environ: Mapping[str, str], variable: str) -> str | None:
    """Return a variable's value or the content of the file that `<variable>_FILE` names."""
    if variable in environ:
        return environ[variable]
    path = environ.get(f"{variable}_FILE")
    if path is None:
        return None
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigurationError(f"{variable}_FILE: cannot read {path}: {error.strerror}") from error


_BOOLEANS = {
    "true": True,
    "1": True,
    "yes": True,
    "on": True,
    "false": False,
    "0": False,
    "no": False,
    "off": False,
}


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings from the environment. Raises ConfigurationError that names the variable."""
    source = os.environ if environ is None else environ
    values: dict[str, object] = {}
    for spec in fields(Settings):
        variable = spec.name.upper()
        text = _read(source, variable)
        if text is not None and (text or isinstance(spec.default, str)):
            values[spec.name] = _value(variable, text, spec.default)
    return Settings(**values)  # type: ignore[arg-type]  # each value was converted by its default's type


def _value(variable: str, text: str, default: object) -> object:
    """Convert the text of a variable to the type of its default."""
    if isinstance(default, bool):
        if text.lower() not in _BOOLEANS:
            raise ConfigurationError(f"{variable}: expected true or false, found {text!r}")
        return _BOOLEANS[text.lower()]
    if not isinstance(default, int | float):
        return text
    kind: type[int] | type[float] = type(default)
    try:
        return kind(text)
    except ValueError as error:
        word = "a whole number" if kind is int else "a number"
        raise ConfigurationError(f"{variable}: expected {word}, found {text!r}") from error


@lru_cache(maxsize=1)
def current() -> Settings:
    """Return this process's settings, read from the environment at the first call."""
    return load()


def libpq_default(variable: str) -> str:
    """Return a variable of PostgreSQL's client library, which counts where DATABASE_URL says nothing; or empty."""
    return os.environ.get(variable, "")


def documented_variables() -> dict[str, str]:
    """Map each environment variable to its purpose, for README, manifests and `scripts.diag`."""
    return {spec.name.upper(): str(spec.metadata["doc"]) for spec in fields(Settings)}


def defaults() -> dict[str, object]:
    """Map each environment variable to its default, which suits the embedded desk."""
    return {spec.name.upper(): spec.default for spec in fields(Settings)}
