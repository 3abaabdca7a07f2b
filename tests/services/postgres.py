"""A private PostgreSQL server on a free port, in a temporary folder.

    with PostgresServer(fsync=True) as server:
        url = server.create_database()

It can be stopped, killed and started again on the same port, which is how tests see that a restart loses
nothing.
"""

import contextlib
import os
import pwd
import re
import shutil
import signal
import subprocess
import time
import uuid
from pathlib import Path
from typing import IO

import psutil
import psycopg2
import trustme
from psycopg2 import sql

from tests.services import limits
from tests.services.folder import ServiceFolder, ServiceUnavailable
from tests.services.life import Service
from tests.services.ports import free_port
from tests.services.waiting import wait_until

SUPERUSER = "nestor"
MISSING = (
    "PostgreSQL's server programs (initdb, postgres) are not on this machine: looked in $POSTGRES_BIN, "
    "/usr/lib/postgresql/*/bin and PATH. Debian: apt-get install postgresql."
)


def find_bin_folder() -> Path | None:
    """The folder of initdb and postgres, the newest version first; None when there is none."""
    candidates = [Path(os.environ["POSTGRES_BIN"])] if os.environ.get("POSTGRES_BIN") else []
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    if (initdb := shutil.which("initdb")) is not None:
        candidates.append(Path(initdb).resolve().parent)
    return next(
        (folder for folder in candidates if (folder / "initdb").exists() and (folder / "postgres").exists()),
        None,
    )


class PostgresServer(Service):
    """One server with its own data folder. Made stopped; `start()` or `with` starts it.

    `fsync=False` suits tests: a killed server still keeps what it committed, because the kernel has it; only
    a machine losing power would not. Benchmarks say `fsync=True`. `tls`: the certificate of a server that takes TLS and
    plain connections.

    Raises ServiceUnavailable when PostgreSQL is not installed.
    """

    def __init__(self, *, fsync: bool = False, tls: trustme.LeafCert | None = None) -> None:
        folder = find_bin_folder()
        if folder is None:
            raise ServiceUnavailable(MISSING)
        self.port = free_port()
        self.fsync = fsync
        self._tls = tls
        self._bin_folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._user = _server_user()
        self._folder = ServiceFolder("postgres", owner=self._user)
        self._data = self._folder.path / "data"

    @property
    def url(self) -> str:
        """The maintenance database, for administration; tests make their own by `create_database`."""
        return self._url_of("postgres")

    @property
    def log(self) -> Path:
        """The server's log, for tests that look for a message in it."""
        return self._folder.path / "postgres.log"

    def bin(self, name: str) -> str:
        """The path of a program of the same version: psql, pgbench, pg_dump."""
        program = self._bin_folder / name
        found = str(program) if program.exists() else shutil.which(name)
        if found is None:
            raise ServiceUnavailable(f"{name} is neither in {self._bin_folder} nor on PATH.")
        return found

    def start(self) -> None:
        """Start, or start again with the same data on the same port; returns when it takes connections."""
        if self._process is not None:
            return
        if not self._data.exists():
            self._initialise()
        with self.log.open("ab") as log:
            self._process = self._popen([self.bin("postgres"), "-D", str(self._data)], log)
        self._folder.track(self._process.pid)
        wait_until(self._is_ready, within_s=limits.postgres_start_s, what="PostgreSQL taking connections")

    def stop(self) -> None:
        """End as an administrator would (`fast`: clients are cut off, committed data is kept)."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End as a crash would: no process writes another byte; the next start recovers from the log."""
        if self._process is None:
            return
        # The postmaster last: while it lives it restarts what dies, so it is held still first.
        postmaster = psutil.Process(self._process.pid)
        postmaster.suspend()
        backends = postmaster.children(recursive=True)
        for process in [*backends, postmaster]:
            with contextlib.suppress(psutil.NoSuchProcess):  # ended by itself meanwhile
                process.kill()
        psutil.wait_procs(backends, timeout=limits.postgres_stop_s)
        self._end(signal.SIGKILL)

    def create_database(self, name: str | None = None, *, template: str | None = None) -> str:
        """Make a database, a copy of `template` (a database's name) if given (30 ms); return its URL."""
        name = name or f"test_{uuid.uuid4().hex}"
        statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        if template is not None:
            statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
        deadline = time.monotonic() + limits.template_free_s
        while True:
            try:
                self._execute(statement)
                return self._url_of(name)
            except psycopg2.errors.ObjectInUse:  # a client of the template is still hanging up
                if time.monotonic() > deadline:
                    raise
                time.sleep(limits.poll_s)

    def drop_database(self, url: str) -> None:
        """Remove a database of this server by its URL, cutting off its clients."""
        name = url.rsplit("/", 1)[1]
        self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def close(self) -> None:
        """Stop and remove the data."""
        self.stop()
        self._folder.close()

    def _initialise(self) -> None:
        command = [
            *(self.bin("initdb"), "-D", str(self._data), "-U", SUPERUSER, "-A", "trust"),
            *("--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"),
        ]
        with (self._folder.path / "initdb.log").open("wb") as log:
            code = self._popen(command, log).wait()
        if code != 0:
            raise ServiceUnavailable(f"initdb ended with {code}:\n{self._folder.tail('initdb.log')}")
        settings: dict[str, str | int] = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": str(self._folder.path),
            "max_connections": limits.postgres_connections_max,
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        if not self.fsync:
            # Not synchronous_commit=off: that would let a killed server forget what it confirmed.
            settings |= {"fsync": "off", "full_page_writes": "off"}
        if self._tls is not None:
            key = self._data / "server.pem"
            self._tls.private_key_and_cert_chain_pem.write_to_path(str(key))
            key.chmod(0o600)
            if self._user is not None:
                shutil.chown(key, self._user)
            settings |= {"ssl": "on", "ssl_cert_file": str(key), "ssl_key_file": str(key)}
        with (self._data / "postgresql.conf").open("a") as config:
            config.writelines(f"{name} = '{value}'\n" for name, value in settings.items())

    def _popen(self, command: list[str], log: IO[bytes]) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=self._folder.path,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            start_new_session=True,
            user=self._user,
            group=None if self._user is None else pwd.getpwnam(self._user).pw_gid,
            extra_groups=None if self._user is None else [],
        )

    def _is_ready(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            self._end(signal.SIGKILL)
            raise ServiceUnavailable(f"PostgreSQL ended while starting:\n{self._folder.tail(self.log.name)}")
        try:
            psycopg2.connect(self.url, connect_timeout=2).close()
        except psycopg2.OperationalError:
            return False
        return True

    def _end(self, by: signal.Signals) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(by)
        try:
            self._process.wait(limits.postgres_stop_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.untrack(self._process.pid)
        self._process = None

    def _execute(self, statement: sql.Composable) -> None:
        connection = psycopg2.connect(self.url)
        try:
            connection.autocommit = True  # CREATE and DROP DATABASE refuse a transaction
            with connection.cursor() as cursor:
                cursor.execute(statement)
        finally:
            connection.close()

    def _url_of(self, database: str) -> str:
        return f"postgresql://{SUPERUSER}@127.0.0.1:{self.port}/{database}"


def _version(folder: Path) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", folder.parent.name))


def _server_user() -> str | None:
    """PostgreSQL refuses to run as root; the package's own user exists where Debian's package does."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"
