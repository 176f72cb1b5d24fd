"""The right code that reports show and that edits start from is right, in every way and for both conventions."""

import ast

import numpy as np
import pytest

from properties.harness.checking.fixed_cases import kinked, larger, smooth
from properties.harness.core.setting import Conventions, with_setting
from properties.harness.edits.code import written
from properties.harness.target.operation import Operation
from properties.harness.why.consequences import is_wrong_at
from properties.layers import OPERATIONS
from properties.layers.plain import ways
from tests.doubles import quick_or_slow

LONGEST = 15  # lines of a way: it is to be read at a glance
WAYS = [quick_or_slow(name, name, number) for name in OPERATIONS for number in range(len(ways(name)))]


def test_every_operation_has_a_way_of_its_own_name_first():
    """So that there is one to be shown; all of them are short."""
    for name in OPERATIONS:
        assert ways(name)[0].__name__ == name
        codes = [ast.unparse(way.parts[0]) for flips in (True, False) for way in written(name, flips)]
        assert max(len(code.splitlines()) - 1 for code in codes) <= LONGEST


@pytest.mark.parametrize("flips", [True, False])
@pytest.mark.parametrize(("name", "number"), WAYS)
def test_every_way_is_right(name, number, flips):
    """On cases off kinks, at them and at larger sizes; written out it is the function itself."""
    with with_setting(conventions=Conventions("convolution" if flips else "correlation")), np.errstate(all="ignore"):
        signature = OPERATIONS[name]
        function, made = ways(name)[number], written(name, flips)[number].made()
        for one in (function, made):
            operation = Operation(name, one)
            cases = smooth(signature, 40) + larger(signature.layer, 3)
            assert not [case for case in cases if is_wrong_at(operation, case, True)]
            assert not [case for case in kinked(signature, 40) if is_wrong_at(operation, case, False)]
