"""A relay for tests: aiosmtpd, a real SMTP server, in a thread, with TLS by a private authority
where a test wants it.
"""

from __future__ import annotations

import asyncio
import base64
import re
import ssl
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

_start_s = 10.0


@dataclass
class Taken:
    """One mail that the relay took; `encrypted`: it came over TLS."""

    sender: str
    recipients: list[str]
    content: bytes
    encrypted: bool
    mechanism: str | None


@dataclass
class Relay:
    """`answers`: the reply to RCPT for an address, instead of 250. `mail_answer`, `data_answer`: the replies to MAIL
    and after the mail. `heard`: the commands in order.
    """

    tls: ssl.SSLContext | None = None
    implicit: bool = False
    answers: Mapping[str, str] = field(default_factory=dict)
    mail_answer: str = "250 2.1.0 OK"
    data_answer: str = "250 2.0.0 OK"
    password: str | None = None
    # The access tokens that XOAUTH2 and OAUTHBEARER accept; None: the relay does not offer them.
    bearer_tokens: Callable[[], Collection[str]] | None = None
    # Each response of a login by a token.
    responses: list[bytes] = field(default_factory=list)
    mechanisms_off: tuple[str, ...] = ()
    smtputf8: bool = True
    size_max: int = 40 * 1024 * 1024
    taken: list[Taken] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    port: int = 0

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started,), name="relay", daemon=True)
        self._thread.start()
        assert started.wait(_start_s), "the relay did not start"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_start_s)

    def url(self, host: str = "127.0.0.1", user: str = "") -> str:
        return f"smtp{'s' if self.implicit else ''}://{user}{host}:{self.port}"

    # -- aiosmtpd's handler

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.heard.append("MAIL")
        if self.mail_answer.startswith("2"):
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return self.mail_answer

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.heard.append("RCPT")
        answer = self.answers.get(address)
        if answer is not None:
            return answer
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if not self.data_answer.startswith("2"):
            return self.data_answer
        content = envelope.content
        assert isinstance(content, bytes)
        self.taken.append(
            Taken(
                envelope.mail_from or "",
                list(envelope.rcpt_tos),
                content,
                self.implicit or session.ssl is not None,
                getattr(session, "mechanism", None),
            )
        )
        return self.data_answer

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:  # noqa: N802
        return await self._by_token(server, args, error=b'{"status":"401","schemes":"bearer"}')

    async def auth_OAUTHBEARER(self, server: SMTP, args: list[str]) -> AuthResult:  # noqa: N802
        return await self._by_token(server, args, error=b'{"status":"invalid_token"}')

    async def _by_token(self, server: SMTP, args: list[str], *, error: bytes) -> AuthResult:
        """Answer as Gmail does: an error is a challenge, and the client's response to it gets the 535."""
        assert self.bearer_tokens is not None
        response = base64.b64decode(args[1])
        self.responses.append(response)
        given = re.search(rb"\x01auth=Bearer ([^\x01]*)\x01\x01\Z", response)
        if given is not None and given[1].decode() in self.bearer_tokens():
            assert server.session is not None
            server.session.mechanism = args[0]  # type: ignore[attr-defined]
            return AuthResult(success=True)
        answer = await server.challenge_auth(error)
        self.responses.append(answer if isinstance(answer, bytes) else b"")
        return AuthResult(success=False, handled=False)

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        session.mechanism = mechanism  # type: ignore[attr-defined]
        # `handled=False`: aiosmtpd says the 535.
        return AuthResult(success=data.password.decode() == self.password, handled=False)

    def _run(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            self._loop.create_server(self._session, "127.0.0.1", 0, ssl=self.tls if self.implicit else None)
        )
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        self._loop.run_forever()
        server.close()
        for task in (tasks := asyncio.all_tasks(self._loop)):
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    def _session(self) -> SMTP:
        methods = () if self.bearer_tokens is not None else ("XOAUTH2", "OAUTHBEARER")
        return SMTP(
            self,
            hostname="relay.example.test",
            data_size_limit=self.size_max,
            enable_SMTPUTF8=self.smtputf8,
            tls_context=None if self.implicit else self.tls,
            auth_require_tls=not self.implicit and self.tls is not None,
            auth_exclude_mechanism=(*self.mechanisms_off, *methods),
            authenticator=self._authenticate if self.password is not None else None,
            loop=self._loop,
        )
