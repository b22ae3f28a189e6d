"""Fills templates in: a subject, plain text and HTML, of the same source.

A template may come from a seller. It runs in a sandbox that has no functions but the parts, few
filters, no names of its own, no arithmetic that grows texts, and no loop but over what it is given:
so nothing that it says makes a text that is much longer than the template and the order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final

from jinja2 import PackageLoader, StrictUndefined, Template, nodes, pass_eval_context
from jinja2.exceptions import SecurityError, TemplateError
from jinja2.filters import do_join
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from domain.errors import InvalidInput
from domain.messages.facts import Facts
from domain.messages.kinds import MessageKind
from domain.messages.parts import HtmlParts, Parts, TextParts
from domain.messages.words import WORDS
from domain.sellers import Language

SOURCE_MAX: Final = 100_000
"""Characters that a template has at most."""

RENDERED_MAX: Final = 300_000
LOGO: Final = "cid:logo"
"""Where a mail's HTML finds the logo: in the mail itself. Nothing is loaded from elsewhere."""

BLOCKS: Final = ("subject", "preheader", "title", "body")
_FILTERS: Final = ("default", "first", "join", "last", "length", "lower", "title", "trim", "upper")
PARTS: Final = ("p", "items", "rows", "address", "button")
"""What a template can call."""

_TEMPLATES_KEPT: Final = 200
"""So many compiled templates at most: sellers' own ones are tried before they are set."""

_TAKEN: Final = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.Block, nodes.If, nodes.For),
    *(nodes.CallBlock, nodes.Call, nodes.Keyword, nodes.Pair, nodes.Name, nodes.Const),
    *(nodes.Tuple, nodes.List, nodes.Getattr, nodes.Getitem, nodes.Slice, nodes.Filter),
    *(nodes.Test, nodes.Compare, nodes.Operand, nodes.CondExpr, nodes.And, nodes.Or, nodes.Not),
    *(nodes.Concat, nodes.Add, nodes.Sub),
)
_NAMED: Final[Mapping[type[nodes.Node], str]] = {
    nodes.Macro: "macros",
    nodes.FromImport: "import",
    nodes.Assign: "set",
    nodes.AssignBlock: "set",
    nodes.FilterBlock: "filter blocks",
    nodes.Scope: "autoescape",
    nodes.Mul: "*",
    nodes.Pow: "**",
    nodes.Mod: "%",
}
"""How kinds of nodes are called whose own names say little."""


@dataclass(frozen=True)
class Rendered:
    """A message as it is read."""

    subject: str
    text: str
    html: str
    preheader: str = ""
    """What a mailbox shows beside the subject, as plain text."""


def source_of(kind: MessageKind, language: Language) -> str:
    """The template that comes with Orderloom."""
    loader = PackageLoader("domain.messages")
    return loader.get_source(_environment(html=False), f"{language}/{kind}.jinja")[0]


def render(kind: MessageKind, facts: Facts, source: str | None = None) -> Rendered:
    """A message. `source`: a seller's own template; None: the one that comes with Orderloom.

    Raises InvalidInput where a seller's own template cannot be filled in.
    """
    source = source_of(kind, facts.language) if source is None else source
    try:
        return _rendered(source, facts)
    except TemplateError as error:
        place = f", line {line}" if (line := getattr(error, "lineno", None)) else ""
        raise InvalidInput(
            f"cannot be filled in: {error.message or type(error).__name__}{place}",
            where=f"template {kind} ({facts.language})",
        ) from error
    except (
        RecursionError,
        SyntaxError,
    ) as error:  # Jinja reads it, or Python what Jinja makes of it
        raise InvalidInput(
            "cannot be filled in: it is nested too deeply",
            where=f"template {kind} ({facts.language})",
        ) from error
    except (TypeError, ValueError, AttributeError, ArithmeticError, LookupError) as error:
        raise InvalidInput(
            f"cannot be filled in: {error}", where=f"template {kind} ({facts.language})"
        ) from error


def _rendered(source: str, facts: Facts) -> Rendered:
    _check(source)
    words = WORDS[facts.language]
    plain = _blocks(source, facts, TextParts(facts), html=False)
    marked = _blocks(source, facts, HtmlParts(facts), html=True)
    subject = " ".join(plain["subject"].split())
    hello = words.hello.format(name=facts.name) if facts.name else words.hello_nobody
    shop = facts.shop
    help_ = " · ".join(one for one in (shop.support_email, shop.support_phone) if one)
    automatic = words.automatic.format(number=facts.number)
    body = re.sub(r"\n{3,}", "\n\n", plain["body"].strip())
    papers = ((facts.invoice, words.invoice), (facts.credit_note, words.credit_note))
    attached = [said.format(number=number) for number, said in papers if number]
    text = f"{hello}\n\n{body}\n\n"
    if attached:
        text += "\n".join(attached) + "\n\n"
    if help_:
        text += f"{words.questions}\n{help_}\n\n"
    text += f"-- \n{shop.name}\n{automatic}\n"
    html = _layout().render(
        facts=facts,
        subject=subject,
        logo=LOGO,
        preheader=Markup(marked["preheader"].strip()),  # noqa: S704 - rendered with escapes
        title=Markup(marked["title"].strip()),  # noqa: S704 - as above
        body=Markup(marked["body"].strip()),  # noqa: S704 - as above
        hello=hello,
        attached=" ".join(attached),
        help=help_,
        questions=words.questions,
        automatic=automatic,
    )
    return Rendered(subject, text, html, " ".join(plain["preheader"].split()))


def _check(source: str) -> None:
    if len(source) > SOURCE_MAX:
        raise InvalidInput(f"is longer than {SOURCE_MAX:,} characters", where="template")
    if "\0" in source or any("\ud800" <= sign <= "\udfff" for sign in source):
        raise InvalidInput("holds signs that are no text", where="template")
    tree = _environment(html=False).parse(source)
    for node in tree.find_all(nodes.Node):
        why = _not_taken(node)
        if why is not None:
            raise SecurityError(f"{why} is not for templates, line {node.lineno}")
    lacking = [name for name in BLOCKS if name not in {x.name for x in tree.find_all(nodes.Block)}]
    if lacking:
        raise InvalidInput(
            f"lacks the block {', '.join(lacking)}",
            where="template",
            reason="template_lacks_blocks",
        )


def _not_taken(node: nodes.Node) -> str | None:
    """What a template cannot have: this part of it; None: it can."""
    if not isinstance(node, _TAKEN):
        return _NAMED.get(type(node), type(node).__name__.lower())
    if isinstance(node, nodes.Call) and not (
        isinstance(node.node, nodes.Name) and node.node.name in PARTS
    ):
        return f"a call of {getattr(node.node, 'attr', None) or getattr(node.node, 'name', 'that')}"
    if isinstance(node, nodes.For):
        if node.recursive or next(node.find_all(nodes.For), None) is not None:
            return "a loop in a loop"
        if not isinstance(node.iter, nodes.Name):
            return "a loop over anything but what it is given"
    if isinstance(node, nodes.Name) and node.name in ("self", "super", "caller"):
        return node.name
    return None


@pass_eval_context
def _join(eval_ctx: nodes.EvalContext, value: Any, d: str = "") -> str:
    """Jinja's filter, for texts that are not too long."""
    joined = list(value)
    if len(d) * len(joined) + sum(len(str(one)) for one in joined) > RENDERED_MAX:
        raise InvalidInput(f"comes to more than {RENDERED_MAX:,} characters", where="template")
    made: str = do_join(eval_ctx, joined, d)
    return made


def _blocks(source: str, facts: Facts, parts: Parts, *, html: bool) -> dict[str, str]:
    template = _template(source, html)
    told = {name: getattr(facts, name) for name in Facts.model_fields}
    told |= {name: getattr(parts, name) for name in PARTS}
    # What is told keeps its name where a part has the same one.
    told |= {"goods": facts.items, "goes_to": facts.address}
    return {name: _block(template, name, told) for name in BLOCKS}


def _block(template: Template, name: str, told: Mapping[str, Any]) -> str:
    made, size = [], 0
    for piece in template.blocks[name](template.new_context(dict(told))):
        size += len(piece)
        if size > RENDERED_MAX:
            raise InvalidInput(f"comes to more than {RENDERED_MAX:,} characters", where="template")
        made.append(piece)
    return "".join(made)


@cache
def _environment(*, html: bool) -> ImmutableSandboxedEnvironment:
    made = ImmutableSandboxedEnvironment(
        autoescape=html,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=PackageLoader("domain.messages"),
    )
    # A name that a seller writes is one of the facts, or a mistake.
    made.globals.clear()
    made.filters = {name: made.filters[name] for name in (*_FILTERS, "e", "escape")}
    made.filters["join"] = _join
    return made


@lru_cache(_TEMPLATES_KEPT)
def _template(source: str, html: bool) -> Template:
    return _environment(html=html).from_string(source)


@cache
def _layout() -> Template:
    return _environment(html=True).get_template("layout.html.jinja")
