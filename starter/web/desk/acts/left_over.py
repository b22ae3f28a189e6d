"""What somebody typed into a form that has no place for it any more: shown, to be copied.

While a form was filled in, somebody else may have done what makes the act impossible, or what
takes a line or a return out of it. Nobody types twice what can be shown to them.
"""

from __future__ import annotations

from collections.abc import Sequence

from starter.web.desk.acts.acting import CODE, Asking, Field
from starter.web.desk.acts.boxes import boxes, labels


def left_over(
    asking: Asking, fields: Sequence[Field], shown: Sequence[Field]
) -> list[tuple[str, str]]:
    """Pairs of a label and what was typed there.

    `fields`: all that the act asks. `shown`: those that the page has, with what was typed in them.
    Ticks are not told: they say nothing without their form.
    """
    there = {box for field in shown for box in boxes(asking, field)}
    above = labels(asking, fields)
    left = []
    for name, (value, *_) in asking.visit.sent.items():
        text = value.strip()
        if text.strip("0") and name not in there and name in above:
            left.append((above[name], _read(asking, fields, name, text)))
    return left


def _read(asking: Asking, fields: Sequence[Field], name: str, text: str) -> str:
    """A choice as somebody reads it; a text as it was typed."""
    is_code = name.startswith(CODE)
    some = [field for field in fields if field.name == name or (is_code and field.kind == "units")]
    return next((x.text for field in some for x in field.options if x.value == text), text)
