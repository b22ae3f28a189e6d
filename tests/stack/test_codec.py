"""`orderloom up` with keys: its Temporal UI decrypts by itself, and nobody else does."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from google.protobuf import json_format
from temporalio.api.common.v1 import Payload, Payloads

from runtime.codec import EncryptionCodec
from runtime.discovery import connect_settings, read_stack
from runtime.key_ring import add_key, load_ring
from tests.stack.test_stack import marked, up
from tests.support.servers import temporary_folder

PLAIN: Final = Payload(metadata={"encoding": b"json/plain"}, data=b'{"reason":"ordered twice"}')


@pytest.fixture
def home() -> Iterator[Path]:
    with temporary_folder() as folder:
        yield folder / "home"
        for process in marked(folder / "home"):
            process.kill()


def asked(
    url: str, method: str, headers: Mapping[str, str], body: bytes | None = None
) -> tuple[int, Any]:
    """The status, and the answer's body, or its headers where there is none."""
    request = Request(url, data=body, method=method, headers=dict(headers))  # noqa: S310 - ours
    try:
        with urlopen(request, timeout=10) as answer:  # noqa: S310 - of our server
            return answer.status, answer.read() or answer.headers
    except HTTPError as error:
        return error.code, error.read()


async def test_the_ui_is_told_where_to_decrypt_and_may_and_pages_of_others_may_not(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = tmp_path / "codec.keys"
    add_key(keys)
    (encrypted,) = await EncryptionCodec(load_ring(keys)).encode([PLAIN])
    body = json_format.MessageToJson(Payloads(payloads=[encrypted])).encode()
    for name in ("TEMPORAL_ADDRESS", "DATABASE_URL", "ORDERLOOM_CODEC_KEYS"):
        monkeypatch.delenv(name, raising=False)
    with up(home, ORDERLOOM_CODEC_KEYS=str(keys)) as stack:
        info = stack.ready()
        assert connect_settings(home).codec_keys == keys
        _, settings = asked(f"{info.temporal_ui_url}/api/v1/settings", "GET", {})
        endpoint = json.loads(settings)["Codec"]["Endpoint"]
        assert endpoint.startswith("http://127.0.0.1:")

        def may_read(origin: str) -> bool:
            """Ask as the UI's page does: beforehand, and then for the payloads."""
            wanted = {
                "Origin": origin,
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "content-type,x-namespace",
            }
            status, headers = asked(f"{endpoint}/decode", "OPTIONS", wanted)
            if status != 204 or headers["Access-Control-Allow-Origin"] != origin:
                return False
            sent = {
                "Origin": origin,
                "Content-Type": "application/json",
                "X-Namespace": "default",
            }
            status, told = asked(f"{endpoint}/decode", "POST", sent, body)
            return status == 200 and list(json_format.Parse(told, Payloads()).payloads) == [PLAIN]

        port = info.temporal_ui_url.rpartition(":")[2]
        assert may_read(info.temporal_ui_url)
        assert may_read(f"http://localhost:{port}")
        assert not may_read("http://127.0.0.1:1")
        guessed = endpoint.rpartition("/")[0]
        assert asked(f"{guessed}/decode", "POST", {"Origin": info.temporal_ui_url}, body)[0] == 401

        os.kill(info.pids["codec-server"], signal.SIGKILL)
        stack.wait_for("report", "codec-server was started again")
        assert may_read(info.temporal_ui_url)
        assert stack.end() == 0
    assert marked(home) == []
    assert "decrypt" not in (home / "logs" / "codec-server.log").read_text(encoding="utf-8")
    assert endpoint.rpartition("/")[2] not in (home / "logs" / "codec-server.log").read_text(
        encoding="utf-8"
    )


def test_keys_that_cannot_be_used_keep_the_stack_from_starting(home: Path, tmp_path: Path) -> None:
    keys = tmp_path / "codec.keys"
    keys.write_text("", encoding="utf-8")
    with up(home, ORDERLOOM_CODEC_KEYS=str(keys)) as stack:
        assert "chmod 600" in stack.wait_for("error")
        assert stack.exit_code() == 2
    assert read_stack(home) is None
    assert not home.exists()
