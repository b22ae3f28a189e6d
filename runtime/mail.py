"""The mail server: its settings, how a mail is handed to it, and how its answer is understood.

With `folder:PATH` nothing leaves the machine: each mail is a file there, `<its id>.eml`.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

import aiosmtplib

from domain.errors import InvalidInput, OrderloomError
from domain.messages.bounces import is_of_address
from runtime.mail_settings import PORTS, MailSettings

_PERMANENT: Final = 500
_LOGINS: Final = frozenset({530, 534, 535, 538})
"""A login is wanted, or another one: no mail is at fault."""


class MailServerAway(OrderloomError):
    """The server could not be asked, or wants another user: no mail is at fault."""


@dataclass(frozen=True)
class Answer:
    """What a server said of a mail. `of_address`: it takes no mail for this recipient.

    taken: it will deliver it, or say that it could not. later: it may be tried again. refused: it
    is not taken, whenever it comes.
    """

    outcome: Literal["taken", "later", "refused"]
    said: str
    of_address: bool = False


class Folder:
    """Writes mails as files. The same mail once more is the same file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def send(self, mail: bytes, mail_id: str, sender: str, to: str) -> Answer:
        """Write one mail. Raises MailServerAway where it cannot be written."""
        name = re.sub(r"[^A-Za-z0-9]", "", mail_id.partition("@")[0])
        try:
            self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh = self._path / f".{name}.new"
            fresh.write_bytes(mail)
            fresh.replace(self._path / f"{name}.eml")
        except OSError as error:
            raise MailServerAway(f"cannot write to {self._path}: {error.strerror}") from error
        return Answer("taken", f"written to {name}.eml")

    async def close(self) -> None:
        """Nothing is open."""


class Server:
    """Hands mails to a server, over one connection that is kept for the next mail."""

    def __init__(self, settings: MailSettings) -> None:
        self._settings = settings
        self._client: aiosmtplib.SMTP | None = None

    async def send(self, mail: bytes, mail_id: str, sender: str, to: str) -> Answer:
        """Hand over one mail. Raises MailServerAway where nobody knows whether it was taken."""
        client = await self.connected()
        try:
            _, said = await client.sendmail(sender, [to], mail)
            return Answer("taken", said)
        except aiosmtplib.SMTPRecipientsRefused as refusal:
            one = refusal.recipients[0]
            return await self._refused(client, one, of_address=is_of_address(one.code, one.message))
        except (aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPDataError) as refusal:
            return await self._refused(client, refusal)
        except (aiosmtplib.SMTPException, OSError) as error:
            await self.close()
            raise MailServerAway(_told(error)) from error
        except BaseException:
            # Of a mail that was being handed over nothing is known: nobody may go on with it.
            client.close()
            self._client = None
            raise

    async def _refused(
        self,
        client: aiosmtplib.SMTP,
        said: aiosmtplib.SMTPResponseException,
        *,
        of_address: bool = False,
    ) -> Answer:
        """What the server meant. Raises MailServerAway where it wants a login, or another one."""
        if said.code in _LOGINS:
            await self.close()
            raise MailServerAway(_told(said))
        await self._reset(client)
        return _answer(said.code, said.message, of_address=of_address)

    async def connected(self) -> aiosmtplib.SMTP:
        """A connection, with TLS and its user known. Raises MailServerAway."""
        if self._client is not None and self._client.is_connected:
            return self._client
        client: aiosmtplib.SMTP | None = None
        try:
            client = _client(self._settings)
            await client.connect()
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            if client is not None:
                client.close()
            raise MailServerAway(_told(error)) from error
        self._client = client
        return client

    async def close(self) -> None:
        """End the connection, if there is one."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(aiosmtplib.SMTPException, OSError):
                await client.quit()
            client.close()

    async def _reset(self, client: aiosmtplib.SMTP) -> None:
        try:
            await client.rset()
        except (aiosmtplib.SMTPException, OSError):
            await self.close()


Post = Folder | Server


def post_of(settings: MailSettings) -> Post:
    """Where mails go. Raises InvalidInput where no server is set."""
    if settings.url is None:
        raise InvalidInput("is not set", where="ORDERLOOM_MAIL__URL")
    if settings.url.startswith("folder:"):
        return Folder(Path(settings.url.removeprefix("folder:")))
    return Server(settings)


@dataclass(frozen=True)
class Step:
    """One thing that was looked at. `fault`: why it fails; empty: it is in order."""

    what: str
    told: str
    fault: str = ""


async def tried(settings: MailSettings) -> Sequence[Step]:
    """Look at each setting, one after the other, up to the first that fails. No mail is sent."""
    if settings.url is None:
        return [Step("url", "", "ORDERLOOM_MAIL__URL is not set: customers are told nothing")]
    if settings.url.startswith("folder:"):
        return [_tried_folder(Path(settings.url.removeprefix("folder:")))]
    parts = urlsplit(settings.url)
    host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    steps: list[Step] = []
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port)
    except (OSError, UnicodeError) as error:
        return [Step("name", host, f"the name cannot be resolved: {_told(error)}")]
    steps.append(Step("name", f"{host} is {found[0][4][0]}"))
    try:
        client = _client(settings, login=False)
    except (OSError, ValueError) as error:
        return [*steps, Step("ca_file", str(settings.ca_file), f"cannot be used: {_told(error)}")]
    what = "TLS" if parts.scheme == "smtps" or settings.starttls != "never" else "connection"
    try:
        await client.connect()
        steps.append(Step(what, f"port {port} answers"))
        if settings.user is not None and settings.password is not None:
            what = "login"
            await client.login(settings.user, settings.password.get_secret_value())
            steps.append(Step(what, settings.user))
        what = "sender"
        for sender in dict.fromkeys((settings.sender or "", *settings.senders.values())):
            await client.mail(sender)
            await client.rset()
            steps.append(Step(what, sender))
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        steps.append(Step(what, f"{host}:{port}", _told(error)))
    finally:
        with suppress(aiosmtplib.SMTPException, OSError):
            await client.quit()
        client.close()
    return steps


def _tried_folder(path: Path) -> Step:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = path / ".probe"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        return Step("folder", str(path), f"cannot be written to: {error.strerror}")
    return Step("folder", str(path))


def _client(settings: MailSettings, *, login: bool = True) -> aiosmtplib.SMTP:
    parts = urlsplit(settings.url or "")
    start = {"required": True, "offered": None, "never": False}[settings.starttls]
    implicit = parts.scheme == "smtps"
    password = settings.password if login else None
    return aiosmtplib.SMTP(
        hostname=parts.hostname,
        port=parts.port or PORTS[parts.scheme],
        use_tls=implicit,
        start_tls=False if implicit else start,
        tls_context=ssl.create_default_context(
            cafile=None if settings.ca_file is None else str(settings.ca_file)
        ),
        username=settings.user if login else None,
        password=None if password is None else password.get_secret_value(),
        timeout=settings.timeout.total_seconds(),
    )


def _answer(code: int, said: str, *, of_address: bool = False) -> Answer:
    told = f"{code} {said}"
    if code >= _PERMANENT:
        return Answer("refused", told, of_address=of_address)
    return Answer("later", told)


def _told(error: Exception) -> str:
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"{error.code} {error.message}"[:300]
    return (str(error) or type(error).__name__)[:300]
