"""`orderloom schema`: the documents' JSON Schemas."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import typer
from pydantic import BaseModel

from domain.orders.channels import Channels
from domain.orders.order import Order
from domain.orders.policy import Policy
from domain.sellers import Sellers
from domain.stock.locations import Locations
from starter.cli.terminal.options import Json
from starter.cli.terminal.output import Output

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_DOCUMENTS: Final[dict[str, type[BaseModel]]] = {
    "order": Order,
    "policy": Policy,
    "locations": Locations,
    "sellers": Sellers,
    "channels": Channels,
}


@app.command()
def schema(
    document: Annotated[
        Literal["order", "policy", "locations", "sellers", "channels"],
        typer.Argument(help="Which document."),
    ],
    as_json: Json = False,
) -> None:
    """Print the JSON Schema of a document.

    The canonical order; the policy that `place --policy` takes; or the file that `locations
    import`, `sellers import` or `channels import` reads.

    Example: `orderloom schema order > order.schema.json`
    """
    content: dict[str, Any] = _DOCUMENTS[document].model_json_schema()
    Output(as_json=as_json).document({"$schema": _DIALECT, **content})
