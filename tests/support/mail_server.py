"""A real SMTP server, which does what it is told to: refuse, wait, or go at the worst moment."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session


@dataclass
class MailServer:
    """`mails`: those that it has taken. The answers are None where all is well."""

    port: int = 0
    mails: list[bytes] = field(default_factory=list)
    to_recipient: Callable[[str], str | None] = lambda _: None
    to_mail: Callable[[int], str | None] = lambda _: None
    """The answer to the n-th mail, which is taken all the same where it begins with `drop`."""
    connections: int = 0
    wait: asyncio.Event | None = None
    """It has the mail, and says so when this is set."""
    has_mail: asyncio.Event = field(default_factory=asyncio.Event)
    seen: int = 0

    @property
    def read(self) -> list[EmailMessage]:
        """The mails, as a mail program reads them."""
        return [message_from_bytes(x, policy=default) for x in self.mails]

    async def handle_RCPT(  # noqa: N802 - the library calls it so
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        said = self.to_recipient(address)
        if said is None:
            envelope.rcpt_tos.append(address)
        return said or "250 ok"

    async def handle_DATA(  # noqa: N802 - the library calls it so
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        said = self.to_mail(self.seen)
        self.seen += 1
        if said is None or said == "drop":
            assert isinstance(envelope.content, bytes)
            self.mails.append(envelope.content)
        self.has_mail.set()
        if self.wait is not None:
            await self.wait.wait()
        if said == "drop":
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return said or "250 taken"


@asynccontextmanager
async def mail_server(
    *,
    tls: ssl.SSLContext | None = None,
    implicit: bool = False,
    user: tuple[str, str] | None = None,
    port: int = 0,
) -> AsyncIterator[MailServer]:
    """A server on this machine. `tls`: offers STARTTLS, or `implicit`: speaks TLS at once.

    At the end of the block it is gone, as if it were killed: whoever is connected hears nothing.
    """
    state = MailServer()
    begun: list[SMTP] = []

    def check(
        _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any
    ) -> AuthResult:
        given = (data.login.decode(), data.password.decode())
        return AuthResult(success=given == user, handled=False)

    def begin() -> SMTP:
        state.connections += 1
        smtp = SMTP(
            state,
            hostname="mail.test",
            tls_context=None if implicit else tls,
            require_starttls=tls is not None and not implicit,
            authenticator=check if user is not None else None,
            auth_required=user is not None,
        )
        begun.append(smtp)
        return smtp

    loop = asyncio.get_running_loop()
    server = await loop.create_server(begin, "127.0.0.1", port, ssl=tls if implicit else None)
    state.port = server.sockets[0].getsockname()[1]
    try:
        yield state
    finally:
        server.close()
        for smtp in begun:
            if isinstance(smtp.transport, asyncio.Transport):
                smtp.transport.abort()
