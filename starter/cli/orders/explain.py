"""`orderloom explain`: the reasons for an order's locations, from PostgreSQL."""

from __future__ import annotations

import typer

from domain.stock.location_ranking import Place
from starter.cli.terminal.named import OrderName, order_named
from starter.cli.terminal.options import Json
from starter.cli.terminal.output import Output, local, money, wire
from starter.service.connection import from_records
from store.views.decisions import Sourced

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)


@app.command()
def explain(order: OrderName, as_json: Json = False) -> None:
    """Show why an order ships from its locations: the reasons for and against each location.

    The figures are those at the time of the choice. Another choice follows for units that were not
    found, were refused, or got lost.

    Example: `orderloom explain web-1001`
    """
    order = order_named(order)
    choices = from_records(lambda here: here.orders.sourcing(order))
    out = Output(as_json=as_json)
    if as_json:
        out.document({"order_id": order, "sourcing": [wire(choice) for choice in choices]})
        return
    if not choices:
        out.say(f"nothing was chosen for {order} yet")
    for choice in choices:
        _tell(choice, out)


def _tell(choice: Sourced, out: Output) -> None:
    why = f" ({choice.why})" if choice.why else ""
    out.say(f"{local(choice.at)}  {choice.what}{why}")
    if not choice.considered:
        out.say("  no location has any of these SKUs")
    else:
        out.table(
            ["location", ">has", ">serves", ">parcel", ">km", ">leaves in days", "why"],
            [
                (
                    one.place.location,
                    one.has,
                    one.serves,
                    _cost(one.place),
                    one.place.distance_km if one.place.currency else "",
                    one.place.wait_days,
                    one.why,
                )
                for one in choice.considered
            ],
        )
    if not choice.exact:
        out.say("  there were too many ways to look at them all; a better one may exist")


def _cost(place: Place) -> str:
    return money(place.cost_minor, place.currency) if place.currency else ""
