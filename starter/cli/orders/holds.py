"""`orderloom holds`: what stands of an order, the rules that hold orders, and the shop's lists."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from domain.orders.hold_rules import HoldRules, ListedKind, ListEntries
from domain.words import count_of
from starter.cli.orders.hold_options import show
from starter.cli.terminal.named import OrderName, order_named
from starter.cli.terminal.options import DryRun, Json, Who, read_json_file, read_model, reporter
from starter.cli.terminal.output import Output
from starter.service.connection import from_records
from starter.service.hold_rules import ShownRule

app = typer.Typer(rich_markup_mode="markdown", add_completion=False, no_args_is_help=True)

ListName = Annotated[str, typer.Argument(metavar="LIST", show_default=False)]
Kind = Annotated[ListedKind, typer.Argument(help="What the values are.", show_default=False)]
Values = Annotated[list[str], typer.Argument(metavar="VALUE...", show_default=False)]


@app.callback()
def holds() -> None:
    """Holds of an order, and the rules by which orders are held as they come in.

    `orderloom attention` lists the holds of all orders. A change of a rule concerns the orders that
    come from then on.
    """


@app.command("list")
def list_holds(order: OrderName, as_json: Json = False) -> None:
    """List the holds of an order that stand.

    Example: `orderloom holds list web-1001`
    """
    order = order_named(order)
    found = from_records(lambda here: here.holds.standing(order))
    out = Output(as_json=as_json)
    if as_json:
        shown = [one.model_dump(mode="json") for one in found]
        out.document({"order_id": order, "holds": shown})
        return
    out.say(f"{order}: {'held' if found else 'not held'}")
    show(found, out)


@app.command()
def rules(as_json: Json = False) -> None:
    """List the rules.

    Example: `orderloom holds rules --json > rules.json`
    """
    found = from_records(lambda here: here.hold_rules.list())
    out = Output(as_json=as_json)
    if as_json:
        sound = [one.set_as for one in found if one.set_as is not None]
        out.document(
            {"rules": [one.model_dump(mode="json", exclude_defaults=True) for one in sound]}
        )
        return
    out.table(
        ["rule", "", "holds for", "owner", "ends", "set by"],
        [_row(one) for one in found],
    )


def _row(one: ShownRule) -> tuple[str, ...]:
    rule = one.set_as
    if rule is None:
        return (one.rule, "cannot be read", "", "", "", one.changed_by)
    ends = "" if rule.ends_after is None else f"{rule.at_end} after {rule.ends_after}"
    reason = rule.reason.replace("_", " ")
    return (one.rule, "" if rule.active else "off", reason, rule.owner, ends, one.changed_by)


@app.command("set-rules")
def set_rules(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSON, as `rules --json` has it.")],
    by: Who = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Set the rules of a file, each whole; the others stay as they are.

    Example: `orderloom holds set-rules examples/hold_rules.json`
    """
    wanted = read_json_file(HoldRules, file).rules
    from_records(lambda here: here.hold_rules.save(wanted, who=reporter(by)), dry_run=dry_run)
    out = Output(as_json=as_json, dry_run=dry_run)
    if as_json:
        out.document({"rules": [one.rule for one in wanted]})
    else:
        names = ", ".join(one.rule for one in wanted)
        out.say(f"{count_of(len(wanted), 'rule')} set: {names}")


@app.command("remove-rule")
def remove_rule(
    rule: Annotated[str, typer.Argument(metavar="RULE", show_default=False)], as_json: Json = False
) -> None:
    """Take a rule away. What it holds stays held.

    Example: `orderloom holds remove-rule large`
    """
    from_records(lambda here: here.hold_rules.remove(rule))
    out = Output(as_json=as_json)
    if as_json:
        out.document({"rule": rule, "removed": True})
    else:
        out.say(f"{rule} holds no orders any more")


@app.command()
def lists(as_json: Json = False) -> None:
    """List the shop's lists. What is on them is kept as hashes, so only the number is shown.

    Example: `orderloom holds lists`
    """
    found = from_records(lambda here: here.hold_rules.lists())
    out = Output(as_json=as_json)
    if as_json:
        out.document({"lists": [one.model_dump(mode="json") for one in found]})
    else:
        out.table(
            ["list", "of", "entries"], [(one.list, one.kind, str(one.entries)) for one in found]
        )


@app.command("put-on")
def put_on(name: ListName, kind: Kind, values: Values, by: Who = "", as_json: Json = False) -> None:
    """Put customers or addresses on a list that a rule looks at.

    Example: `orderloom holds put-on blocked email mallory@example.com`
    """
    entries = read_model(ListEntries, {"kind": kind, "values": values}, where="put-on")
    count = from_records(lambda here: here.hold_rules.put_on(name, entries, who=reporter(by)))
    _tell(name, count, "put on", as_json=as_json)


@app.command("take-off")
def take_off(name: ListName, kind: Kind, values: Values, as_json: Json = False) -> None:
    """Take customers or addresses off a list.

    Example: `orderloom holds take-off blocked email mallory@example.com`
    """
    entries = read_model(ListEntries, {"kind": kind, "values": values}, where="take-off")
    count = from_records(lambda here: here.hold_rules.take_off(name, entries))
    _tell(name, count, "taken off", as_json=as_json)


def _tell(name: str, count: int, what: str, *, as_json: bool) -> None:
    out = Output(as_json=as_json)
    if as_json:
        out.document({"list": name, "changed": count})
    else:
        out.say(f"{count} {what} {name}")
