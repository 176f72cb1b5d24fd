"""Formulas as the docstrings have them, between backticks, as MathML, which browsers draw and read out.

A word or number followed by brackets has a subscript, `²`, `ᵀ` and `′` are raised, and what stands left and right of a
stroke becomes a fraction: `Σ upstream[i,j] ∂y[i,j]/∂kernel`, `1 / (1 + x²)`.
"""

import re
from xml.etree import ElementTree

from markupsafe import Markup, escape

Node = ElementTree.Element
_TOKEN = re.compile(r"\s*(\d+(?:\.\d+)?|∂?[A-Za-zα-ωΑ-ΡΤ-Ω_][A-Za-zα-ω0-9_]*'?|\S)")
_RAISED = {"²": "2", "³": "3", "ᵀ": "T", "′": "′"}
_PAIRS = {"(": ")", "[": "]", "⟨": "⟩", "{": "}", "‖": "‖", "|": "|"}
_LARGE = ("Σ", "max")
LONGEST = 160  # of a formula, in characters
_WORDS = {"mi", "mn", "msub", "msup", "mfrac"}


def typeset(text: str) -> Markup:
    """Text with its formulas as MathML; everything is escaped, and a formula that cannot be read stays as it is."""
    parts = text.split("`")
    if len(parts) % 2 == 0:  # a backtick that opens nothing
        return escape(text)
    return Markup("").join(formula(part) if number % 2 else escape(part) for number, part in enumerate(parts))


def formula(text: str) -> Markup:
    """One formula as `math` elements, one up to each equals sign: a line may break there."""
    tokens = _Tokens(text[:LONGEST])
    row = _row(tokens, None)
    if tokens.next is not None or len(text) > LONGEST:
        return Markup("<code>{}</code>").format(text)
    pieces = [_node("math")]
    for made in row:
        if made.text == "=":
            pieces.append(_node("math"))
        pieces[-1].append(made)
    return Markup(" ".join(ElementTree.tostring(piece, encoding="unicode") for piece in pieces))  # noqa: S704  # escaped


class _Tokens:
    def __init__(self, text: str) -> None:
        self._left = iter(_TOKEN.findall(text))
        self.next: str | None = next(self._left, None)

    def take(self) -> str:
        taken = self.next or ""
        self.next = next(self._left, None)
        return taken


def _node(tag: str, text: str = "", *children: Node) -> Node:
    made = ElementTree.Element(tag)
    made.text = text or None
    made.extend(children)
    return made


def _row(tokens: _Tokens, closing: str | None) -> Node:
    """What comes until `closing`, or a token that closes nothing."""
    row = _node("mrow")
    while tokens.next not in (None, closing, ")", "]", "⟩", "}"):
        after_word = len(row) > 0 and row[-1].tag in _WORDS
        made = _atom(tokens)
        if made.tag == "mo" and made.text == "/" and len(row) and tokens.next is not None:
            above = row[-1]
            row.remove(above)
            row.append(_node("mfrac", "", _bare(above), _bare(_atom(tokens))))
            continue
        applied = made.tag == "mrow" and made[0].tag == "mi"
        if after_word and (applied or made.tag in _WORDS - {"mn"}):
            row.append(ElementTree.Element("mspace", width="0.25em"))
        row.append(made)
    return row


def _atom(tokens: _Tokens) -> Node:
    token = tokens.take()
    closing = _PAIRS.get(token)
    if closing:
        inner = _row(tokens, closing)
        made = _node("mrow", "", _node("mo", token), *inner)
        if tokens.next == closing:
            made.append(_node("mo", tokens.take()))
    elif token[0].isdigit():
        made = _node("mn", token)
    elif token in _LARGE or (len(token) == 1 and not token.isalpha()):
        made = _node("mo", token)
    else:
        made = _node("mi", token)
    return _scripts(made, tokens) if closing or made.tag != "mo" or token in _LARGE else made


def _scripts(made: Node, tokens: _Tokens) -> Node:
    if tokens.next == "[" and made.tag != "mrow":
        group = _atom(tokens)
        inner = _node("mrow", "", *list(group)[1:-1])
        made = _node("munder" if made.text in _LARGE else "msub", "", made, inner)
    elif tokens.next == "(" and made.tag == "mi":
        made = _node("mrow", "", made, _atom(tokens))
    while tokens.next in _RAISED:
        made = _node("msup", "", made, _node("mn" if tokens.next in "²³" else "mo", _RAISED[tokens.take()]))
    return made


def _bare(node: Node) -> Node:
    """A node without the parentheses around it, which a fraction's bar makes needless."""
    inside = list(node)
    bare = node.tag == "mrow" and len(inside) > 1 and (inside[0].text, inside[-1].text) == ("(", ")")
    return _node("mrow", "", *inside[1:-1]) if bare else node
