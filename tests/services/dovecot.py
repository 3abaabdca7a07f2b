"""A private Dovecot on free ports, in a temporary folder: a real IMAP server with TLS by a private authority.

    with DovecotServer() as server:
        mailbox = server.new_mailbox()
        server.deliver(mailbox, b"From: ada@example.test ...")

It can be stopped and started again on the same ports with the same mails. It runs as a user of no rank, whoever starts
it.
"""

import contextlib
import grp
import os
import pwd
import shutil
import signal
import subprocess
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import trustme
from imapclient import IMAPClient

from tests.services import limits
from tests.services.folder import ServiceFolder, ServiceUnavailable
from tests.services.life import Service
from tests.services.ports import accepts, free_port
from tests.services.waiting import wait_until

MISSING = (
    "Dovecot 2.3 (the IMAP server) is not on this machine: looked for dovecot in PATH and /usr/sbin, with imap in"
    " /usr/lib/dovecot. "
    "Debian: apt-get install dovecot-imapd."
)

# Syntax of Dovecot 2.3, which Debian 12 has. Without chroots and users of its own, so that it needs no root.
_CONFIG = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
first_valid_gid = 1
protocols = imap
listen = 127.0.0.1
disable_plaintext_auth = no
ssl = yes
ssl_cert = <{folder}/server.pem
ssl_key = <{folder}/server.key
mail_location = maildir:{folder}/mail/%u
mail_fsync = never
# Two connections of one user in the tests of leases, and those that a stopped client left.
mail_max_userip_connections = 50
imap_idle_notify_interval = 2 mins
auth_mechanisms = plain xoauth2 oauthbearer
passdb {{
  driver = static
  mechanisms = plain
  args = password={password}
}}
# Asks a test's authorization server about each access token.
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {folder}/oauth2.conf
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
  }}
}}
# No growing wait after the wrong passwords of some tests.
auth_failure_delay = 0
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
service auth-worker {{
  user = {user}
}}
"""


_OAUTH = """
tokeninfo_url = http://127.0.0.1:{oauth_port}/tokeninfo?access_token=
username_attribute = email
timeout_msecs = 5000
"""


def find_program() -> str | None:
    """Dovecot's master program; None when it or its IMAP part is not installed, or speaks 2.4's other configuration."""
    found = shutil.which("dovecot") or shutil.which("dovecot", path="/usr/sbin:/usr/local/sbin")
    if found is None or not any(Path(folder, "imap").exists() for folder in _LIBRARIES):
        return None
    told = subprocess.run(
        [found, "--version"], capture_output=True, text=True, check=False, timeout=limits.dovecot_start_s
    )
    return found if told.stdout.startswith("2.3.") else None


_LIBRARIES = ("/usr/lib/dovecot", "/usr/libexec/dovecot", "/usr/local/libexec/dovecot")


@dataclass(frozen=True)
class Mailbox:
    """A user of the server, with an empty INBOX."""

    user: str
    password: str
    url: str  # imap://, with STARTTLS
    tls_url: str  # imaps://


class DovecotServer(Service):
    """One server with its own mails. Made stopped; `start()` or `with` starts it. Raises ServiceUnavailable."""

    def __init__(self) -> None:
        program = find_program()
        if program is None:
            raise ServiceUnavailable(MISSING)
        self.port, self.tls_port = free_port(), free_port()
        # A test that logs in by OAuth starts its authorization server here.
        self.oauth_port = free_port()
        self.password = uuid.uuid4().hex
        self._program = program
        self._user = _server_user()
        self._folder = ServiceFolder("dovecot", owner=self._user)
        self._process: subprocess.Popen[bytes] | None = None
        self._write()

    @property
    def ca_file(self) -> Path:
        """The certificate of the authority that signed the server's, for localhost and 127.0.0.1."""
        return self._folder.path / "ca.pem"

    def start(self) -> None:
        """Start, or start again with the same mails on the same ports."""
        if self._process is not None:
            return
        entry = pwd.getpwnam(self._user) if self._user else None
        with (self._folder.path / "stderr.log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, "-F", "-c", str(self._folder.path / "dovecot.conf")],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                cwd=self._folder.path,
                env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"},
                start_new_session=True,
                user=self._user,
                group=None if entry is None else entry.pw_gid,
                extra_groups=None if entry is None else [],
            )
        self._folder.track(self._process.pid)
        wait_until(self._is_ready, within_s=limits.dovecot_start_s, what="Dovecot taking connections")

    def stop(self) -> None:
        """End it and its children; clients are cut off as by a crash."""
        if self._process is None:
            return
        # Those that serve clients would notice the master's end only after some seconds.
        children = psutil.Process(self._process.pid).children(recursive=True)
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(limits.dovecot_stop_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for child in children:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
        psutil.wait_procs(children, timeout=limits.dovecot_stop_s)
        self._folder.untrack(self._process.pid)
        self._process = None

    def close(self) -> None:
        self.stop()
        self._folder.close()

    def new_mailbox(self) -> Mailbox:
        """A user that nobody had before; any name has a mailbox here."""
        user = f"desk-{uuid.uuid4().hex[:12]}"
        login = f"{user}:{self.password}@127.0.0.1"
        return Mailbox(user, self.password, f"imap://{login}:{self.port}", f"imaps://{login}:{self.tls_port}")

    def client(self, mailbox: Mailbox) -> Any:
        """A logged-in IMAPClient, as a mail program beside us would have; a context manager."""
        client = IMAPClient("127.0.0.1", self.port, ssl=False, timeout=limits.dovecot_start_s)
        client.login(mailbox.user, mailbox.password)
        return client

    def deliver(self, mailbox: Mailbox, *mails: bytes, folder: str = "INBOX", flags: tuple[bytes, ...] = ()) -> None:
        """Put mails into a folder, unseen unless `flags` says so."""
        with self.client(mailbox) as client:
            for mail in mails:
                client.append(folder, mail, flags)

    def unseen(self, mailbox: Mailbox, folder: str = "INBOX") -> int:
        """Count the unseen mails of a folder."""
        with self.client(mailbox) as client:
            client.select_folder(folder, readonly=True)
            return len(client.search(["UNSEEN"]))

    def log(self) -> str:
        return self._folder.tail("dovecot.log") + self._folder.tail("stderr.log")

    def _is_ready(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise ServiceUnavailable(f"Dovecot ended while starting:\n{self.log()}")
        return accepts(self.port) and accepts(self.tls_port)

    def _write(self) -> None:
        folder = self._folder.path
        entry = pwd.getpwnam(self._user) if self._user else pwd.getpwuid(os.geteuid())
        authority = trustme.CA()
        certificate = authority.issue_cert("127.0.0.1", "localhost")
        authority.cert_pem.write_to_path(str(self.ca_file))
        certificate.cert_chain_pems[0].write_to_path(str(folder / "server.pem"))
        certificate.private_key_pem.write_to_path(str(folder / "server.key"))
        (folder / "mail").mkdir()
        values = {
            "folder": folder,
            "user": entry.pw_name,
            "group": _group_name(entry.pw_gid),
            "uid": entry.pw_uid,
            "gid": entry.pw_gid,
            "port": self.port,
            "tls_port": self.tls_port,
            "password": self.password,
        }
        (folder / "dovecot.conf").write_text(_CONFIG.format(**values))
        (folder / "oauth2.conf").write_text(_OAUTH.format(oauth_port=self.oauth_port))
        if self._user:
            for path in (folder / "mail", *folder.glob("server.*"), *folder.glob("*.conf")):
                shutil.chown(path, self._user)


def _group_name(gid: int) -> str:

    return grp.getgrgid(gid).gr_name


def _server_user() -> str | None:
    """Dovecot gives no mail to root; any user that owns nothing will do."""
    return "nobody" if os.geteuid() == 0 else None
