"""What a preset sounds like: the noise or machine itself, or speech in the room or through the handset."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from roomtone.augment.condition import Condition
from roomtone.augment.corpora import open_corpus
from roomtone.augment.gallery.info import PresetInfo
from roomtone.augment.ops.table import Processor, RoomOp
from roomtone.augment.rooms.bank import DIRECT_SAMPLE, build_bank
from roomtone.augment.scenarios.presets import load_preset, parse_preset
from roomtone.core.audio.reading import read_audio
from roomtone.core.audio.segment import AudioRef
from roomtone.core.audio.types import Samples
from roomtone.core.errors import RoomtoneError

SAMPLE_RATE_HZ = 16_000
#: Long enough to hear two rounds of most machines.
SECONDS = 6.0
#: RMS of the sound on its own, full scale +-1.0.
_RMS = 0.05


@dataclass(frozen=True)
class PresetSound:
    """A preset's sound.

    Attributes:
        samples: float32 [shape=(samples,)], full scale +-1.0, at 16 kHz.
        response: of a room: its impulse response from the direct sound on, float [shape=(taps,)]; else None.
    """

    samples: Samples
    response: np.ndarray | None = None


def demo_speech(seconds: float = SECONDS) -> Samples:
    """Return clean speech of the bundled corpus at 16 kHz, float32 [shape=(samples,)].

    Args:
        seconds: how much, at most; utterances of one voice are joined.
    """
    utterances = sorted(open_corpus({"reader": "demo"}), key=lambda u: (u.speaker or "", u.utterance_id))
    first = [read_audio(u.audio, SAMPLE_RATE_HZ) for u in utterances if u.speaker == utterances[0].speaker]
    return np.concatenate(first)[: round(seconds * SAMPLE_RATE_HZ)]


def preset_sound(info: PresetInfo, search: tuple[Path, ...] = (), cache_dir: str | None = None) -> PresetSound:
    """Return the sound of a preset: seeded, so that it is the same each time.

    Args:
        info: which preset.
        search: folders of the user's own presets.
        cache_dir: where room banks are kept; None is the user's cache folder.

    Raises:
        RoomtoneError: the preset needs recordings that are not at hand.
    """
    if info.needs:
        raise RoomtoneError(f"{info.factor}/{info.name}: needs {info.needs}")
    folder: Any = search[0] if search else None
    speech = demo_speech()
    level: dict[str, Any] = {info.factor: info.example}
    condition = Condition(**level, config_dir=folder, cache_dir=cache_dir)
    if info.factor in ("room", "handset"):
        heard = condition(speech, SAMPLE_RATE_HZ, key="gallery")
        op = parse_preset(info.factor, info.name, load_preset(info.factor, info.name, search))
        return PresetSound(heard, _response(op, cache_dir) if isinstance(op, RoomOp) else None)
    stems = condition.render(np.resize(speech, round(SECONDS * SAMPLE_RATE_HZ)), SAMPLE_RATE_HZ, key="gallery").stems
    alone = stems.noise if info.factor == "noise" else stems.equipment
    assert alone is not None
    return PresetSound((alone * (_RMS / max(float(np.sqrt(np.mean(alone**2))), 1e-9))).astype(np.float32))


def _response(op: RoomOp, cache_dir: str | None) -> np.ndarray:
    entry = next(iter(build_bank(op, SAMPLE_RATE_HZ, cache_dir=cache_dir)))
    return np.asarray(entry.speech, dtype=np.float64)[DIRECT_SAMPLE:]


def frequency_response_db(info: PresetInfo, search: tuple[Path, ...] = ()) -> tuple[np.ndarray, np.ndarray] | None:
    """Return what a handset does to white noise in third-octaves: centres in Hz and gains in dB, both [shape=(bands,)].

    Args:
        info: a preset; None is returned for what is no handset.
        search: folders of the user's own presets.
    """
    op = parse_preset(info.factor, info.name, load_preset(info.factor, info.name, search))
    if not isinstance(op, Processor):
        return None
    noise = np.random.default_rng(0).normal(0.0, 0.05, 8 * SAMPLE_RATE_HZ).astype(np.float32)
    condition = Condition(handset=info.name, config_dir=search[0] if search else None)
    heard = condition(noise, SAMPLE_RATE_HZ, key="gallery")
    centres = 1000.0 * 2.0 ** (np.arange(-10, 9) / 3)
    before, after = (band_levels_db(signal, SAMPLE_RATE_HZ, centres) for signal in (noise, heard))
    gains = after - before
    return centres, gains - gains.max()


def band_levels_db(samples: Samples, sample_rate_hz: int, centres_hz: np.ndarray) -> np.ndarray:
    """Return the power of a signal in third-octave bands in dB, [shape=(bands,)].

    Args:
        samples: float [shape=(samples,)].
        sample_rate_hz: their rate in Hz.
        centres_hz: [shape=(bands,)].
    """
    from scipy.signal import welch

    frequencies, density = welch(samples, sample_rate_hz, nperseg=min(4096, samples.size))
    edges = 2.0 ** (1 / 6)
    powers = [density[(frequencies >= c / edges) & (frequencies < c * edges)].sum() for c in centres_hz]
    return 10 * np.log10(np.maximum(powers, 1e-14))


__all__ = [
    "SAMPLE_RATE_HZ",
    "AudioRef",
    "PresetSound",
    "band_levels_db",
    "demo_speech",
    "frequency_response_db",
    "preset_sound",
]
