"""Days of payment companies by the command line: compared, told, and seen to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.support.builders import an_order
from tests.support.command_line import Cli
from tests.support.shop import Shop


async def test_a_day_is_clean_then_each_difference_is_told_and_seen_to(
    cli: Cli, shop: Shop
) -> None:
    await shop.stocked("TEA", 9)
    order = an_order(("TEA", 2))
    parcel = await shop.placed(order)
    await shop.drive(parcel, "shipped")
    await shop.told(order.order_id, "charged")
    done = await shop.payment.operations(order.order_id)
    day = done[0].at.date().isoformat()
    clean, none = await cli.many(("reconcile", "--day", day), ("reconcile", "list"))
    assert (clean.code, clean.err) == (0, "")
    assert clean.out == (
        f"gift_card {day}: 0 effects there, 0 agree\n"
        f"sandbox {day}: 2 effects there, 2 agree\n"
        f"store_credit {day}: 0 effects there, 0 agree\n"
        f"voucher {day}: 0 effects there, 0 agree\n"
        "clean\n"
    )
    assert none.out == "no difference is open\n"

    charge = f"{parcel}:capture"
    async with shop.pool.acquire() as conn:
        await conn.execute(
            "update sandbox.payment_call set amount_minor = 24_00 where key = $1", charge
        )
        await conn.execute(
            """insert into sandbox.payment_call
                (key, kind, request, payment_reference, order_id, token, reference, amount_minor,
                 currency)
            select null, 'refund', '', reference, '', token, 'ref_by_hand', 5_00, currency
            from sandbox.payment"""
        )
    told, as_json = await cli.many(
        ("reconcile", "--day", day, "--provider", "sandbox"),
        ("reconcile", "--day", day, "--json"),
    )
    assert told.code == as_json.code == 1
    assert told.err == f"orderloom: 2 differences open on {day}\n"
    lines = told.out.splitlines()
    assert lines[0] == f"sandbox {day}: 3 effects there, 1 agree"
    # The company names no order: it is that of the payment which the refund is of.
    assert lines[1].endswith(f" missing_here: ref_by_hand, order {order.order_id} (sandbox {day})")
    assert lines[2] == "    ours    nothing"
    assert lines[3].startswith("    theirs  refund of 5.00 USD as ref_by_hand at ")
    assert lines[4] == "    why     nothing is known of it here"
    assert "an operator sees to it: orderloom reconcile resolve " in lines[5]
    assert lines[6].endswith(f" amount: {charge}, order {order.order_id} (sandbox {day})")
    assert lines[7].startswith("    ours    capture of 25.00 USD succeeded at ")
    assert lines[8].startswith("    theirs  capture of 24.00 USD as cap_")
    document = as_json.json
    assert (document["day"], document["clean"]) == (day, False)
    (of_sandbox,) = [one for one in document["providers"] if one["provider"] == "sandbox"]
    assert of_sandbox | {"ran_at": "", "runs": 0} == {
        "provider": "sandbox",
        "day": day,
        "ran_at": "",
        "runs": 0,
        "listed": 3,
        "matched": 1,
        "under_way": 0,
        "state": "open",
    }
    first, second = document["differences"]
    assert (first["class"], first["ours"], first["theirs"]["amount"]) == (
        "missing_here",
        None,
        "5.00",
    )
    assert (second["class"], second["ours"]["amount"], second["theirs"]["amount"]) == (
        "amount",
        "25.00",
        "24.00",
    )

    numbers = [str(one["difference_id"]) for one in document["differences"]]
    note = ("--note", "the bank has confirmed it")
    resolved, twice, unknown, no_note, also, again, kept = await cli.many(
        ("reconcile", "resolve", numbers[0], *note, "--by", "ann"),
        ("reconcile", "resolve", numbers[0], *note),
        ("reconcile", "resolve", "999", *note, "--json"),
        ("reconcile", "resolve", numbers[1], "--note", ""),
        ("reconcile", "resolve", numbers[1], *note, "--json"),
        ("reconcile", "--day", day),
        ("reconcile", "list", "--all", "--json"),
    )
    assert resolved.out == (
        f"difference {numbers[0]} (missing_here, ref_by_hand) is resolved\n"
        f"5.00 USD of order {order.order_id} are recorded as paid back elsewhere\n"
    )
    assert (twice.code, unknown.code, no_note.code) == (1, 1, 2)
    assert "is resolved already: the bank has confirmed it" in twice.err
    assert unknown.error["error"] == "not_found"
    assert also.json["resolution"] == "resolved"
    assert (again.code, again.out.splitlines()[-1]) == (0, "clean")
    assert kept.json["differences"][0]["who"] == "ann"


async def test_what_a_rule_has_mended_is_told_and_the_day_is_clean(cli: Cli, shop: Shop) -> None:
    await shop.stocked("TEA", 9)
    order = an_order(("TEA", 1))
    await shop.placed(order)
    (made,) = await shop.payment.operations(order.order_id)
    async with shop.pool.acquire() as conn:
        await conn.execute(
            "update payment_operation set state = 'failed', code = 'not_found', reference = null"
        )
    day = made.at.date().isoformat()
    command = ("reconcile", "--day", day, "--provider", "sandbox")
    mended, later = await cli.many(command, command)
    assert (mended.code, mended.err) == (0, "")
    assert f"state: {made.key}, order {order.order_id}" in mended.out
    assert (
        "    next    nothing: mended by reconciliation, "
        f"released there under {order.order_id}:void\n" in mended.out
    )
    assert mended.out.endswith("\nclean\n")
    assert later.out == f"sandbox {day}: 2 effects there, 2 agree\nclean\n"


async def test_bad_input_is_refused_with_2_and_what_to_do(cli: Cli) -> None:
    today = datetime.now(UTC).date()
    future = (today + timedelta(days=2)).isoformat()
    elsewhere = ("--day", today.isoformat(), "--provider", "bank")
    for arguments, hint in (
        ((), "--day: which day"),
        (("--day", "24.11.2026"), "write 2026-11-24"),
        (("--day", "2026-11-31"), "write 2026-11-24"),
        (("--day", future), "has not begun"),
        (elsewhere, "there is no 'bank'; there is gift_card, sandbox, store_credit, voucher"),
    ):
        ended = await cli("reconcile", *arguments)
        assert (ended.code, ended.out) == (2, "")
        assert hint in ended.err
        assert ended.err.count("\n") == 1


async def test_without_temporal_it_ends_with_3(cli: Cli) -> None:
    away = Cli({**cli.environment, "TEMPORAL_ADDRESS": "127.0.0.1:9"})
    ended = await away("reconcile", "--day", "2026-11-24", "--json")
    assert ended.code == 3
    assert ended.error["error"] == "unreachable"
