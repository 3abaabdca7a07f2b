"""A private PgBouncer in transaction mode before a PostgreSQL server, on a free port.

    with PgBouncer(server) as pooler:
        url = pooler.url_of(server.create_database())

Few server connections serve many clients, so that two transactions of one client rarely meet the same session.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess

import psycopg2

from tests.services import limits
from tests.services.folder import ServiceFolder, ServiceUnavailable
from tests.services.life import Service, end
from tests.services.ports import free_port
from tests.services.postgres import SUPERUSER, PostgresServer
from tests.services.waiting import wait_until

MISSING = (
    "PgBouncer (the connection pooler) is not on this machine: looked for pgbouncer in PATH and /usr/sbin. "
    "Debian: apt-get install pgbouncer."
)

_CONFIG = """
[databases]
* = host=127.0.0.1 port={postgres_port} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {pool_size}
max_client_conn = {clients_max}
server_login_retry = 1
tcp_keepidle = 3
tcp_keepintvl = 1
tcp_keepcnt = 3
tcp_user_timeout = 6000
logfile = {folder}/pgbouncer.log
"""


def find_program() -> str | None:
    """PgBouncer's program; None when it is not installed."""
    return shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin")


class PgBouncer(Service):
    """One pooler. Made stopped; `start()` or `with` starts it. Raises ServiceUnavailable."""

    def __init__(self, server: PostgresServer, *, pool_size: int = 3) -> None:
        program = find_program()
        if program is None:
            raise ServiceUnavailable(MISSING)
        self.port = free_port()
        self._program, self._server = program, server
        self._user = _pooler_user()
        self._folder = ServiceFolder("pgbouncer", owner=self._user)
        self._process: subprocess.Popen[bytes] | None = None
        config = self._folder.path / "pgbouncer.ini"
        values = {
            "folder": self._folder.path,
            "port": self.port,
            "postgres_port": server.port,
            "user": SUPERUSER,
        }
        config.write_text(_CONFIG.format(**values, pool_size=pool_size, clients_max=limits.pgbouncer_clients_max))
        if self._user:
            shutil.chown(config, self._user)

    def url_of(self, url: str) -> str:
        """The URL of a database of the server, through the pooler."""
        return f"postgresql://{SUPERUSER}@127.0.0.1:{self.port}/{url.rsplit('/', 1)[1]}"

    def start(self) -> None:
        """Start, or start again on the same port."""
        if self._process is not None:
            return
        with (self._folder.path / "stderr.log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, str(self._folder.path / "pgbouncer.ini")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder.path,
                env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"},
                start_new_session=True,
                user=self._user,
                group=None if self._user is None else pwd.getpwnam(self._user).pw_gid,
                extra_groups=None if self._user is None else [],
            )
        self._folder.track(self._process.pid)
        wait_until(self._is_ready, within_s=limits.pgbouncer_start_s, what="PgBouncer taking connections")

    def close(self) -> None:
        """Stop it, cutting off its clients, and remove its folder."""
        if self._process is not None:
            end(self._process, self._folder, within_s=limits.pgbouncer_stop_s)
            self._process = None
        self._folder.close()

    def _is_ready(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            told = self._folder.tail("stderr.log") + self._folder.tail("pgbouncer.log")
            raise ServiceUnavailable(f"PgBouncer ended while starting:\n{told}")
        try:
            psycopg2.connect(self.url_of(self._server.url), connect_timeout=2).close()
        except psycopg2.OperationalError:
            return False
        return True


def _pooler_user() -> str | None:
    """PgBouncer refuses to run as root; any user that owns nothing will do."""
    return "nobody" if os.geteuid() == 0 else None
