"""Prints how well presets of eight kinds of machine re-render: ray-traced rooms, T30 0.5 s, direct sound 12 dB below, noise 25 and 15 dB below the machine.

    python bench/measure_eight_kinds.py [FIRST_SEED]

Each kind twice, as the generator in `tests/measure/eight_kinds.py` makes it. Right means: nothing claimed that is not there and has more than 1 % of
the energy; third octaves of the re-rendered preset within 3 dB of the machine alone at the microphone; onsets within 5 ms.
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from pathlib import Path
from types import ModuleType

import numpy as np

_TESTS = Path(__file__).parents[1] / "tests" / "measure"


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, _TESTS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def main(first_seed: int) -> None:
    """Measure sixteen recordings and print a line for each, then the sums."""
    kinds, rendering = _load("eight_kinds"), _load("rerendering")
    good = clean = 0
    for kind, seed, below in kinds.sixteen():
        with tempfile.TemporaryDirectory() as folder:
            ghosts, bands_db, onsets_s, ops, machines = rendering.measured(
                kinds, folder, kind, seed + first_seed - 1, below
            )
        off_db, off_s = np.abs(bands_db).max(), np.abs(onsets_s).max(initial=0.0)
        right = off_db <= rendering.BAND_DB and off_s <= rendering.ONSET_S
        good, clean = good + int(right), clean + int(not ghosts)
        explained = ", ".join(f"{100 * machine['explained']:.0f} %" for machine in machines)
        print(
            f"{kind:<16}{below:>3.0f} dB  {'+'.join(ops):<32} explained {explained:<14} third octaves {off_db:4.1f} dB  "
            f"onsets {1e3 * off_s:4.1f} ms  {'' if right else 'outside'} {'; '.join(ghosts)}",
            flush=True,
        )
    print(f"within 3 dB and 5 ms: {good} of 16; nothing claimed that is not there: {clean} of 16")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
