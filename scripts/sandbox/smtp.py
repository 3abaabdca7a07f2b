"""The mail catcher: a real SMTP server that delivers to the outbox and can refuse, stall or hang up."""

import asyncio
from typing import Any, Final

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from scripts.sandbox import limits
from scripts.sandbox.faults import FaultBook, MailFault
from scripts.sandbox.mail_text import describe
from scripts.sandbox.outbox import Outbox

HOSTNAME: Final = "sandbox.example.test"  # given, so that nothing asks DNS for our own name


class Catcher:
    """aiosmtpd's handler: accept everything, unless a fault says otherwise."""

    def __init__(self, outbox: Outbox, faults: FaultBook[MailFault]) -> None:
        self._outbox = outbox
        self._faults = faults

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        refusal = await self._refusal("mail", server, [])
        if refusal is not None:
            return refusal
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        refusal = await self._refusal("rcpt", server, [address])
        if refusal is not None:
            return refusal
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        fault = self._take("data", list(envelope.rcpt_tos))
        if fault is not None and fault.kind == "reject":
            return f"{fault.code} {fault.text}"
        if fault is not None and fault.kind == "drop_before":
            _hang_up(server)
        sequence = self._record(session, envelope)
        if fault is not None and fault.kind == "drop_after":
            _hang_up(server)
        if fault is not None:
            await asyncio.sleep(fault.delay_s)  # taken, but the sender waits: past its timeout it cannot know
        return f"250 2.0.0 OK queued as {sequence}"

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        """Take any user and password; a fault at the stage `auth` refuses."""
        fault = self._take("auth", [])
        if fault is None:
            return AuthResult(success=True, auth_data=data)
        if fault.kind != "reject":
            _hang_up(server)
        # `handled`: the line is ours; aiosmtpd would answer 535 to everything.
        return AuthResult(success=False, handled=False, message=f"{fault.code} {fault.text}")

    def _take(self, stage: str, recipients: list[str]) -> MailFault | None:
        return self._faults.take(lambda fault: fault.matches(stage, recipients))

    async def _refusal(self, stage: str, server: SMTP, recipients: list[str]) -> str | None:
        fault = self._take(stage, recipients)
        if fault is None:
            return None
        if fault.kind == "reject":
            return f"{fault.code} {fault.text}"
        if fault.kind == "delay":
            await asyncio.sleep(fault.delay_s)
            return None
        return _hang_up(server)

    def _record(self, session: Session, envelope: Envelope) -> int:
        content = envelope.content
        assert isinstance(content, bytes)  # decode_data is off
        login: bytes | None = session.login_data
        entry = self._outbox.append(
            {
                "channel": "email",
                "envelope_from": envelope.mail_from,
                "envelope_to": list(envelope.rcpt_tos),
                "auth_user": None if login is None else login.decode("utf-8", "replace"),
                **describe(content),
            }
        )
        return int(entry["sequence"])


def _hang_up(server: SMTP) -> str:
    if server.transport is not None:
        server.transport.close()
    raise ConnectionResetError("a programmed fault closed the connection")


class MailServer:
    def __init__(self, outbox: Outbox, faults: FaultBook[MailFault]) -> None:
        self._catcher = Catcher(outbox, faults)
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port that was chosen when `port` is 0."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._session, host, port)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()

    def _session(self) -> SMTP:
        return SMTP(
            self._catcher,
            hostname=HOSTNAME,
            ident="Nestor sandbox",
            data_size_limit=limits.MAIL_BYTES_MAX,
            enable_SMTPUTF8=True,
            auth_require_tls=False,  # loopback; a fake has no certificate
            authenticator=self._catcher.authenticate,
            loop=asyncio.get_running_loop(),
        )
