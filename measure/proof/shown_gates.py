"""Whether the lines of a machine show that its one pulse is a gate, and not a pitch that swings with the same period.

In a room that rings for longer than the period the course of the level shows neither. The lines do: see `line_spectrum` and `vibrato_lines`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from roomtone.measure.gating.basebands import Basebands
from roomtone.measure.gating.line_spectrum import line_spectrum
from roomtone.measure.gating.vibrato_lines import vibrato_likelihood
from roomtone.measure.machine import Machine
from roomtone.measure.pulses.short_periods import most_likely_gate

#: Partials used, and the fewest; lines and Hz around each, and the share of its power on lines.
_ASKED, _FEWEST = 6, 2
_BAND, _BAND_HZ, _BAND_LINES, _HELD = 1.0 / 3.0, 250.0, 10.0, 0.3
#: By how many lines the fundamental may be off.
_OFF_LINES = 0.3
#: The lengths agree within this share; the shortest one that is told by lines.
_SAME_LENGTH, _SHORTEST_S = 0.1, 0.02
#: Lead of the gate in log-likelihood a line from which it is shown, and below which a pitch swings. Of 24 machines in three rooms, gates led by 1.27 and
#: more; vibratos by less than 1.0, and those that led at all did so with another length.
_SHOWN, _SWINGS = 1.0, 0.0


@dataclass(frozen=True)
class GateLead:
    """What the lines of a machine say of its gate.

    Attributes:
        lead: log-likelihood of the most likely gate re the most likely swing of the pitch, a line.
        same_length: whether that gate has the length of the machine's pulse.
    """

    lead: float
    same_length: bool

    @property
    def shown(self) -> bool:
        """Whether the pulse is a gate."""
        return self.lead > _SHOWN and self.same_length

    @property
    def swings(self) -> bool:
        """Whether a pitch that swings is more likely than any gate."""
        return self.lead < _SWINGS


def gate_lead(machine: Machine, samples: np.ndarray, sample_rate_hz: int) -> GateLead | None:
    """Return what the lines of a machine of one pulse say; None with several pulses, or where fewer than two harmonics repeat exactly.

    Args:
        machine: as measured.
        samples: the recording [shape=(samples,)].
        sample_rate_hz: its rate.
    """
    cycle, f0, period_s = machine.cycle, machine.fundamental_hz, machine.period_s
    if cycle is None or len(cycle.pulses) != 1 or not f0:
        return None
    line_hz = 1.0 / period_s
    numbers = {max(1, round(p.hz / f0)) for p in machine.partials[:_ASKED] if _is_harmonic(p.hz, f0, line_hz)}
    bands, half_hz = Basebands(samples, sample_rate_hz), min(_BAND * f0, _BAND_HZ, _BAND_LINES * line_hz)
    found = [
        line_spectrum(bands, number, f0, half_hz, float(cycle.starts_s[0]), period_s) for number in sorted(numbers)
    ]
    lines = [one for one in found if one is not None and one.held > _HELD]
    if len(lines) < _FEWEST:
        return None
    gate = most_likely_gate(lines, f0, min(_OFF_LINES * line_hz, 0.1 * f0), period_s)
    lead = (gate.likelihood - vibrato_likelihood(lines, f0, period_s)) / sum(one.hz.size for one in lines)
    own_s = cycle.pulses[0].length_s
    return GateLead(lead, gate.length_s > _SHORTEST_S and abs(gate.length_s - own_s) < _SAME_LENGTH * own_s)


def _is_harmonic(hz: float, f0: float, line_hz: float) -> bool:
    number = max(1, round(hz / f0))
    return abs(hz - number * f0) < max(2.5 * line_hz, 0.006 * hz)
