"""Messages go to addresses that were checked, and over TLS with the receiver's name."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from activities.notifications.sending import Answer, Sender
from activities.notifications.targets import TargetRefused, Targets
from tests.support.receiver import HERE, Reply, receiving, sending


async def sent(sender: Sender, url: str) -> Answer:
    return await sender.send(url, {"content-type": "text/plain"}, b"x")


def a_certificate(folder: Path, name: str) -> Path:
    """A certificate for this name, with its key, that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{name}.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return file


@pytest.mark.parametrize(("name", "status"), [("localhost", 204), ("other.example", None)])
async def test_tls_goes_by_the_name_though_the_address_was_looked_up_before(
    tmp_path: Path, name: str, status: int | None
) -> None:
    file = a_certificate(tmp_path, name)
    names: list[str | None] = []
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(file)
    served.sni_callback = lambda _socket, asked, _context: names.append(asked)
    sender = Sender(HERE, tls=ssl.create_default_context(cafile=str(file)))
    async with receiving(tls=served) as receiver:
        answer = await sent(sender, receiver.url)
        assert answer.status == status
        assert names == ["localhost"]
        if status is None:
            assert "certificate" in answer.error
        else:
            assert receiver.all[0].headers["host"].startswith("localhost:")
    await sender.close()


async def test_an_inner_address_is_not_even_connected_to() -> None:
    async with receiving() as receiver:
        sender = Sender(Targets(plain_http=True))
        for host in ("localhost", "127.0.0.1", "[::1]", "0x7f.1", "2130706433", "127.1"):
            answer = await sent(sender, receiver.url.replace("localhost", host))
            assert answer.status is None
            assert "is an inner address" in answer.error
        assert receiver.all == []
        await sender.close()
        sender = Sender(Targets(HERE.allow))
        answer = await sent(sender, receiver.url)
        assert answer.error.startswith("not sent: http is not allowed")
        await sender.close()


async def test_of_a_name_with_several_addresses_each_is_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody may answer for a name with one address of the world's and one of ours."""

    async def both(*_: object, **__: object) -> list[object]:
        return [(None, None, None, "", (one, 443)) for one in ("93.184.216.34", "10.0.0.1")]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", both)
    with pytest.raises(TargetRefused, match=r"10\.0\.0\.1 is an inner address"):
        await Targets().resolved("two.example", 443)
    allowing = Targets([ipaddress.ip_network("10.0.0.0/24")])
    assert await allowing.resolved("two.example", 443) == ["93.184.216.34", "10.0.0.1"]


async def test_an_answer_takes_no_longer_and_is_no_longer_than_it_may(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    drips = Reply(200, body=b"x" * 1000, how="drip")
    async with receiving(lambda _n, _g: drips) as receiver, sending(seconds_max=0.5) as sender:
        began = time.monotonic()
        answer = await sent(sender, receiver.url)
        assert time.monotonic() - began < 1
        assert answer.error == "no answer within 0.5 s"
        receiver.behaviour = lambda _n, _g: Reply(400, body=b"\x00" + b"y" * 1_000_000)
        answer = await sent(sender, receiver.url)
        assert answer.answer == "\ufffd" + "y" * 499


async def test_a_name_that_nobody_knows_is_an_answer() -> None:
    async with sending() as sender:
        answer = await sent(sender, "http://nobody.invalid/")
        assert answer.error == "no answer: the name nobody.invalid cannot be resolved"
        answer = await sent(sender, "http://localhost:1/")
        assert answer.error.startswith("no answer: ")
