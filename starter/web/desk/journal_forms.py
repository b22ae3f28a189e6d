"""What is written in English about movements of stock, purchases and entries of the ledger, and
about what differs from a company's list, by its form.

`starter.web.desk.reason_forms` has the same for orders.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_AMOUNT: Final = "(?P<amount>[0-9.]+ [A-Z]{3})"

JOURNAL: Final[Mapping[str, str]] = {
    # Movements of stock, and purchases.
    "move_ordered": "ordered",
    "move_backorder": "backorder filled",
    "move_direct": r"(?P<id>PO-\S+) from (?P<name>.+), sent to the customer",
    "move_bought": r"(?P<id>PO-\S+) from (?P<name>.+)",
    "move_from": r"from (?P<name>\S+)",
    "move_sent": r"(?P<id>(?=\S*[0-9])\S+) to (?P<name>\S+): (?P<note>.+)",
    "move_lost": r"(?P<id>(?=\S*[0-9])\S+): (?P<counts>.+) lost on the way from (?P<name>\S+)",
    "move_damaged": r"(?P<id>(?=\S*[0-9])\S+): came damaged",
    "move_renamed": r"(?P<id>\S+) is (?P<name>\S+) from now on",
    "move_return": r"return (?P<id>\S+:R[0-9]+)",
    "move_codes": "codes added",
    "move_till": r"sold at the till as (?P<id>\S+), and not counted",
    "move_other_sent": r"claim (?P<id>\S+): something else was sent",
    "move_not_paid": "with the customer, who has not paid: (?P<note>.+)",
    "buy_below": "below the limit",
    "buy_unanswered": "(?P<name>.+) has not acknowledged it",
    "buy_late": "late since (?P<day>[0-9-]{10}): (?P<counts>.+)",
    "buy_line": r"for line (?P<line>\S+) of (?P<id>\S+)",
    "buy_billed": r"invoice (?P<number>\S+) matches",
    "buy_credited": r"credit note (?P<number>\S+) matches",
    "buy_sent_as": r"sent as (?P<id>\S+)",
    # The ledger, and what a company says.
    "book_refund": f"refund of {_AMOUNT}",
    "book_refund_back": f"refund of {_AMOUNT} came back",
    "book_refund_not": f"refund of {_AMOUNT} was not made by hand",
    "book_capture": f"capture of {_AMOUNT}",
    "book_dispute": rf"dispute (?P<id>\S+) of {_AMOUNT}: (?P<dispute>[a-z ]+)",
    "book_dispute_fee": r"fee of dispute (?P<id>\S+)",
    "book_fee": r"fee of (?P<provider>\S+) for (?P<id>\S+)",
    "book_credit": f"store credit of {_AMOUNT} given: (?P<why>.+)",
    "book_issued": f"(?P<means>gift_card|voucher) of {_AMOUNT} issued: (?P<why>.*)",
    "book_expired": f"(?P<means>gift_card|voucher): {_AMOUNT} expired",
    "book_owed_again": f"(?P<means>gift_card|voucher): {_AMOUNT} owed again",
    "book_carrier": r"carrier (?P<name>\S+): (?P<id>\S+)",
    "book_stopped": r"(?P<id>\S+) is stopped on its way",
    "book_goods": (
        "(?P<moved>received|shipped|returned|adjusted|counted|transferred|written off|to "
        "supplier): (?P<move>.*)"
    ),
    "differs_amounts": "the amounts differ",
    "differs_unknown": "nothing is known of it here",
    "differs_key": r"its key (?P<id>\S+) is that of (?P<number>\S+)",
    "differs_company": r"it is recorded as made at (?P<name>\S+)",
    "differs_kind": r"it is a (?P<call>\w+) here, a (?P<other_call>\w+) there",
    "differs_order": r"it is about order (?P<id>\S+) there",
    "differs_given_up": "it was given up here as never made, and is held there",
    "differs_failed": r"it failed here \((?P<code>.*)\), and is done there",
    "differs_reference": r"it is recorded here as (?P<id>\S+)",
    "differs_missing": "it is recorded as done, and the company has no such effect",
    "differs_open_done": "its outcome is not known here, and it is done there",
    "differs_open_gone": "its outcome is not known here, and it is not listed there",
    "differs_no_more": "both sides say the same now",
    "differs_can_be_known": "its outcome can be known by now",
}
"""As WHOLE. Only the pages of stock, purchases and money look for these: they are short, and what
somebody types about an order could look the same."""
