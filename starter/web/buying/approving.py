"""Several purchase orders that are approved at once, a result for each."""

from __future__ import annotations

from collections.abc import Sequence

from domain.errors import Refused, Unreachable
from starter.web.buying.limits import is_buyer
from starter.web.buying.proposals import Result
from starter.web.buying.purchase_page import Shown, look
from starter.web.screens.forms import whole
from starter.web.screens.visits import Visit, in_words


async def all_approved(visit: Visit, ticked: Sequence[str], why: str) -> list[Result]:
    """What came of each. After one that nobody answers, no other is tried."""
    results = []
    is_away = False
    for one in ticked:
        po_id, _, version = one.partition("~")
        if is_away:
            results.append(Result(po_id, po_id, is_done=False, told=visit.words("not_tried")))
            continue
        try:
            results.append(await _approved(visit, po_id, version, why))
        except Unreachable:
            is_away = True
            results.append(Result(po_id, po_id, is_done=False, told=visit.words("not_known")))
    return results


async def _approved(visit: Visit, po_id: str, version: str, why: str) -> Result:
    """Whether a purchase order is approved now, and what to say of it. Raises Unreachable."""

    def result(told: str, *, is_done: bool = False) -> Result:
        return Result(po_id, po_id, is_done=is_done, told=told)

    try:
        shown = await look(visit, po_id)
        if _approved_before(visit, shown, version):
            return result(visit.words("done_po_approved"), is_done=True)
        if shown.order.state != "proposed":
            return result(visit.words(f"po_{shown.order.state}"))
        if shown.version != version:
            return result(visit.words("po_changed_look"))
        await visit.here.purchasing.approve(
            po_id,
            by=visit.person.who,
            reason=why,
            as_buyer=is_buyer(visit),
            seen_minor=shown.order.worth.minor,
        )
    except Refused as no:
        return result(" ".join(in_words(visit.words, no)))
    return result(visit.words("done_po_approved"), is_done=True)


def _approved_before(visit: Visit, shown: Shown, version: str) -> bool:
    """Whether the same person has approved it since then: the form was sent twice."""
    since = shown.story[whole(version.partition(".")[0]) :]
    return any(one.what == "approved" and one.who == visit.person.who for one in since)
