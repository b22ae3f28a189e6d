"""The argument that names a subscription."""

from __future__ import annotations

from typing import Annotated

import typer

Named = Annotated[
    str,
    typer.Argument(metavar="SUBSCRIPTION", help="As `list` shows it.", show_default=False),
]
