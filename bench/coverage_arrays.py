"""Sizes and times of covering arrays beside allpairspy and covertable, run side by side, and the best that is known.

    pip install allpairspy covertable
    python -P bench/coverage_arrays.py

Every array is checked by a counter of its own; a size is printed only for an array that lacks nothing. allpairspy and
covertable are left at their defaults. Published sizes vary with the version of a tool: only these runs are compared.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Sequence
from typing import Any

#: name: levels, strength, best known size (PICT's published table, covertable's long runs, Colbourn's tables)
CASES: dict[str, tuple[list[int], int, int]] = {
    "3^4": ([3] * 4, 2, 9),
    "3^13": ([3] * 13, 2, 15),
    "2^100": ([2] * 100, 2, 10),
    "4^15 3^17 2^29": ([4] * 15 + [3] * 17 + [2] * 29, 2, 28),
    "4^1 3^39 2^35": ([4] + [3] * 39 + [2] * 35, 2, 20),
    "10^20": ([10] * 20, 2, 180),
    "10 6 5 3": ([10, 6, 5, 3], 2, 60),
    "6 6 5 4 3 2": ([6, 6, 5, 4, 3, 2], 2, 36),
    "4^6 strength 3": ([4] * 6, 3, 64),
}


def complete(rows: Sequence[Sequence[int]], levels: Sequence[int], strength: int) -> bool:
    """Return whether every combination is there, by sets of tuples."""
    return all(
        len({tuple(row[f] for f in factors) for row in rows}) == math.prod(levels[f] for f in factors)
        for factors in itertools.combinations(range(len(levels)), strength)
    )


def ours(levels: list[int], strength: int) -> list[list[int]]:
    from roomtone.coverage import covering_array

    return covering_array(levels, strength).tolist()


def allpairspy(levels: list[int], strength: int) -> list[list[int]]:
    from allpairspy import AllPairs

    return [list(row) for row in AllPairs([list(range(v)) for v in levels], n=strength)]


def covertable(levels: list[int], strength: int) -> list[list[int]]:
    from covertable import make

    return [list(row) for row in make([list(range(v)) for v in levels], strength=strength)]


def measured(make: Callable[[list[int], int], Any], levels: list[int], strength: int) -> str:
    """Return size and seconds, or why there are none."""
    start = time.perf_counter()
    try:
        rows = make(levels, strength)
    except ImportError:
        return "not installed"
    seconds = time.perf_counter() - start
    return f"{len(rows)} in {seconds:.1f} s" if complete(rows, levels, strength) else "incomplete"


def main() -> None:
    ours([2, 2, 2], 2)  # compiled once, cached afterwards; not part of the times
    print(f"{'array':<18}{'bound':>7}{'best':>7}  {'roomtone':<18}{'allpairspy':<18}{'covertable':<18}")
    for name, (levels, strength, best) in CASES.items():
        bound = math.prod(sorted(levels)[-strength:])
        found = "".join(f"{measured(make, levels, strength):<18}" for make in (ours, allpairspy, covertable))
        print(f"{name:<18}{bound:>7}{best:>7}  {found}", flush=True)


if __name__ == "__main__":
    main()
