"""Rows of tables that can be shown as cards."""

from __future__ import annotations

from starter.web.screens.tables import headed

HEADS = (("Order", ""), ("What & why", ""), ("Total", "number"))


def test_each_cell_says_its_head_but_the_name_of_the_row_and_what_is_empty() -> None:
    rows = '<tr><th scope="row">A-1</th><td class="long">late</td><td> </td></tr>'
    assert headed(rows, HEADS) == (
        '<tr><th scope="row">A-1</th>'
        '<td class="long" data-head="What &amp; why">late</td>'
        "<td> </td></tr>"
    )


def test_each_row_begins_with_the_first_head() -> None:
    rows = "<tr><td>1</td></tr>\n<tr class='sum'><td>2</td><td>3</td></tr>"
    assert headed(rows, HEADS).count('data-head="Order"') == 2


def test_what_somebody_typed_is_no_cell() -> None:
    assert headed("<tr><td>&lt;td&gt;</td></tr>", HEADS).count("data-head") == 1


def test_a_cell_of_several_rows_keeps_its_column_in_each() -> None:
    long = '<tr><th rowspan="3">A-1</th><td rowspan="2">late</td><td>1.00</td></tr>'
    rows = f"{long}<tr><td>2.00</td></tr><tr><td>odd</td><td>3.00</td></tr>"
    told = headed(f"{rows}<tr><th>A-2</th><td>lost</td><td>4.00</td></tr>", HEADS)
    amounts = [told.partition(f">{n}.00<")[0].rpartition("<")[2] for n in (1, 2, 3, 4)]
    assert amounts == ['td data-head="Total"'] * 4
    assert told.count('data-head="What &amp; why"') == 3
