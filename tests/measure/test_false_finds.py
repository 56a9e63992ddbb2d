"""Where no machine is, none is claimed."""

import numpy as np
import pytest

from roomtone.augment.ops.draw_context import DrawContext
from roomtone.augment.scenarios.presets import load_preset, parse_preset
from roomtone.measure.detection.machines import measure_equipment

RATE = 16000
COUNT = 20 * RATE


def talk(rng, speaker=None):
    """20 s of one bundled talker, each sentence at most once."""
    from roomtone.augment.corpora import open_corpus
    from roomtone.core.audio.reading import read_audio

    utterances = sorted(open_corpus({"reader": "demo"}), key=lambda u: u.utterance_id)
    order = rng.permutation(len(utterances))
    pieces, total = [], 0
    for k in order:
        samples = read_audio(utterances[k].audio, RATE)
        pieces += [samples, np.zeros(round(rng.uniform(0.1, 0.6) * RATE), np.float32)]
        total += pieces[-1].size + samples.size
        if total >= COUNT:
            break
    return np.concatenate(pieces)[:COUNT].astype(np.float64)


def music(rng):
    """Chords of random notes on a beat: harmonic, rhythmic, and never the same again."""
    beat, start, out = 60 / rng.uniform(70, 140), 0.0, np.zeros(COUNT + 4 * RATE)
    scale, root = np.array([0, 2, 4, 5, 7, 9, 11, 12, 14, 16]), rng.uniform(110, 220)
    while start < 20:
        length = beat * rng.choice([0.5, 1, 1, 2])
        time = np.arange(round(0.95 * length * RATE)) / RATE
        for _ in range(rng.integers(1, 4)):
            f0 = root * 2 ** (rng.choice(scale) / 12) * rng.choice([1, 2])
            tone = sum(np.sin(2 * np.pi * f0 * k * time + 6 * rng.random()) / k**1.3 for k in range(1, 7))
            begin = round(start * RATE)
            out[begin : begin + time.size] += tone * np.exp(-time / rng.uniform(0.2, 1)) * np.minimum(1, time / 0.01)
        start += length
    return 0.05 * out[:COUNT]


def make(kind, seed):
    rng = np.random.default_rng([seed, 11])
    hiss = 1e-4 * rng.standard_normal(COUNT)
    if kind in ("white", "pink"):
        op = parse_preset("noise", kind, load_preset("noise", kind)).draw(rng, DrawContext(COUNT, RATE))
        return op.render(COUNT, RATE, None).astype(np.float64)
    if kind == "babble":
        return sum(talk(rng) for _ in range(6)) + hiss
    return (talk(rng) if kind == "speech" else music(rng)) + hiss


def claimed(kind, count):
    """What is claimed, by the seed of the recording."""
    found = {seed: measure_equipment(make(kind, seed), RATE).machines for seed in range(count)}
    return {
        seed: [(m.kind, m.fundamental_hz, m.period_s) for m in machines] for seed, machines in found.items() if machines
    }


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["white", "pink", "speech", "babble", "music"])
def test_nothing_is_found_in_eight_recordings_without_a_machine(kind):
    assert claimed(kind, 8) == {}


def test_one_note_and_one_sentence_are_no_machine():
    """Heard once in a still recording, where a beep would be claimed: a struck note dies away, a voice moves."""
    rng = np.random.default_rng(5)
    time = np.arange(RATE) / RATE
    note = sum(np.sin(2 * np.pi * 440 * k * time) / k for k in range(1, 5)) * np.exp(-time / 0.3)
    for sound in (0.1 * note, talk(rng)[: 3 * RATE]):
        recording = 1e-3 * rng.standard_normal(COUNT)
        recording[8 * RATE : 8 * RATE + sound.size] += sound
        assert measure_equipment(recording, RATE).machines == ()
