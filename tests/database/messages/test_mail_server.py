"""The way to a mail server: TLS, login, and which of the settings fails."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest

from runtime.mail import MailServerAway, Server, tried
from runtime.mail_settings import MailSettings
from tests.database.notifications.test_sending import a_certificate
from tests.support.mail_server import mail_server

USER = ("shop", "correct-horse")


def served(file: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    return context


def settings(port: int, scheme: str = "smtp", **fields: Any) -> MailSettings:
    return MailSettings.model_validate(
        {"url": f"{scheme}://localhost:{port}", "sender": "a@shop.example", **fields}
    )


async def hand_over(mail: MailSettings) -> str:
    server = Server(mail)
    try:
        answer = await server.send(
            b"Subject: x\r\n\r\nx\r\n", "<1@x>", "a@x.example", "b@x.example"
        )
    finally:
        await server.close()
    return answer.outcome


@pytest.mark.parametrize(("scheme", "implicit"), [("smtp", False), ("smtps", True)])
async def test_mails_go_over_tls_with_a_login(tmp_path: Path, scheme: str, implicit: bool) -> None:
    file = a_certificate(tmp_path, "localhost")
    # The library's server takes a login only where it began TLS itself.
    user = None if implicit else USER
    login = {} if user is None else {"user": user[0], "password": user[1]}
    async with mail_server(tls=served(file), implicit=implicit, user=user) as server:
        mail = settings(server.port, scheme, ca_file=file, **login)
        assert await hand_over(mail) == "taken"
        assert len(server.mails) == 1
        looked_at = [step.what for step in await tried(mail)]
        assert looked_at == ["name", "TLS", *(["login"] if login else []), "sender"]
        assert not any(step.fault for step in await tried(mail))


async def test_a_certificate_for_another_name_is_not_taken(tmp_path: Path) -> None:
    file = a_certificate(tmp_path, "other.example")
    async with mail_server(tls=served(file)) as server:
        mail = settings(server.port, ca_file=file)
        with pytest.raises(MailServerAway, match="certificate"):
            await hand_over(mail)
        last = (await tried(mail))[-1]
        assert (last.what, server.mails) == ("TLS", [])
        assert "certificate" in last.fault


async def test_nothing_goes_without_tls_unless_that_is_set() -> None:
    async with mail_server() as server:
        with pytest.raises(MailServerAway):
            await hand_over(settings(server.port))
        assert (await tried(settings(server.port)))[-1].what == "TLS"
        assert await hand_over(settings(server.port, starttls="offered")) == "taken"


async def test_a_wrong_password_is_said_and_never_shown(tmp_path: Path) -> None:
    file = a_certificate(tmp_path, "localhost")
    async with mail_server(tls=served(file), user=USER) as server:
        mail = settings(server.port, ca_file=file, user="shop", password="wrong-horse")
        last = (await tried(mail))[-1]
        assert last.what == "login"
        assert "535" in last.fault
        assert "wrong-horse" not in str([last, mail])
        with pytest.raises(MailServerAway, match="535"):
            await hand_over(mail)


async def test_a_server_that_wants_a_login_which_is_not_set_refuses_no_mail(tmp_path: Path) -> None:
    file = a_certificate(tmp_path, "localhost")
    async with mail_server(tls=served(file), user=USER) as server:
        with pytest.raises(MailServerAway, match="530"):
            await hand_over(settings(server.port, ca_file=file))
        assert (await tried(settings(server.port, ca_file=file)))[-1].fault.startswith("530")


async def test_a_file_of_certificates_that_is_not_there_is_no_mails_fault(tmp_path: Path) -> None:
    async with mail_server() as server:
        mail = settings(server.port, ca_file=tmp_path / "none.pem", starttls="never")
        with pytest.raises(MailServerAway):
            await hand_over(mail)
        last = (await tried(mail))[-1]
        assert (last.what, last.told) == ("ca_file", str(tmp_path / "none.pem"))
        assert last.fault.startswith("cannot be used: ")


async def test_each_step_that_fails_is_named() -> None:
    assert (await tried(MailSettings()))[-1].what == "url"
    unknown = settings(25).model_copy(update={"url": "smtp://nowhere.invalid:25"})
    assert (await tried(unknown))[-1].what == "name"
    odd = unknown.model_copy(update={"url": "smtp://a..b:25"})
    assert (await tried(odd))[-1].what == "name"
    assert (await tried(settings(1)))[-1].what == "TLS"
    assert (await tried(settings(1, starttls="never")))[-1].what == "connection"
    folder = MailSettings(url="folder:/proc/none", sender="a@shop.example")
    assert (await tried(folder))[-1].what == "folder"
