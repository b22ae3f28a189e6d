"""`orderloom codec-server`: lets the Temporal UI show what is encrypted."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from domain.errors import InvalidInput
from runtime.codec import EncryptionCodec
from runtime.key_ring import KEYS_VARIABLE, load_ring, read_private
from runtime.program import until_signal
from runtime.settings import Settings, load_settings
from starter.cli.operations.installed import installed
from starter.cli.terminal.options import Json
from starter.cli.terminal.output import Output

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)

_TOKEN: Final = re.compile(r"[A-Za-z0-9._-]{16,200}")
_AT_ONCE: Final = 64
_MAKES_ONE: Final = "`openssl rand -hex 32` makes one"
_ORIGIN: Final = re.compile(r"https?://[^/\s?#@]+")


@app.command("codec-server")
def codec_server(
    origin: Annotated[
        list[str],
        typer.Option(
            "--origin", metavar="URL", help="Where the Temporal UI is; several may be named."
        ),
    ],
    listen: Annotated[
        str,
        typer.Option(
            "--listen",
            metavar="HOST:PORT|fd://N",
            help="Port 0 takes any free one; fd://N is a socket that is open already.",
        ),
    ] = "127.0.0.1:8081",
    token_file: Annotated[
        Path | None,
        typer.Option(
            "--token-file",
            metavar="FILE",
            help="Holds the access token; left out: ORDERLOOM_CODEC_TOKEN does.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Decrypt for the Temporal UI until Ctrl-C or SIGTERM, with the keys of ORDERLOOM_CODEC_KEYS.

    Name it to the UI as its codec endpoint, with the access token as the path:
    `https://codec.example.com/TOKEN`. `orderloom up` does all this by itself.

    Example: `orderloom codec-server --origin https://temporal.example.com --token-file token`
    """
    settings = load_settings()
    if settings.codec_keys is None:
        raise InvalidInput(
            "is not set: name the file of keys that the workers have", where=KEYS_VARIABLE
        )
    origins = [_origin(one) for one in origin]
    token = _token(settings, token_file)
    codec = EncryptionCodec(load_ring(settings.codec_keys))
    server, application = _server(), _application()
    listening = server.bound(listen)
    host, port = listening.getsockname()[:2]
    out = Output(as_json=as_json)
    if as_json:
        out.record({"event": "ready", "listens": f"{host}:{port}", "origins": origins})
    else:
        out.say(f"codec server listens on {host}:{port}, for {', '.join(origins)}")
    answering = application.CodecApp(codec, token=token, origins=origins)
    asyncio.run(
        until_signal(lambda stop: server.serve(answering, listening, stop, at_once=_AT_ONCE))
    )


def _server() -> Any:
    return installed("starter.listening.server")


def _application() -> Any:
    return installed("starter.codec_server.app")


def _origin(text: str) -> str:
    if not _ORIGIN.fullmatch(text.rstrip("/")):
        raise InvalidInput(
            f"{text!r} must be scheme, host and port, such as https://temporal.example.com",
            where="--origin",
        )
    return text.rstrip("/")


def _token(settings: Settings, file: Path | None) -> str:
    where = "ORDERLOOM_CODEC_TOKEN"
    if file is not None:
        where, token = str(file), read_private(file).strip()
    elif settings.codec_token is not None:
        token = settings.codec_token.get_secret_value()
    else:
        raise InvalidInput(
            f"is not set: set it, or name a file with --token-file; {_MAKES_ONE}", where=where
        )
    if not _TOKEN.fullmatch(token):
        raise InvalidInput(
            f"must be 16 to 200 letters, digits, dots, dashes and underscores; {_MAKES_ONE}",
            where=where,
        )
    return token
