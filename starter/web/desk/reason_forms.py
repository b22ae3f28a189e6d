"""What rules, steps and facts write into rows in English, by its form.

The answers of the API have these texts as they are; `starter.web.desk.reasons` tells them in the
reader's language. A key is the end of its sentence's key: `because_…`, `edits_…`, `who_…`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_ID: Final = r"(?P<id>\S+)"
_PART: Final = r"(?P<id>\S+:R?[0-9]+)"
"""A fulfilment, or a return."""

_AMOUNT: Final = "[0-9.]+ [A-Z]{3}"
_DAY: Final = "[0-9]{4}-[0-9]{2}-[0-9]{2}"

WHOLE: Final[Mapping[str, str]] = {
    "hold_countries": "the countries of invoice and delivery differ",
    "hold_first": "the first order of this customer",
    "hold_word": "a word that is looked for stands in its note",
    "hold_checking": "its address is being checked",
    "hold_not_checked": "its address could not be checked: look at it",
    "hold_sound": "its address is sound",
    "hold_over": "its time was over",
    "hold_to_charge": "waits to be charged",
    "hold_taken_up": "the order was taken up again",
    "hold_over_amount": r"more than (?P<amount>[0-9.]+) (?P<currency>[A-Z]{3})",
    "hold_many": r"(?P<n>[0-9]+) orders of this customer within (?P<span>.+)",
    "hold_listed": r"on the list (?P<name>.+)",
    "hold_unreadable": (
        r"rule (?P<name>.+) cannot be read by this version: look at the order, and set the rule "
        r"anew"
    ),
    "hold_first_back": r"(?P<id>\S+) is to come back first",
    "hold_approved": r"(?P<id>\S+) is approved",
    "step_silent": "it kept failing or did not answer; the worker's log says why",
    "step_early": (
        r"(?P<name>.+) ends again and again before anything is overdue: please report this to "
        r"Orderloom"
    ),
    "step_label_refused": (
        r"(?P<id>\S+) has no label, because the carrier refuses it: (?P<why>.+); send the "
        r"customer one, or have it sent without, and say done"
    ),
    "step_label_kept": (
        r"the label of (?P<id>\S+) cannot be given back: (?P<why>.+); see to it at the carrier"
    ),
    "step_label_silent": r"no answer about the label of (?P<id>\S+) yet: (?P<why>.+)",
    "step_return_lost": (
        r"carrier (?P<name>.+) says (?P<status>\w+) of the parcel of (?P<id>\S+): ask it where the "
        r"parcel is; count what comes, or that nothing does"
    ),
    "step_return_long": (
        r"a carrier has had the parcel of (?P<id>\S+) for long: ask it where the parcel is; count "
        r"what comes, or that nothing does"
    ),
    "step_return_short": (
        r"(?P<id>\S+) was paid back on its way, and (?P<amount>.+) of that did not come back; have "
        r"the customer pay it, or let it be, and say done"
    ),
    "step_return_asks": (
        r"(?P<id>\S+): (?P<asks>.+); decide by `orderloom returns approve` or `returns refuse`"
    ),
    "step_goodwill": (
        r"(?P<name>.+?) asks for goodwill, (?P<why>.+): (?P<limit>[^:]+: [^:]+)\. Who may give it "
        r"says `orderloom .+"
    ),
    "step_dispute": (
        r"(?P<amount>.+) are disputed at (?P<name>\S+), in another currency than the order's: book "
        r"the amount, which Orderloom does not convert(?:; evidence is due by (?P<day>[0-9-]+))?"
    ),
    "asks_worth_more": "it is worth more than the rules approve",
    "asks_returns_much": "the customer sends back more than the rules approve",
    "asks_is_listed": "the customer, or the address, is on a list",
    "task_held": r"held, (?P<hold>[a-z ]+): (?P<note>.+); (?P<owner>.+) sees to it",
    "task_unknown": r"it is not known what became of a (?P<call>\w+) at (?P<name>.+)",
    "task_to_charge": "its authorization ends, and nobody has asked for the charge",
    "task_carrier_lost": "the carrier lost it: claim what it was worth",
    "task_turned_up": "it turned up, and the carrier has paid for it",
    "task_not_told": r"the customer was not told: (?P<why>.+)",
    "task_approval": r"the purchase order with supplier (?P<name>.+) waits for approval",
    "task_answers": r"supplier (?P<name>.+) answers otherwise: (?P<why>.+)",
    # How an order ended, and why units of it are not sent.
    "end_window": "delivered, and the return window is over",
    "end_window_lost": "delivered but for what was lost, and the return window is over",
    "end_nothing": "nothing was delivered; what was paid for it is paid back",
    "end_all_back": "everything came back, and is paid back",
    "end_early": "cancelled before the payment was authorized",
    "end_time": r"its time was over: (?P<id>H[0-9]+)",
    "end_temporal": "cancelled in Temporal",
    "end_charge": "the charge was refused",
    "end_units": r"not available: (?P<units>[0-9]+ of [0-9]+ .+)",
    "end_none": "not available",
    "units_rest": "the rest is not available and is cancelled",
    "units_waited": r"not in stock within (?P<span>.+)",
    "units_given_up": "given up by an operator",
    "units_not_collected": r"not collected within (?P<span>.+)",
    "units_not_found": "not found by the picker",
    "units_short": r"(?P<n>[0-9,]+) units? not found",
    "units_none_sent": "nothing could be sent",
    "units_refused": r"(?P<name>\S+) refused: (?P<why>.+)",
    "units_still_waited": "some units are still waited for",
    "units_claimed": r"fewer are there than orders have claimed: (?P<note>.+)",
    "units_none_left": "paid for, and there is none left to send",
    # Parcels.
    "part_shipped": rf"{_PART} shipped",
    "part_shipped_all": (
        rf"{_PART} shipped, with all that is left: a part of it may be too little alone"
    ),
    "part_recalled": rf"{_PART} was recalled",
    "part_unused": rf"{_PART} does not go out with it",
    "part_smaller": rf"part of {_PART} was cancelled",
    "part_undelivered": rf"{_PART} could not be delivered",
    "part_just_undelivered": "could not be delivered",
    "part_slow": rf"{_PART} is not (?P<part>picked|packed|handed over) within (?P<span>.+)",
    "part_workshop": r"the workshop: (?P<note>.+)",
    "part_given_out": "given out",
    "part_took_place": "it took place",
    "part_collected": "collected at the counter",
    "part_no_service": "the carrier does not deliver there with this service",
    "part_lost": rf"{_PART} was (?:lost by the carrier)",
    "part_just_lost": "lost by the carrier",
    "part_found": rf"{_PART} was lost, and is found",
    "part_not_scanned": rf"the carrier has not scanned {_PART} for (?P<span>.+); lost\?",
    "part_kept_until": rf"the carrier keeps it until (?P<day>{_DAY})",
    "part_silent": "the carrier did not answer",
    "part_odd_scan": r"(?P<scan>\w+), but the parcel is (?P<part>\w+) here",
    "part_early_scan": (
        rf"(?P<scan>\w+) at (?P<at>.+), before {_ID} had its label at (?P<sold>.+)"
    ),
    "part_ask_which": (
        r"carrier (?P<name>.+) says (?P<scan>\w+): ask it which parcel it means\. If it is this "
        r"one, report it again with the right time; then say done"
    ),
    "part_ask_where": (
        r"carrier (?P<name>.+) says (?P<scan>\w+) after it said (?P<before>\w+): ask it where the "
        r"parcel is, put goods and money right by hand, and say done"
    ),
    "part_kept": (
        r"carrier (?P<name>.+) says delivered after it said failure, and the customer was paid "
        r"back or sent others: let it be \(done\), have it sent back, or charge for it"
    ),
    "part_way": rf"to leave on (?P<leaves>{_DAY}) and arrive by (?P<day>{_DAY}), it is on its way",
    "part_still": (
        rf"to leave on (?P<leaves>{_DAY}) and arrive by (?P<day>{_DAY}), it is (?P<part>\w+) at "
        r"(?P<name>\S+)"
    ),
    "units_late": (
        rf"(?P<n>[0-9]+) (?P<sku>.+), to leave on (?P<leaves>{_DAY}) and arrive by "
        rf"(?P<day>{_DAY}), are still waited for"
    ),
    "units_first_day": (
        rf"(?P<sku>\S+) is on sale (?:from) (?P<day>{_DAY}), not (?:from) (?P<leaves>{_DAY})"
    ),
    "units_first_day_set": (
        rf"(?P<sku>\S+) is on sale (?:from) (?P<day>{_DAY}), not (?:before that)"
    ),
    "units_first_day_gone": (
        rf"(?P<sku>\S+) is on sale (?:at once), not (?:from) (?P<leaves>{_DAY})"
    ),
    "printed_again": r"the (?P<n>[0-9,]+)(?:st|nd|rd|th) time",
    # Money.
    "money_authorized": r"(?P<amount>[0-9.]+ [A-Z]{3}) authorized",
    "money_whole": "the whole order, before it ships",
    "money_not_all_sent": "not everything was sent",
    "money_before": "given up before the payment was authorized",
    "money_not_paid": r"not paid: (?P<note>.+)",
    "money_over": "the order was over before it was authorized",
    "money_renewed": "it ended soon, and there is another one",
    "money_rest_refused": "the rest of the charge was refused",
    "money_no_more": r"no more is authorized: (?P<note>.+)",
    "money_lower_price": r"a lower price: (?P<why>.+)",
    "money_exchange_order": rf"given back by the exchange order of {_ID}",
    "money_exchange_gives": rf"{_ID} gives (?P<amount>[0-9.]+ [A-Z]{{3}}) back",
    "money_rest_of_exchange": (
        rf"(?P<amount>[0-9.]+ [A-Z]{{3}}) is to be paid, of which {_ID} pays "
        r"(?P<other_amount>[0-9.]+ [A-Z]{3}): the customer pays the rest"
    ),
    "money_came_back": r"the refund failed after it had succeeded: (?P<why>.+)",
    "money_elsewhere": (
        r"it was paid as a whole where it was sold, and (?P<note>.+): pay back the rest there, and "
        r"answer done"
    ),
    "money_too_little": (
        r"there is not enough (?:money on the )?(?P<means>store credit|gift card|voucher); "
        r"there is (?P<amount>[0-9.]+ [A-Z]{3})"
    ),
    "money_declined": "the bank declined the card; the customer can use another one",
    "money_no_funds": "the card has not enough funds; the customer can use another",
    "money_confirm": "the bank wants the customer to confirm the payment first",
    "money_capture": "the bank refused the capture; the authorization stays as it was",
    "money_refund": "the bank refused the refund; pay the customer another way",
    "money_expired": "the authorization has expired; the customer's bank released it",
    # Returns, claims and exchanges.
    "back_paid": rf"{_PART} is paid back",
    "back_not": rf"{_PART} does not come(?: back)?",
    "back_unannounced": r"came unannounced, as parcel (?P<n>[0-9]+)",
    "back_missing": "units are missing",
    "back_empty": "nothing was in its parcel",
    "back_under_way": "a carrier has the parcel",
    "back_too_late": "nothing came in time",
    "back_claim": r"claim (?P<id>\S+): (?P<claim>missing|wrong|damaged|late)",
    "back_unknown": rf"what comes back for {_ID} is not known after (?P<span>.+)",
    "claim_by_rules": "by the rules",
    "claim_late": "it came after its promised day",
    "claim_no_amount": "nothing is set to be paid for it",
    "claim_ask_carrier": "the carrier says that it is delivered: ask it first",
    "claim_see": "see what was sent, and count both SKUs",
    "claim_no_wish": "the customer has not said what to do",
    "claim_worth": r"(?P<amount>[0-9.]+ [A-Z]{3}) is more than is decided without a person",
    "claim_many": r"the customer has made (?P<n>[0-9]+) claims within a year",
    # Goodwill that is more than somebody may give.
    "limit_order": (
        rf"(?P<amount>{_AMOUNT}) is more than (?P<role>\S+) may give for an order: "
        rf"(?P<other_amount>{_AMOUNT})(?:; ask .+)?"
    ),
    "limit_day": (
        rf"(?P<amount>{_AMOUNT}) is more than (?P<role>\S+) may give on a day: "
        rf"(?P<other_amount>{_AMOUNT}), {_AMOUNT} of it given(?:; ask .+)?"
    ),
    "limit_share": (
        rf"(?P<amount>{_AMOUNT}) is more than (?:goodwill may come to): "
        rf"(?P<other_amount>{_AMOUNT}) "
        rf"\((?P<n>[0-9]+) % of what was charged\)(?:, {_AMOUNT} of it given)?(?:; ask .+)?"
    ),
    # Purchases for an order, parcels that nobody announced, and money of another company.
    "buy_cannot": (
        r"(?P<n>[0-9]+) × (?P<sku>.+) cannot be bought: (?P<why>.+)\. See to it \(a "
        r"supplier sells it after `orderloom suppliers import`\) and say done, or cancel the units"
    ),
    "buy_no_supplier": "no supplier sells (?P<sku>.+), or none will now",
    "buy_no_location": "there is no location that its order may be sent from",
    "came_unknown": "nobody knows whose it is",
    "came_to_return": "make a return of it",
    "came_to_approve": r"approve (?P<id>\S+) and count it, or refuse it: its parcel is here",
    "came_counted": r"(?P<id>\S+) was counted before this parcel came: make another return of it",
    "came_with": r"it came with (?P<id>\S+), which was for less, or for other goods",
    "money_paid_there": r"(?P<amount>[0-9.]+ [A-Z]{3}) were paid back at (?P<provider>\S+)",
    "money_paid_there_as": r"paid back at (?P<provider>\S+) as (?P<id>\S+)",
    "money_shop_no": "the shop does not: (?P<why>.+)",
    "work_cancelled": "it was cancelled",
    "work_stopped": "it stopped by itself: (?P<why>.+)",
    "work_unread": "its answer cannot be read: (?P<name>.+)",
    "money_shop_paid": "the shop has paid it back",
    "money_taken_off": "taken off the order in the shop",
    # What was answered to a step.
    "answer": r"(?P<action>retry|done|cancel|store_credit|send_back|charge): (?P<why>.+)",
    "answer_after_all": "it happened after all",
    "answer_no_need": "no longer needed",
    "step_workflow": (
        r"its workflow cannot go on: (?P<why>.+)\. Nothing is lost; it goes on by itself when the "
        r"cause is mended"
    ),
}
"""The end of a sentence's key (`because_…`) → what is written, whole. The first form that fits."""

CHANGES: Final[Mapping[str, str]] = {
    "quantity": r"quantity of line (?P<line>.+)",
    "unit_price": r"unit price of line (?P<line>.+)",
    "discount": r"discount of line (?P<line>.+)",
    "tax_rate": r"tax rate of line (?P<line>.+)",
    "line": r"line (?P<line>.+)",
    "service": "shipping service",
    "shipping_price": "shipping price",
    "shipping_tax": "tax rate of shipping",
    "order_discount": "discount of the order",
    "address": "address",
    "billing": "billing",
    "note": "note",
    "date": "requested delivery date",
    "amounts": "amounts",
    "lines": "lines",
    "more_units": "more units",
    "where": "address or service",
}
"""The end of a sentence's key (`edits_…`) → what an edit calls it."""

WHO: Final[Mapping[str, str]] = {
    "counter": "(?:carrier) counter",
    "codes": "(?:carrier) codes",
    "appointment": "(?:carrier) appointment",
    "workshop": "(?:carrier) workshop",
    "carrier": r"carrier (?P<name>.+)",
    "channel": r"channel (?P<name>.+)",
    "rule": r"rule (?P<name>.+)",
    "customer": "customer",
    "service": "customer service",
    "operator": "operator",
    "simulated": r"warehouse \(simulated\)",
    "reconciliation": "reconciliation",
}
"""Who does something without being a person of the shop: the end of a sentence's key (`who_…`) →
what is written."""
