"""`orderloom codec-keys`, and `orderloom codec-server` as browsers and programs meet it."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from google.protobuf import json_format
from temporalio.api.common.v1 import Payload, Payloads

from runtime.codec import ENCODING, EncryptionCodec
from runtime.key_ring import Key, KeyRing, add_key, load_ring
from starter.codec_server.app import BODY_BYTES_MAX
from tests.support.command_line import SECONDS_MAX, Cli

TOKEN: Final = "a-token-of-this-test"
UI: Final = "http://127.0.0.1:8233"
PLAIN: Final = Payload(metadata={"encoding": b"json/plain"}, data=b'{"reason":"Kim has moved"}')


@pytest.fixture
def programs(tmp_path: Path) -> Cli:
    """Commands that need no server."""
    return Cli({"HOME": str(tmp_path), "ORDERLOOM_HOME": str(tmp_path / "none")})


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    file = tmp_path / "codec.keys"
    add_key(file, "first")
    return file


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def payloads(self) -> list[Payload]:
        return list(json_format.Parse(self.body, Payloads()).payloads)


@dataclass(frozen=True)
class Server:
    process: asyncio.subprocess.Process
    address: str
    codec: EncryptionCodec

    async def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> Answer:
        def do() -> Answer:
            connection = HTTPConnection(self.address, timeout=10)
            try:
                named = {name.replace("_", "-"): value for name, value in headers.items()}
                connection.request(method, path, body, named)
                answer = connection.getresponse()
                told = {name.lower(): value for name, value in answer.getheaders()}
                return Answer(answer.status, told, answer.read())
            finally:
                connection.close()

        return await asyncio.to_thread(do)

    async def decode(self, *payloads: Payload, path: str = f"/{TOKEN}/decode") -> Answer:
        return await self.ask("POST", path, body_of(*payloads))


def body_of(*payloads: Payload) -> bytes:
    return json_format.MessageToJson(Payloads(payloads=payloads)).encode()


@pytest_asyncio.fixture(loop_scope="session")
async def server(programs: Cli, keys: Path) -> AsyncIterator[Server]:
    programs.environment |= {"ORDERLOOM_CODEC_KEYS": str(keys), "ORDERLOOM_CODEC_TOKEN": TOKEN}
    process = await programs.start(
        *("codec-server", "--listen", "127.0.0.1:0", "--origin", f"{UI}/", "--json")
    )
    assert process.stdout is not None
    ready = json.loads(await asyncio.wait_for(process.stdout.readline(), SECONDS_MAX))
    assert (ready["event"], ready["origins"]) == ("ready", [UI])
    yield Server(process, ready["listens"], EncryptionCodec(load_ring(keys)))
    if process.returncode is None:
        process.kill()
        await process.wait()


async def test_a_key_is_made_another_is_added_and_takes_over(programs: Cli, tmp_path: Path) -> None:
    file = str(tmp_path / "codec.keys")
    first = (await programs.done("codec-keys", "add", file, "--json")).json
    assert first["encrypts"] is True
    added = await programs.done("codec-keys", "add", file, "--id", "next")
    assert added.out == "next  decrypts only\n"
    assert (await programs.done("codec-keys", "use", file, "next")).out == "next  encrypts\n"
    listed = await programs.done("codec-keys", "list", file)
    assert listed.out == f"next  encrypts\n{first['key']}  decrypts only\n"
    secrets = [
        line.split()[1]
        for line in Path(file).read_text(encoding="utf-8").splitlines()
        if line[0] != "#"
    ]
    assert all(secret not in listed.out + added.out for secret in secrets)


async def test_what_cannot_be_used_ends_with_2_and_a_sentence(
    programs: Cli, keys: Path, tmp_path: Path
) -> None:
    open_file = tmp_path / "open"
    open_file.write_text("a AAAA\n", encoding="utf-8")
    serving = ("codec-server", "--origin", UI)
    faults: list[tuple[tuple[str, ...], dict[str, str], str]] = [
        (("codec-keys", "list", str(tmp_path / "none")), {}, "cannot be read"),
        (("codec-keys", "list", str(open_file)), {}, "chmod 600"),
        (serving, {}, "ORDERLOOM_CODEC_KEYS: is not set"),
        (serving, {"KEYS": str(open_file), "TOKEN": TOKEN}, "chmod 600"),
        (serving, {"KEYS": str(keys)}, "ORDERLOOM_CODEC_TOKEN: is not set"),
        (serving, {"KEYS": str(keys), "TOKEN": "short"}, "ORDERLOOM_CODEC_TOKEN"),
        (serving, {"KEYS": str(keys), "TOKEN": "with/a/slash/in/it"}, "openssl rand"),
        ((*serving, "--token-file", str(open_file)), {"KEYS": str(keys)}, "chmod 600"),
        (("codec-server", "--origin", "*"), {"KEYS": str(keys), "TOKEN": TOKEN}, "--origin"),
        ((*serving, "--listen", "here"), {"KEYS": str(keys), "TOKEN": TOKEN}, "--listen"),
        ((*serving, "--listen", "192.0.2.1:1"), {"KEYS": str(keys), "TOKEN": TOKEN}, "--listen"),
    ]
    for arguments, settings, told in faults:
        environment = {f"ORDERLOOM_CODEC_{name}": value for name, value in settings.items()}
        ended = await Cli(programs.environment | environment)(*arguments)
        assert (ended.code, ended.out) == (2, ""), (arguments, ended)
        assert ended.err.count("\n") == 1, ended
        assert told in ended.err, (arguments, ended)
        assert "with/a/slash" not in ended.err


async def test_where_the_server_is_not_installed_the_extra_is_named(
    programs: Cli, keys: Path
) -> None:
    code = (
        "import sys; sys.modules['uvicorn'] = None; from starter.cli.program import run; "
        f"sys.exit(run(['codec-server', '--origin', '{UI}']))"
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code),
        env=programs.environment
        | {"ORDERLOOM_CODEC_KEYS": str(keys), "ORDERLOOM_CODEC_TOKEN": TOKEN},
        stderr=asyncio.subprocess.PIPE,
    )
    _, told = await asyncio.wait_for(process.communicate(), SECONDS_MAX)
    assert process.returncode == 2
    assert told.decode() == (
        "orderloom: uvicorn is not installed: pip install 'orderloom[server]'\n"
    )


async def test_the_ui_asks_beforehand_and_then_reads_what_was_encrypted(server: Server) -> None:
    asked = await server.ask(
        "OPTIONS",
        f"/{TOKEN}/decode",
        Origin=UI,
        Access_Control_Request_Method="POST",
        Access_Control_Request_Headers="content-type,x-namespace",
    )
    assert (asked.status, asked.headers["access-control-allow-origin"]) == (204, UI)
    assert "x-namespace" in asked.headers["access-control-allow-headers"]
    assert asked.headers["access-control-allow-methods"] == "POST"
    encrypted = await server.codec.encode([PLAIN])
    answer = await server.ask(
        "POST",
        f"/{TOKEN}/decode",
        body_of(*encrypted, PLAIN),
        Origin=UI,
        Content_Type="application/json",
        X_Namespace="default",
    )
    assert answer.status == 200
    assert answer.payloads == [PLAIN, PLAIN]
    assert answer.headers["access-control-allow-origin"] == UI
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"


async def test_a_program_shows_the_token_in_the_header_and_encrypts_too(server: Server) -> None:
    answer = await server.ask(
        "POST", "/default/encode", body_of(PLAIN), Authorization=f"Bearer {TOKEN}"
    )
    (encrypted,) = answer.payloads
    assert encrypted.metadata["encoding"] == ENCODING
    assert await server.codec.decode([encrypted]) == [PLAIN]


async def test_others_are_refused_with_the_reason_and_nothing_they_sent_is_logged(
    server: Server,
) -> None:
    (encrypted,) = await server.codec.encode([PLAIN])
    strange = EncryptionCodec(KeyRing((Key("strange", bytes(32)),)))
    (of_others,) = await strange.encode([PLAIN])
    ours = f"/{TOKEN}/decode"
    body = body_of(encrypted)
    refused = [
        (403, "origin_not_allowed", await server.ask("POST", ours, body, Origin="http://evil")),
        (403, "origin_not_allowed", await server.ask("OPTIONS", ours, Origin="http://evil")),
        (403, "origin_not_allowed", await server.ask("POST", ours, body, Origin="null")),
        (401, "no_token", await server.decode(encrypted, path="/decode")),
        (401, "no_token", await server.decode(encrypted, path=f"/{TOKEN[:-1]}/decode")),
        (401, "no_token", await server.ask("POST", "/decode", body, Authorization="Bearer no")),
        (404, "not_found", await server.decode(encrypted, path=f"/{TOKEN}/else")),
        (405, "method_not_allowed", await server.ask("GET", ours)),
        (413, "too_large", await server.ask("POST", ours, b" " * (BODY_BYTES_MAX + 1))),
        (400, "not_payloads", await server.ask("POST", ours, b'{"payloads": "Kim"}')),
        (400, "not_payloads", await server.ask("POST", ours, b"\xff")),
        (400, "not_payloads", await server.ask("POST", ours, b"[" * 100_000)),
        (422, "cannot_decrypt", await server.decode(encrypted, of_others)),
    ]
    for status, code, answer in refused:
        assert (answer.status, answer.json["code"]) == (status, code), answer
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json["status"] == status
        assert "access-control-allow-origin" not in answer.headers
    assert "'strange'" in refused[-1][2].json["detail"]
    server.process.send_signal(signal.SIGTERM)
    _, told = await asyncio.wait_for(server.process.communicate(), SECONDS_MAX)
    assert server.process.returncode == 0
    log = told.decode()
    assert log.count("refused with") == len(refused)
    assert not any(word in log for word in ("Kim", TOKEN[:-1], "Traceback"))


async def test_told_to_stop_it_first_answers_what_it_was_asked(server: Server) -> None:
    (encrypted,) = await server.codec.encode([PLAIN])
    body = body_of(encrypted)
    host, _, port = server.address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = f"POST /{TOKEN}/decode HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body[:10])
    await writer.drain()
    await asyncio.sleep(0.2)
    server.process.send_signal(signal.SIGTERM)
    await asyncio.sleep(0.2)
    writer.write(body[10:])
    answer = await asyncio.wait_for(reader.read(), SECONDS_MAX)
    assert answer.startswith(b"HTTP/1.1 200 OK")
    writer.close()
    assert await asyncio.wait_for(server.process.wait(), SECONDS_MAX) == 0
