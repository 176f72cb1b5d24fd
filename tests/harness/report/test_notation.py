"""Formulas of docstrings become MathML, whatever else stands there stays text."""

import re
from xml.etree import ElementTree

import pytest

from properties.harness.checking.properties import all_properties
from properties.harness.report.notation import LONGEST, formula, typeset


def test_every_formula_of_every_statement_can_be_read():
    """No statement's formula falls back to code, and each is well-formed with all its words in their order."""
    written = [each for entry in all_properties().values() for each in re.findall(r"`([^`]*)`", entry.statement)]
    assert len(written) > 20
    for text in written:
        root = ElementTree.fromstring(f"<p>{formula(text)}</p>")  # noqa: S314  # made above
        assert root.find(".//code") is None
        assert root.find(".//math") is not None
        words = re.findall(r"[A-Za-z_]{2,}", text)
        assert re.findall(r"[A-Za-z_]{2,}", " ".join(root.itertext())) == words


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("y[i,j]", "<msub><mi>y</mi><mrow><mi>i</mi><mo>,</mo><mi>j</mi></mrow></msub>"),
        ("Σ[k] w[k]", "<munder><mo>Σ</mo><mrow><mi>k</mi></mrow></munder>"),
        ("x²", "<msup><mi>x</mi><mn>2</mn></msup>"),
        ("weightsᵀ", "<msup><mi>weights</mi><mo>T</mo></msup>"),
        ("(p − t) / (1 + s²)", "<mfrac><mrow><mi>p</mi><mo>−</mo><mi>t</mi></mrow><mrow><mn>1</mn>"),
        ("arctan(x + ih) / h", "<mfrac><mrow><mi>arctan</mi><mrow><mo>(</mo><mi>x</mi>"),
        ("∂C/∂kernel[a,b]", "<mfrac><mi>∂C</mi><msub><mi>∂kernel</mi>"),
        ("[x > 0]", "<mo>[</mo><mi>x</mi><mo>&gt;</mo><mn>0</mn><mo>]</mo>"),
    ],
)
def test_notation_is_set_as_mathematics(text, wanted):
    """Brackets after a word are a subscript, after a sum its range; raised signs are raised, strokes are fractions."""
    assert wanted in formula(text)


def test_lines_may_break_at_equals_signs():
    """A chain of equations is one element up to each equals sign."""
    assert formula("a = b = c").count("<math>") == 3


@pytest.mark.parametrize("text", ["a) b", "(" * 300, "]" * 3, "x" * (LONGEST + 1)])
def test_what_cannot_be_read_stays_as_it_is(text):
    """Brackets that close nothing, and what is longer than a formula, are shown as code."""
    assert formula(text) == f"<code>{text}</code>"


@pytest.mark.parametrize("text", ["<b>&", "`<b>`", "`<script>alert(1)</script>`", "a ` b", "(((("])
def test_strangers_words_are_escaped(text):
    """Text with or without backticks gives no element but mathematics."""
    names = {child.tag for child in ElementTree.fromstring(f"<p>{typeset(text)}</p>").iter()}  # noqa: S314
    assert names <= {"p", "math", "mi", "mo", "mn", "mrow", "mspace", "mfrac", "msub", "code"}


def test_text_around_formulas_is_kept():
    """Words before, between and after formulas stay where they are."""
    assert re.sub(r"<[^>]+>", "", typeset("off 0 `x²` and `y` & so on")) == "off 0 x2 and y &amp; so on"
