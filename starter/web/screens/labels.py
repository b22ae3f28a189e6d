"""What is wrong with a field is told with the label that its form shows.

A sentence carries the place that it is about. When its page is filled in, the label is taken from
the page itself: so a field is never called something that nobody sees.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape, unescape
from html.parser import HTMLParser
from typing import Final

_MARK: Final = "\ufdd0"
"""No text has it: Unicode keeps it for programs."""
_PLACE: Final = re.compile(f"{_MARK}(.*?){_MARK}")
_BOXES: Final = ("input", "select", "textarea")
_ROW: Final = re.compile(r"\.[0-9]+\..*")
_INNER: Final = re.compile(r"\[.*")


def about(place: str, told: str) -> str:
    """The sentence, to be told with the label of this place; as it is where there is no place."""
    return f"{_MARK}{place}{_MARK}{told}" if place else told


def labelled(page: str, here: str) -> str:
    """The page with the labels in place. `here`: the address to which its form was sent."""
    if _MARK not in page:
        return page
    labels = labels_in(page, here)

    def label(found: re.Match[str]) -> str:
        place = unescape(found[1])
        told = labels.get(place) or labels.get(_INNER.sub("", place))
        return f"{escape(told)}: " if told else ""

    return _PLACE.sub(label, page)


def labels_in(page: str, here: str) -> Mapping[str, str]:
    """Names of boxes → what the form calls them; of several with one name, what stands above all.

    A page may have several forms: those of the one that was sent to `here` count before others.
    """
    forms = _Forms()
    forms.feed(page)
    mine = {name: one for form, name, one in forms.named() if form.endswith(f"/{here}")}
    return {name: one for _, name, one in forms.named()} | mine


class _Forms(HTMLParser):
    """The boxes of all forms, with the legends above them and the labels that point at them."""

    def __init__(self) -> None:
        super().__init__()
        self._form = ""
        self._legends: list[str] = []
        self._labels: dict[str, str] = {}
        self._boxes: dict[tuple[str, str], list[tuple[str, str, tuple[str, ...]]]] = {}
        self._text: list[str] | None = None
        self._for = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = f"/{has.get('action', '')}"
        elif tag == "fieldset":
            self._legends.append("")
        elif tag in ("label", "legend"):
            self._for, self._text = has.get("for", ""), []
        elif tag in _BOXES and has.get("name") and has.get("type") != "hidden":
            box = has.get("id", ""), has.get("aria-label", ""), tuple(self._legends)
            self._boxes.setdefault((self._form, _ROW.sub("", has["name"])), []).append(box)

    def handle_endtag(self, tag: str) -> None:
        text = " ".join("".join(self._text or ()).split())
        if tag == "fieldset":
            self._legends.pop()
        elif tag == "legend":
            self._legends[-1:], self._text = [text], None
        elif tag == "label":
            self._labels[self._for], self._text = text, None

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def named(self) -> list[tuple[str, str, str]]:
        """The form, the name and the label of each box."""
        return [(form, name, self._label(some)) for (form, name), some in self._boxes.items()]

    def _label(self, boxes: list[tuple[str, str, tuple[str, ...]]]) -> str:
        (own, aria, legends), *more = boxes
        if not more:
            return self._labels.get(own) or aria
        shared = [one for one in legends if all(one in theirs for _, _, theirs in more)]
        return shared[-1] if shared else self._labels.get(own, "")
