"""`orderloom serve`: the HTTP door."""

from __future__ import annotations

import ipaddress
from typing import Annotated

import typer

from domain.errors import InvalidInput
from runtime.program import until_signal
from starter.cli.operations.installed import installed
from starter.cli.terminal.options import Json
from starter.cli.terminal.output import Output

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)


@app.command("serve")
def serve(
    listen: Annotated[
        str,
        typer.Option(
            "--listen",
            metavar="HOST:PORT|fd://N",
            help="Port 0 takes any free one; fd://N is a socket that is open already.",
        ),
    ] = "127.0.0.1:8080",
    metrics: Annotated[
        str | None,
        typer.Option(
            "--metrics",
            metavar="HOST:PORT",
            help="Answers Prometheus there; left out: nowhere.",
            show_default=False,
        ),
    ] = None,
    trusted: Annotated[
        list[str] | None,
        typer.Option(
            "--trusted-proxy",
            metavar="ADDRESS",
            help="A proxy, or a network of them, whose X-Forwarded headers are believed; several "
            "may be named.",
            show_default=False,
        ),
    ] = None,
    origins: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-origin",
            metavar="ORIGIN",
            help="A site whose pages may ask from a browser, such as https://shop.example; several "
            "may be named. Left out: none.",
            show_default=False,
        ),
    ] = None,
    at_once: Annotated[
        int,
        typer.Option(
            "--at-once", min=1, max=100_000, help="Connections; further ones are answered 503."
        ),
    ] = 1000,
    as_json: Json = False,
) -> None:
    """Answer HTTP requests until Ctrl-C or SIGTERM. Requests that have begun are finished first.

    `/docs` describes what can be asked, `/readyz` tells whether the servers behind it answer.

    Example: `orderloom serve --listen 0.0.0.0:8080 --trusted-proxy 10.0.0.0/8`
    """
    proxies = [_network(one) for one in trusted or ()]
    server, program = installed("starter.listening.server"), installed("starter.http.program")
    listening = server.bound(listen)
    measured = None if metrics is None else server.bound(metrics, where="--metrics")
    out = Output(as_json=as_json)

    def ready(url: str) -> None:
        if as_json:
            out.record({"event": "ready", "url": url})
        else:
            out.say(f"HTTP on {url}, described on {url}/docs")

    program.run(
        until_signal(
            lambda stop: program.serve(
                listening,
                stop,
                metrics=measured,
                proxies=proxies,
                origins=origins or (),
                at_once=at_once,
                ready=ready,
            )
        )
    )


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as error:
        raise InvalidInput(
            f"{text!r} is neither an address nor a network, such as 10.1.2.3 or 10.0.0.0/8",
            where="--trusted-proxy",
        ) from error
