"""Subscriptions by the command line: made, shown, changed, tested, and what was sent."""

from __future__ import annotations

from datetime import timedelta

from domain.notifications.subscriptions import NewSubscription
from tests.support.builders import an_order
from tests.support.command_line import Cli
from tests.support.receiver import Reply, receiving
from tests.support.shop import Shop


async def test_a_subscription_is_made_shown_changed_and_removed(cli: Cli) -> None:
    url = "https://crm.example/orderloom"
    type_ = "orderloom.order.closed.v1"
    none, made, listed, shown = await cli.many(
        ("webhooks", "list"),
        ("webhooks", "add", url, "--type", type_, "--channel", "web", "--by", "kim", "--json"),
        ("webhooks", "list", "--json"),
        ("webhooks", "list"),
    )
    assert none.out == "nobody is told of anything; `orderloom webhooks add URL` subscribes\n"
    named, secret = made.json["subscription_id"], made.json["secret"]
    assert secret.startswith("whsec_")
    (one,) = listed.json["subscriptions"]
    assert (one["url"], one["types"], one["channels"], one["made_by"]) == (
        *(url, [type_], ["web"]),
        "kim",
    )
    assert secret not in listed.out + shown.out
    paused, page, active, new, newest, gone, missing = await cli.many(
        ("webhooks", "update", named, "--pause", "--all", "--by", "kim", "--json"),
        ("webhooks", "show", named),
        ("webhooks", "update", named, "--activate", "--description", "for the CRM", "--json"),
        ("webhooks", "rotate", named),
        ("webhooks", "rotate", named, "--finish", "--json"),
        ("webhooks", "remove", named),
        ("webhooks", "show", named),
    )
    assert (paused.json["state"], paused.json["types"]) == ("paused", None)
    assert "why: paused by kim" in page.out
    assert (active.json["state"], active.json["description"]) == ("active", "for the CRM")
    assert "secret: whsec_" in new.out
    assert newest.json["secrets"] == 1
    assert gone.out == f"{named} is removed\n"
    assert missing.code == 1
    assert missing.err.startswith(f"orderloom: there is no subscription {named}")


async def test_what_cannot_be_is_refused(cli: Cli) -> None:
    plain, type_, nothing, both = await cli.many(
        ("webhooks", "add", "http://crm.example/"),
        ("webhooks", "add", "https://crm.example/", "--type", "order.closed"),
        ("webhooks", "update", "sub-1"),
        ("webhooks", "update", "sub-1", "--pause", "--activate"),
    )
    assert plain.err.startswith("orderloom: url: must begin with https://; ORDERLOOM_WEBHOOK")
    assert (plain.code, type_.code, nothing.code) == (2, 2, 2)
    assert "types[0]: " in type_.err
    assert "exclude each other" in both.err
    assert "says nothing that is to be changed" in nothing.err


async def test_a_test_is_sent_and_deliveries_are_listed_and_sent_again(
    cli: Cli, shop: Shop
) -> None:
    reply = Reply(418, body=b"tea only")
    async with receiving(lambda _n, _g: reply) as receiver:
        made = await shop.subscriptions.make(NewSubscription(url=receiver.url), by="test")
        named = made.subscription.subscription_id
        refused = await cli("webhooks", "test", named, "--json")
        assert refused.code == 1
        assert refused.json["answer"] == "tea only"
        assert refused.error["message"].endswith("was not taken: answered 418")
        reply = Reply()
        assert "was taken: 204 in" in (await cli.done("webhooks", "test", named)).out
        await shop.orders.place(an_order(("TEA", 1)), answer_within=timedelta(seconds=10))

        async def both() -> bool:
            return len(receiver.taken) == 3

        await shop.until(both, "the order's two events are there")
        sent, dead, again, all_, none = await cli.many(
            ("webhooks", "deliveries", named, "--json"),
            ("webhooks", "dead"),
            ("webhooks", "resend", named),
            ("webhooks", "replay", named, "--position", "2", "--json"),
            ("webhooks", "replay", named),
        )
        assert [one["status"] for one in sent.json["attempts"]] == [204, 204, 204, 418]
        assert sent.json["retried"] == []
        assert dead.out == "no dead letters\n"
        assert again.out == "0 dead letters will be sent again\n"
        assert all_.json == {"subscription_id": named, "from_position": 2, "events": 1}
        assert none.code == 2

        async def once_more() -> bool:
            return len(receiver.taken) == 4

        await shop.until(once_more, "the last event is there once more")
        table = await cli.done("webhooks", "deliveries", named)
        assert "orderloom.order.rejected.v1" in table.out
