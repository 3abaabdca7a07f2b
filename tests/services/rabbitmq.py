"""A private RabbitMQ node on free ports, with its own name daemon, cookie and data.

    with RabbitServer() as server:
        url = server.create_vhost(default_queue_type="quorum")

It can be stopped and started with its data kept (the whole node, or only the broker in it), and its memory
alarm can be raised, which is how a broker that takes connections but no messages is tested.
"""

import os
import secrets
import shutil
import signal
import subprocess
import uuid
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import trustme

from tests.services import limits
from tests.services.folder import ServiceFolder, ServiceUnavailable
from tests.services.life import Service
from tests.services.ports import accepts, free_port
from tests.services.rabbitmq_management import Management
from tests.services.waiting import wait_until

QueueType = Literal["classic", "quorum"]

USER = PASSWORD = "guest"  # RabbitMQ's own default account, for 127.0.0.1 only
MISSING = (
    "RabbitMQ's server programs (rabbitmq-server, rabbitmqctl, epmd) are not on this machine: looked in "
    "$RABBITMQ_BIN, /usr/lib/rabbitmq/bin and PATH. Debian: apt-get install rabbitmq-server."
)


def find_bin_folder() -> Path | None:
    """The folder of the real rabbitmq-server script; None when it or Erlang's epmd is missing."""
    # Not Debian's /usr/sbin/rabbitmq-server: a wrapper that changes to the user rabbitmq and a fixed folder.
    candidates = [Path(os.environ["RABBITMQ_BIN"])] if os.environ.get("RABBITMQ_BIN") else []
    candidates.append(Path("/usr/lib/rabbitmq/bin"))
    if (server := shutil.which("rabbitmq-server")) is not None:
        candidates.append(Path(server).resolve().parent)
    if shutil.which("epmd") is None:
        return None
    return next(
        (folder for folder in candidates if (folder / "rabbitmqctl").exists() and (folder / "rabbitmq-env").exists()),
        None,
    )


class RabbitServer(Service):
    """One node. Made stopped; `start()` or `with` starts it.

    Raises ServiceUnavailable when RabbitMQ is not installed.
    """

    def __init__(self) -> None:
        folder = find_bin_folder()
        if folder is None:
            raise ServiceUnavailable(MISSING)
        self.port = free_port()
        self.management_port = free_port()
        self.tls_port = free_port()
        self._bin_folder = folder
        self._folder = ServiceFolder("rabbitmq")
        self._processes: list[subprocess.Popen[bytes]] = []
        self._environment = self._write_configuration()
        self._management = Management(self.management_port, user=USER, password=PASSWORD)

    @property
    def url(self) -> str:
        """The default vhost; tests make their own by `create_vhost`."""
        return self._url_of("/")

    @property
    def tls_url(self) -> str:
        """The default vhost over TLS; `ca_file` has the authority of its certificate."""
        return f"amqps://{USER}:{PASSWORD}@localhost:{self.tls_port}/%2F"

    @property
    def ca_file(self) -> Path:
        return self._folder.path / "ca.pem"

    @property
    def management_url(self) -> str:
        """The HTTP API, with its account, as `BROKER_MANAGEMENT_URL` takes it."""
        return f"http://{USER}:{PASSWORD}@127.0.0.1:{self.management_port}"

    @property
    def management(self) -> Management:
        """The HTTP API as a client: queues, connections, counts."""
        return self._management

    def start(self) -> None:
        """Start the node, or start it again with its data; returns when it takes connections."""
        if self._processes:
            return
        self._spawn(["epmd", "-address", "127.0.0.1", "-port", self._environment["ERL_EPMD_PORT"]])
        self._spawn([str(self._bin_folder / "rabbitmq-server")])
        wait_until(self._is_ready, within_s=limits.rabbitmq_start_s, what="RabbitMQ taking connections")

    def stop(self) -> None:
        """End the whole node; durable queues and persistent messages are kept for the next start."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the whole node as a crash would."""
        self._end(signal.SIGKILL)

    def stop_app(self) -> None:
        """Stop the broker in the running node: clients are cut off at once, the call takes 5 s (plugins)."""
        self.ctl("stop_app")

    def start_app(self) -> None:
        """Undo `stop_app`; returns when the broker takes connections."""
        self.ctl("start_app")
        wait_until(self._is_ready, within_s=limits.rabbitmq_start_s, what="RabbitMQ taking connections")

    def create_vhost(self, default_queue_type: QueueType = "classic") -> str:
        """Make an empty vhost whose queues are of this type unless they ask for another; return its URL.

        Classic takes milliseconds, quorum as long as `ctl`.
        """
        name = f"test_{uuid.uuid4().hex}"
        if default_queue_type == "classic":
            self._management.put(f"vhosts/{name}", {})
        else:  # the HTTP API of 3.10 takes a default_queue_type and ignores it; rabbitmqctl heeds it
            self.ctl("add_vhost", name, "--default-queue-type", default_queue_type)
        self._management.put(f"permissions/{name}/{USER}", {"configure": ".*", "write": ".*", "read": ".*"})
        return self._url_of(name)

    def delete_vhost(self, url: str) -> None:
        """Remove a vhost of this node by its URL, cutting off its clients."""
        self._management.delete(f"vhosts/{url.rsplit('/', 1)[1]}")

    def set_alarm(self, on: bool) -> None:
        """Raise or clear the memory alarm: while it is up, the broker reads nothing from who publishes."""
        self.ctl("set_vm_memory_high_watermark", "0" if on else str(limits.rabbitmq_memory_watermark))
        wait_until(
            lambda: self._management.has_alarm() is on,
            within_s=limits.rabbitmqctl_s,
            what=f"RabbitMQ's memory alarm going {'on' if on else 'off'}",
        )

    def purge(self, queue: str, *, url: str | None = None) -> None:
        """Drop what is ready in a queue of the vhost of `url` (default: the default vhost)."""
        vhost = "%2F" if url is None else url.rsplit("/", 1)[1]
        self._management.delete(f"queues/{vhost}/{quote(queue, safe='')}/contents")

    def ctl(self, *arguments: str) -> str:
        """Run `rabbitmqctl` against this node (0.5 s: it boots an Erlang machine); return what it prints."""
        done = subprocess.run(
            [str(self._bin_folder / "rabbitmqctl"), "--quiet", *arguments],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=limits.rabbitmqctl_s,
            check=False,
        )
        if done.returncode != 0:
            said = done.stderr or done.stdout
            raise RuntimeError(f"rabbitmqctl {' '.join(arguments)} ended with {done.returncode}: {said}")
        return done.stdout

    def close(self) -> None:
        """Stop and remove the data; not gracefully, which takes 6 s and saves only what is removed anyway."""
        self.kill()
        self._folder.close()

    def _write_configuration(self) -> dict[str, str]:
        home = self._folder.path
        cookie = home / ".erlang.cookie"
        cookie.write_text(secrets.token_hex(16))
        cookie.chmod(0o400)  # Erlang refuses a cookie that others can read
        (home / "enabled_plugins").write_text("[rabbitmq_management].\n")
        (home / "conf.d").mkdir()
        (home / "rabbitmq-env.conf").write_text(
            "# Empty on purpose: the machine's own /etc/rabbitmq must not leak in.\n"
        )
        authority = trustme.CA()
        certificate = authority.issue_cert("localhost", "127.0.0.1")
        authority.cert_pem.write_to_path(str(self.ca_file))
        certificate.private_key_and_cert_chain_pem.write_to_path(str(home / "server.pem"))
        # Statistics each 500 ms instead of 5 s: tests ask for message counts.
        (home / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self.port}\n"
            f"listeners.ssl.1 = 127.0.0.1:{self.tls_port}\n"
            f"ssl_options.certfile = {home / 'server.pem'}\nssl_options.keyfile = {home / 'server.pem'}\n"
            f"ssl_options.cacertfile = {self.ca_file}\n"
            "ssl_options.verify = verify_none\nssl_options.fail_if_no_peer_cert = false\n"
            f"management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {self.management_port}\n"
            "collect_statistics_interval = 500\n"
            f"vm_memory_high_watermark.relative = {limits.rabbitmq_memory_watermark}\n"
            f"disk_free_limit.absolute = {limits.rabbitmq_disk_free_bytes_min}\n"
            f"raft.wal_max_size_bytes = {limits.rabbitmq_raft_log_bytes_max}\n"
            "log.console = true\nlog.console.level = warning\nlog.file = false\n"
        )
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LC_ALL": "C.UTF-8",
            "HOME": str(home),
            "ERL_EPMD_PORT": str(free_port()),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"nestor_{uuid.uuid4().hex[:12]}@localhost",
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(home / "data"),
            "RABBITMQ_LOG_BASE": str(home / "log"),
            "RABBITMQ_PID_FILE": str(home / "node.pid"),
            "RABBITMQ_CONF_ENV_FILE": str(home / "rabbitmq-env.conf"),
            "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"),
            "RABBITMQ_CONFIG_FILES": str(home / "conf.d"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(home / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "enabled_plugins"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(home / "generated"),
            # Two schedulers, no busy waiting: the node shares two cores with what is tested.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none",
            "RABBITMQ_CTL_ERL_ARGS": "+S 1:1 +sbwt none",
            # Makes the start script exec Erlang: the process we started is the node and takes our signals.
            "RUNNING_UNDER_SYSTEMD": "true",
        }

    def _spawn(self, command: list[str]) -> None:
        with (self._folder.path / "rabbitmq.log").open("ab") as log:
            process = subprocess.Popen(
                command,
                env=self._environment,
                cwd=self._folder.path,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._processes.append(process)
        self._folder.track(process.pid)

    def _is_ready(self) -> bool:
        if any(process.poll() is not None for process in self._processes):
            self._end(signal.SIGKILL)
            raise ServiceUnavailable(f"RabbitMQ ended while starting:\n{self._folder.tail('rabbitmq.log')}")
        return accepts(self.port) and self._management.answers()

    def _end(self, by: signal.Signals) -> None:
        # The node before its name daemon (started first): it takes its leave there.
        for process in reversed(self._processes):
            if process.poll() is None:
                process.send_signal(by)
            try:
                process.wait(limits.rabbitmq_stop_s)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            self._folder.untrack(process.pid)
        self._processes.clear()

    def _url_of(self, vhost: str) -> str:
        return f"amqp://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{quote(vhost, safe='')}"
