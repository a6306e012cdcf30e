"""Statistics over rounds. A ratio is taken round by round, because the two were measured side by side and a machine drifts;
its interval is a bootstrap over the rounds.
"""

from __future__ import annotations

import dataclasses
import math
import random
import statistics
from collections.abc import Callable, Sequence

RESAMPLES = 4_000
CONFIDENCE = 0.95
SEED = 20_260_101


@dataclasses.dataclass(frozen=True)
class Ratio:
    """How many times as much as the base."""

    value: float
    low: float
    high: float

    @property
    def tie(self) -> bool:
        """Whether the gap lies inside the interval."""
        return self.low <= 1.0 <= self.high

    def __str__(self) -> str:
        if math.isinf(self.high):
            return f"{self.value:.2f} [one round]"
        said = f"{self.value:.2f} [{self.low:.2f}–{self.high:.2f}]"
        return f"{said} tie" if self.tie else said


def geometric(values: Sequence[float]) -> float:
    """The geometric mean."""
    return math.exp(statistics.fmean(math.log(value) for value in values))


def interval(
    values: Sequence[float], confidence: float = CONFIDENCE, mean: Callable[[Sequence[float]], float] = geometric
) -> tuple[float, float]:
    """The bootstrap interval of a mean, the geometric one unless said. One value has no spread to tell: its interval is everything."""
    if len(values) < 2:
        return 0.0, math.inf
    draw = random.Random(SEED)
    means = sorted(mean(draw.choices(values, k=len(values))) for _ in range(RESAMPLES))
    tail = (1 - confidence) / 2
    return quantile(means, tail), quantile(means, 1 - tail)


def quantile(ordered: Sequence[float], share: float) -> float:
    """A quantile of sorted values, between two of them by proportion."""
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def ratio(values: dict[int, float], base: dict[int, float]) -> Ratio | None:
    """Compares the rounds that both have; None where there is none."""
    rounds = sorted(values.keys() & base.keys())
    quotients = [values[one] / base[one] for one in rounds if base[one] > 0 and values[one] > 0]
    if not quotients:
        return None
    return Ratio(geometric(quotients), *interval(quotients))
