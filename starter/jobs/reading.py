"""Files of imports as items: by the readers of `starter/channels`, which the commands use, too.

What is wrong in a file costs only its own item. A file that nobody can read is refused as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby, islice
from typing import Any, Final, cast

from domain.errors import InvalidInput, printable
from domain.fields import Document
from domain.jobs.jobs import ItemFault, Kind, NewItem
from domain.jobs.options import OrdersImport
from domain.purchasing.purchase_orders import SupplierItem
from starter.channels.csv_dialect import columns_of
from starter.channels.csv_table import Entry, read_table
from starter.channels.documents import read_orders
from starter.channels.items_csv import read_items
from starter.channels.kits_csv import read_kits
from starter.channels.read_results import Problem, Record
from starter.channels.stock_csv import StockRow, read_stock
from starter.channels.text import lines_of

REFERENCE_MAX: Final = 300

Found = Entry[Any] | StockRow | Problem


def items_of(kind: Kind, data: bytes, options: Mapping[str, Any]) -> Iterator[NewItem]:
    """Each item of a file, in sequence: the same file always gives the same.

    `options`: the job's. Raises InvalidInput where the file cannot be read on.
    """
    if kind == "import_orders":
        wanted = OrdersImport.model_validate(options)
        return map(_order, read_orders(data, channel=wanted.channel))
    read, named = _TABLES[kind]
    return _rows(read(data), named)


def check_readable(kind: Kind, data: bytes) -> None:
    """Raises InvalidInput for a file that cannot be read at all, as far as its beginning shows."""
    if not data.strip():
        raise InvalidInput("is empty", where="file")
    if kind == "import_orders":
        some = list(islice(read_orders(data), 2))
        if not some:
            raise InvalidInput("has no order in it", where="file")
        (fault, *more) = some[0].problems or (None,)
        # A fault of the whole, where nothing else could be told apart in it.
        if len(some) == 1 and fault is not None and not more and not fault.field:
            raise _unreadable(fault)
        return
    try:
        header = columns_of(lines_of(data)).line
        first = next(iter(_TABLES[kind][0](data)), None)
    except InvalidInput as error:
        raise InvalidInput(str(error), where="file") from None
    if first is None:
        raise InvalidInput("has a header, and nothing below it", where="file")
    if isinstance(first, Problem) and first.line <= header and not first.field:
        raise _unreadable(first)


def _unreadable(fault: Problem) -> InvalidInput:
    return InvalidInput(f"line {fault.line}: {fault.reason}", where="file")


def _order(record: Record) -> NewItem:
    order = record.order
    if order is None:
        return NewItem(
            content=None,
            reference=printable(record.name)[:REFERENCE_MAX] or None,
            line=record.line,
            faults=_faults(record.problems),
        )
    # What was left out of it is told in its story, so it goes along.
    document = order.model_dump(mode="json", exclude_none=True)
    content = {"order": document, "left_out": list(order.left_out)}
    return NewItem(content=content, reference=order.order_id, line=record.line)


def _rows(found: Iterable[Found], named: Callable[[Any], str]) -> Iterator[NewItem]:
    """A row as an item. All that is wrong in one line is one item."""
    for line, same in groupby(found, key=lambda one: one.line):
        problems: list[Problem] = []
        for one in same:
            if isinstance(one, Problem):
                problems.append(one)
                continue
            content: Document = one if isinstance(one, StockRow) else one.content
            yield NewItem(
                content=content.model_dump(mode="json", exclude_none=True),
                reference=named(content)[:REFERENCE_MAX],
                line=line,
            )
        if problems:
            yield NewItem(content=None, line=line, faults=_faults(problems))


def _faults(problems: Iterable[Problem]) -> tuple[ItemFault, ...]:
    return tuple(
        ItemFault(line=one.line, field=printable(one.field), detail=printable(one.reason))
        for one in problems
    )


def _terms(data: bytes) -> Iterator[Found]:
    return cast("Iterator[Found]", read_table(data, SupplierItem))


_TABLES: Final[dict[Kind, tuple[Callable[[bytes], Iterator[Found]], Callable[[Any], str]]]] = {
    "import_stock": (read_stock, lambda row: f"{row.sku}@{row.location}"),
    "import_items": (read_items, lambda row: str(row.sku)),
    "import_kits": (read_kits, lambda row: str(row.sku)),
    "import_supplier_terms": (_terms, lambda row: f"{row.sku}@{row.supplier}"),
}
"""Kind → the reader of its files, and what an item is called."""
