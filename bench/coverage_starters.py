"""Search starters of covering arrays; a line that is printed goes into coverage/combinatorics/starters.txt.

python -P bench/coverage_starters.py STRENGTH LEVELS SYMBOLS SHIFTS [blocks=1] [fixed=0] [base=1] [still=0] [constants] [tries=20]
python -P bench/coverage_starters.py 2 4 cyclic 5 fixed=1 base=1 constants     # 21 rows for six factors of four levels
"""

from __future__ import annotations

import sys
import time


def main() -> None:
    from roomtone.coverage.combinatorics.starters import Shape, find_starter, written

    strength, levels, symbols, shifts, *more = sys.argv[1:]
    given = {key: int(value) for key, _, value in (word.partition("=") for word in more if "=" in word)}
    tries = given.pop("tries", 20)
    moduli = tuple(map(int, shifts.split("x")))
    shape = Shape(int(strength), int(levels), symbols, moduli, constants="constants" in more, **given)
    print(f"# {shape.factors} factors, {shape.developed_rows()} rows", flush=True)
    for seed in range(tries):
        start = time.perf_counter()
        found = find_starter(shape, seed=seed, tries=1, moves=2_000_000)
        if found is not None:
            print(written(found), flush=True)
            return
        print(f"# seed {seed}: none in {time.perf_counter() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
