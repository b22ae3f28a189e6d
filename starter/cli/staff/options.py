"""What the commands about people take in common."""

from __future__ import annotations

from typing import Annotated

import typer

from domain.staff.roles import ROLES

LoginArgument = Annotated[
    str, typer.Argument(metavar="LOGIN", help="With which they sign in.", show_default=False)
]
By = Annotated[str, typer.Option("--by", help="Who decides this; kept with the person.")]
Roles = Annotated[
    list[str] | None,
    typer.Option(
        "--role",
        metavar="ROLE",
        help=f"What they may: {', '.join(ROLES)}; may be given several times.",
        show_default=False,
    ),
]
Mail = Annotated[
    str | None,
    typer.Option(
        "--email", help="As their OpenID Connect provider knows them.", show_default=False
    ),
]
OnlyChannels = Annotated[
    list[str] | None,
    typer.Option(
        "--channel", metavar="CODE", help="For orders of this channel only.", show_default=False
    ),
]
OnlySellers = Annotated[
    list[str] | None,
    typer.Option(
        "--seller", metavar="CODE", help="For what is this seller's only.", show_default=False
    ),
]
OnlyLocations = Annotated[
    list[str] | None,
    typer.Option(
        "--location", metavar="CODE", help="For work at this location only.", show_default=False
    ),
]
Speaks = Annotated[
    str | None,
    typer.Option("--language", help="Of their screens: en, ko or de.", show_default=False),
]
Zone = Annotated[
    str | None,
    typer.Option(
        "--time-zone",
        help="In which they read moments, such as Europe/Berlin; left out: UTC.",
        show_default=False,
    ),
]
