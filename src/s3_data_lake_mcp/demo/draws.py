"""Seeded draws: the same on every machine, Python version and run."""

import random
from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate


class Draws:
    """A stream of draws of its own, named by its seed.

    Everything comes from `random.random`, the one method whose sequence Python promises to keep.
    """

    def __init__(self, seed: str) -> None:
        self._next = random.Random(seed).random  # noqa: S311 - demo data, no secrets

    def integer(self, start: int, stop: int) -> int:
        """Draw an integer of `[start, stop)`."""
        return start + int(self._next() * (stop - start))

    def number(self, low: float, high: float) -> float:
        """Draw a number between two bounds."""
        return low + self._next() * (high - low)

    def pick[T](self, values: Sequence[T]) -> T:
        """Draw one of the values, each as likely."""
        return values[int(self._next() * len(values))]

    def happens(self, probability: float) -> bool:
        """Draw whether something of this probability happens."""
        return self._next() < probability

    def skewed(self, stop: int, power: float = 3.0) -> int:
        """Draw an integer of `[0, stop)`, small ones much more often."""
        return int(self._next() ** power * stop)

    def near(self, middle: float, spread: float) -> float:
        """Draw a number around a middle: the mean of four, which is close to a bell curve."""
        total = self._next() + self._next() + self._next() + self._next()
        return middle + (total / 2 - 1) * spread


class Weighted[T]:
    """Values of which some are drawn more often."""

    def __init__(self, weights: Sequence[tuple[T, float]]) -> None:
        self._values = [value for value, _ in weights]
        self._marks = list(accumulate(weight for _, weight in weights))

    def draw(self, draws: Draws) -> T:
        """Draw one value."""
        return self._values[bisect(self._marks, draws.number(0, self._marks[-1]))]
