"""A campaign in parts, shard I of N for each of many machines or one round after the other: their seeds and cases.

Exhaustive cases are parted exactly: each belongs to one shard. Of sampled ones each shard draws its share of the
examples from a random stream with a seed of its own: these are independent, not without a case in common, since two
streams may draw the same by chance, and each begins with the smallest. So does each round after the first, which draws
larger cases too and leaves out what is exhaustive.
"""

import re
from argparse import ArgumentTypeError
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

import numpy as np

Shard = tuple[int, int]  # I, N
WHOLE: Shard = (1, 1)
LEFT_TO_OTHERS = "left to the other parts: nothing to compare falls to this one"
_Case = TypeVar("_Case")


def shard_of(text: str) -> Shard:
    """The shard that I/N names. Raises `ArgumentTypeError` unless 1 ≤ I ≤ N."""
    named = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text)
    if not named or not 1 <= int(named[1]) <= int(named[2]):
        raise ArgumentTypeError(f"I/N with whole numbers 1 ≤ I ≤ N is wanted, not {text!r}")
    return int(named[1]), int(named[2])


def name_of(shard: Shard) -> str:
    """I/N."""
    return f"{shard[0]}/{shard[1]}"


def examples_of(shard: Shard, examples: int) -> int:
    """How many of a property's examples are this shard's; over all shards they are as many as are asked for."""
    number, shards = shard
    return examples // shards + (number <= examples % shards)


def seed_of(shard: Shard, seed: int | None, round_number: int = 1) -> int | None:
    """The seed of a shard's samples in a round: the campaign's own for the whole, and none where that has none.

    Source: NumPy's `SeedSequence`, whose spawned children are independent with overwhelming probability.
    """
    if (shard == WHOLE and round_number == 1) or seed is None:
        return seed
    key = shard if round_number == 1 else (*shard, round_number)
    words = np.random.SeedSequence(seed, spawn_key=key).generate_state(4)
    return int.from_bytes(words.astype("<u4").tobytes(), "little")


def own(shard: Shard, cases: Iterable[_Case]) -> Iterator[_Case]:
    """The cases of this shard: case number k, from 0, is that of shard (k mod N) + 1."""
    number, shards = shard
    return islice(cases, number - 1, None, shards)


def in_words(numbers: list[int], shards: int) -> str:
    """These of so many shards."""
    return f"shard{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))} of {shards}"
