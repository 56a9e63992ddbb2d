"""Prints how well labels hold on real speech: every room, noise, machine and handset at 8, 16, 24, 44.1 and 48 kHz, measured by code of its own.

    python bench/labels_at_rates.py SPEECH.wav … [--groups room,noise,equipment,handset] [--rates 8000,48000]

The recordings are joined to 12 s, and brought to each rate. Nothing of Roomtone measures here: the active speech level is ITU-T P.56 as
written below, SNRs and the loudest 10 ms are taken from the stems, periods from the autocorrelation of the machine's envelope, T30 from
Schroeder's integral of each response behind octaves of Butterworth's magnitude and no phase. Per group and label: how many renders hold it,
how many tell it, and the worst.

Bounds: levels and SNRs 0.5 dB; period 1 %; delay 0.5 ms; clipped share 0.001; T30 of a response 5 % of what the manifest says, and in each
octave 5 % of what it says there and of what the materials claim, the median of a bank 5 % of the preset's `t60_s`; the file is the sum of its
stems (no handset) to -40 dB. A render that is refused counts as a failure. An octave that a row does not tell is counted under "not told", against
its claim too.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np

RATES = (8000, 16000, 24000, 44100, 48000)
GROUPS = ("room", "noise", "equipment", "handset")
SECONDS = 12.0
SNR_DB = 10.0
#: Label -> bound on |measured by us - stated|.
BOUNDS = {
    "SNR": 0.5,
    "SNR, loudest 10 ms": 0.5,
    "speech level in the file": 0.5,
    "period, %": 1.0,
    "delay, ms": 0.5,
    "clipped share": 0.001,
    "T30 of a response, %": 5.0,
    "T30 of a response by octave, %": 5.0,
    "T30 by octave against its claim, %": 5.0,
    "T60 of the bank, %": 5.0,
    "file is its stems, dB over -40": 0.0,
}


def joined(files: list[str], rate: int) -> np.ndarray:
    """Return recordings one after the other at a rate, repeated to the length of the bench, float32 [shape=(samples,)]."""
    import soundfile
    import soxr

    parts = []
    for file in files:
        samples, own = soundfile.read(file, dtype="float32", always_2d=True)
        parts.append(soxr.resample(samples.mean(axis=1), own, rate))
    return np.resize(np.concatenate(parts), round(SECONDS * rate)).astype(np.float32)


def active_level_db(samples: np.ndarray, rate: int) -> float:
    """Return the active speech level of ITU-T P.56, method B: envelope of 30 ms, hangover of 200 ms, margin of 15.9 dB."""
    from scipy.ndimage import maximum_filter1d
    from scipy.signal import lfilter

    x = samples.astype(np.float64)
    g = np.exp(-1.0 / (0.03 * rate))
    envelope = lfilter([1 - g], [1, -g], lfilter([1 - g], [1, -g], np.abs(x)))
    hang = int(np.ceil(0.2 * rate))
    held = maximum_filter1d(envelope, hang, origin=(hang - 1) // 2, mode="constant")  # over the last 200 ms
    thresholds = 2.0 ** -np.arange(15.0, 0.0, -1.0)
    active = np.array([(held >= threshold).sum() for threshold in thresholds])
    told = active > 0
    level = 10 * np.log10((x**2).sum() / active[told])
    over = level - 20 * np.log10(thresholds[told]) - 15.9
    cross = np.flatnonzero((over[:-1] >= 0) & (over[1:] < 0))
    if not cross.size:
        return float("nan")
    at = cross[0]
    return float(np.interp(0.0, [-over[at], -over[at + 1]], level[at : at + 2]))


def rms_db(samples: np.ndarray) -> float:
    """Return the RMS in dB re full scale."""
    return float(10 * np.log10(np.mean(samples.astype(np.float64) ** 2) + 1e-30))


def heard(samples: np.ndarray, rate: int) -> np.ndarray:
    """Return the samples where a machine sounds: silences of under 4 ms are its zero crossings."""
    from scipy.ndimage import binary_closing

    return samples[binary_closing(np.pad(samples != 0, rate), np.ones(2 * round(0.002 * rate) + 1))[rate:-rate]]


def loudest_db(samples: np.ndarray, rate: int) -> float:
    """Return the RMS of the loudest 10 ms, in steps of 0.5 ms."""
    block, power = round(0.01 * rate), np.concatenate([[0.0], np.cumsum(samples.astype(np.float64) ** 2)])
    at = np.arange(0, samples.size - block, max(1, rate // 2000))
    return float(10 * np.log10((power[at + block] - power[at]).max() / block))


def period_s(samples: np.ndarray, rate: int) -> float:
    """Return after how long the envelope of the first half repeats itself: the shortest such time, read at a multiple."""
    block = round(0.001 * rate)
    envelope = np.abs(samples[: samples.size // block * block].astype(np.float64)).reshape(-1, block).mean(axis=1)
    half = envelope.size // 2
    energy = np.concatenate([[0.0], np.cumsum(envelope**2)])
    spectra = np.fft.rfft(envelope, 2 * envelope.size), np.fft.rfft(envelope[:half], 2 * envelope.size)
    shared = np.fft.irfft(spectra[0] * np.conj(spectra[1]))[:half]
    differs = energy[half] + energy[half : 2 * half] - energy[:half] - 2.0 * shared
    rise = int(np.flatnonzero(differs > 0.5 * differs.max())[0])
    first = rise + int(np.flatnonzero(differs[rise:] <= differs[rise:].min() + 0.15 * np.ptp(differs[rise:]))[0])
    last = first + int(np.argmax(np.append(differs[first:], np.inf) > 0.5 * differs.max()))
    lag, times = first + int(differs[first:last].argmin()), 1
    while 2 * lag + 2 < half:  # the same dip at twice the time, which halves what a grid of 1 ms leaves open
        lag, times = min(range(2 * lag - 2, 2 * lag + 3), key=lambda one: differs[one]), 2 * times
    return lag * block / rate / times


def octave(response: np.ndarray, rate: int, centre: float) -> np.ndarray:
    """Return a response in one octave by Butterworth's magnitude of order 4 and no phase, with 0.2 s for its ringing on either side."""
    padded = np.pad(response.astype(np.float64), round(0.2 * rate))
    hertz = np.maximum(np.fft.rfftfreq(2 * padded.size, 1 / rate), 1.0)
    gains = 1 / np.sqrt(1 + (2**0.5 * (hertz / centre - centre / hertz)) ** 8)
    return np.fft.irfft(np.fft.rfft(padded, 2 * padded.size) * gains)[: padded.size]


def t30_s(band: np.ndarray, rate: int) -> float:
    """Return T30 by Schroeder's integral of all that there is, -5 to -35 dB."""
    decay = np.cumsum(band[::-1].astype(np.float64) ** 2)[::-1]
    level = 10 * np.log10(decay / decay[0] + 1e-30)
    inside = np.flatnonzero((level <= -5) & (level >= -35))
    return float(-60.0 / np.polyfit(inside / rate, level[inside], 1)[0])


def delay_ms(clean: np.ndarray, file: np.ndarray, rate: int) -> float:
    """Return by how much a file lags the speech that went in, by cross-correlation."""
    from scipy.signal import hilbert

    size = 2 * clean.size
    cross = np.fft.irfft(
        np.fft.rfft(file.astype(np.float64), size) * np.conj(np.fft.rfft(clean.astype(np.float64), size))
    )
    lag = int(np.abs(hilbert(cross)).argmax())  # of the envelope: a channel turns phases
    return 1e3 * (lag if lag < size // 2 else lag - size) / rate


def clock_period_s(op: dict[str, Any]) -> float | None:
    """Return the period of a drawn machine that has one on a strict grid, short enough to be seen thrice."""
    tones = [part for part in op.get("parts", [op]) if part.get("pulses")]
    if not tones or tones[0]["jitter_s"] or tones[0]["timing"] != "grid" or not 0 < tones[0]["period_s"] < SECONDS / 3:
        return None
    return float(tones[0]["period_s"])


def checks(group: str, preset: str, clean: np.ndarray, rate: int) -> Iterator[tuple[str, float]]:
    """Yield label and error of one render; NaN where it cannot be told."""
    from roomtone.augment import Condition

    level = f"{preset}@{SNR_DB:g}dB" if group in ("noise", "equipment") else preset
    condition = Condition(**{group: level})
    made = condition.render(clean, rate, key=3)
    stems, said = made.stems, made.measured
    file = made.pcm.astype(np.float64) / 32768.0
    speech_db = active_level_db(stems.speech, rate)
    own_clipped = float(np.mean((made.pcm >= 32767) | (made.pcm <= -32768)))
    yield "clipped share", max(0.0, own_clipped - said["clipped_share"])
    if group in ("noise", "equipment"):
        sound = stems.noise if group == "noise" else stems.equipment
        yield "SNR", speech_db - rms_db(sound if group == "noise" else heard(sound, rate)) - SNR_DB
        parts = np.stack([stems.speech, sound]).astype(np.float64)
        rest = file - np.linalg.lstsq(parts.T, file, rcond=None)[0] @ parts
        yield (
            "file is its stems, dB over -40",
            max(0.0, rms_db(rest) - rms_db(file) + 40.0) if not own_clipped else np.nan,
        )
    if group == "equipment":
        loudest = speech_db - loudest_db(stems.equipment, rate)
        yield "SNR, loudest 10 ms", loudest - said["measured_equipment_snr_loudest_db"]
        drawn = condition.recipe(clean.size, rate, key=3).equipment
        truth = clock_period_s(drawn) if drawn["op"] != "pass_by" else None
        yield "period, %", np.nan if truth is None else 100 * (period_s(stems.equipment, rate) / truth - 1)
    if group in ("room", "handset"):
        yield "speech level in the file", active_level_db(file, rate) - said["active_level_dbov"]
    if group == "handset":
        known = said["delay_samples"]  # a jitter buffer has no one delay
        yield "delay, ms", np.nan if known is None else delay_ms(clean, file, rate) - 1e3 * known / rate


def bank_checks(preset: str, rate: int) -> Iterator[tuple[str, float]]:
    """Yield errors of T30: of each response against its record and its claim, and of the bank's median against the preset."""
    from roomtone.augment.rooms.bank import build_bank
    from roomtone.augment.scenarios.presets import load_preset, parse_preset

    fields = load_preset("room", preset)
    coupled = bool(fields.get("coupled_t60_s"))  # a decay of two slopes has no one T60
    own = []
    for entry in build_bank(parse_preset("room", preset, fields), rate):  # type: ignore[arg-type]
        rir = np.asarray(entry.speech)
        said = dict(map(tuple, entry.t30_octaves_s))
        found = {centre: t30_s(octave(rir, rate, centre), rate) for centre in said}
        own.append((found[500.0] + found[1000.0]) / 2 if said else t30_s(rir, rate))
        yield "T30 of a response, %", 100 * (own[-1] / entry.t30_s - 1)
        for centre, claimed in entry.parameters.get("t60_octaves_s", []):
            told = (
                said[centre] is not None
            )  # else the time depends on the filter: ours is as good as any, and holds nothing
            yield "T30 of a response by octave, %", 100 * (found[centre] / said[centre] - 1) if told else np.nan
            yield (
                "T30 by octave against its claim, %",
                100 * (found[centre] / claimed - 1) if told and not coupled else np.nan,
            )
    asked = np.nan if coupled else float(np.mean(fields["t60_s"]))
    yield "T60 of the bank, %", 100 * (float(np.median(own)) / asked - 1)


def main() -> int:
    """Render everything and print the table; exit status 1 where a label is missed."""
    from roomtone.augment.scenarios.presets import preset_names
    from roomtone.core.errors import RoomtoneError

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("speech", nargs="+")
    parser.add_argument("--groups", default=",".join(GROUPS))
    parser.add_argument("--rates", default=",".join(map(str, RATES)))
    arguments = parser.parse_args()
    errors: dict[tuple[str, str], list[tuple[float, str]]] = defaultdict(list)
    refused = []
    for rate in map(int, arguments.rates.split(",")):
        clean = joined(arguments.speech, rate)
        for group in arguments.groups.split(","):
            for preset in preset_names(group):
                if preset == "recordings":
                    continue
                name = f"{preset} at {rate}"
                try:
                    found = [*checks(group, preset, clean, rate)]
                    found += [*bank_checks(preset, rate)] if group == "room" else []
                except RoomtoneError as error:
                    refused.append(f"{name}: {error}")
                    continue
                for label, error_ in found:
                    errors[group, label].append((error_, name))
                    if abs(error_) > BOUNDS[label]:
                        print(f"missed: {group} {name}, {label}: {error_:.3f}", flush=True)
    print(f"{'group':<10} {'label':<32} {'held':>10}  worst")
    for (group, label), rows in errors.items():
        told = [row for row in rows if not np.isnan(row[0])]
        held = sum(abs(value) <= BOUNDS[label] for value, _ in told)
        worst = max(told, key=lambda row: abs(row[0]), default=(0.0, "-"))
        print(
            f"{group:<10} {label:<32} {held:>4} of {len(told):<4} {worst[0]:+.4f} ({worst[1]}), {len(rows) - len(told)} not told"
        )
    print(f"refused: {len(refused)}", *refused, sep="\n  ")
    return int(bool(refused) or any(abs(v) > BOUNDS[key[1]] for key, rows in errors.items() for v, _ in rows))


if __name__ == "__main__":
    sys.exit(main())
