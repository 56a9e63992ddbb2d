"""Synthetic speech as a recording: the silence around it cut as a person cuts it, in a room that is not silent.

A neural voice fades to digital silence, on which recognisers break. Each speaker has the floor of one quiet room and
microphone: its level and slope are drawn by the speaker's name, the noise itself and the pauses before and after by the
recording's.
"""

from __future__ import annotations

import numpy as np

from roomtone.core.audio.resampling import resample
from roomtone.core.audio.speech_level import active_speech_level
from roomtone.core.errors import RoomtoneError
from roomtone.core.random_streams import stream

SAMPLE_RATE_HZ = 16_000
#: Low, because the files then need fewer bits and the bundle stays small; rendering sets its own level.
SPEECH_LEVEL_DBOV = -40.0
#: Floor of a speaker's room below the active speech level: a close microphone in a quiet room.
FLOOR_BELOW_SPEECH_DB = (38.0, 48.0)
#: Rooms at rest have about -5 dB an octave.
FLOOR_SLOPE_DB_PER_OCTAVE = (-6.0, -3.0)
LEAD_S, TAIL_S = (0.08, 0.30), (0.10, 0.40)
#: Speech begins and ends where its 5 ms level passes this far below its loudest; Kokoro's own silence lies at -100 dB.
_EDGE_BELOW_PEAK_DB = 60.0
_FRAME_S = 0.005


def as_recorded(speech: np.ndarray, from_hz: int, speaker: str, name: str) -> np.ndarray:
    """Return int16 speech at 16 kHz with lead, tail and room floor.

    Args:
        speech: float32 samples [shape=(samples,)].
        from_hz: rate of `speech`.
        speaker: whose room it is.
        name: name of the recording, which seeds its noise and pauses.

    Raises:
        RoomtoneError: the recording would clip.
    """
    said = without_silence(resample(speech, from_hz, SAMPLE_RATE_HZ))
    gain_db = SPEECH_LEVEL_DBOV - active_speech_level(said, SAMPLE_RATE_HZ).level_dbov
    room, take = stream("demo room", speaker), stream("demo recording", name)
    floor_db = SPEECH_LEVEL_DBOV - room.uniform(*FLOOR_BELOW_SPEECH_DB)
    slope = room.uniform(*FLOOR_SLOPE_DB_PER_OCTAVE)
    lead, tail = (round(take.uniform(*span) * SAMPLE_RATE_HZ) for span in (LEAD_S, TAIL_S))
    padded = np.pad(said.astype(np.float64), (lead, tail)) * 10 ** (gain_db / 20)
    recorded = padded + room_floor(take, padded.size, slope) * 10 ** (floor_db / 20)
    if np.abs(recorded).max() >= 1:
        raise RoomtoneError(f"{name}: clips at {SPEECH_LEVEL_DBOV} dBov; lower SPEECH_LEVEL_DBOV")
    return np.round(recorded * 32767).astype(np.int16)


def without_silence(speech: np.ndarray) -> np.ndarray:
    """Return 16 kHz speech from the first to the last 5 ms that lie within 60 dB of the loudest 5 ms."""
    size = round(_FRAME_S * SAMPLE_RATE_HZ)
    frames = np.pad(speech, (0, -speech.size % size)).reshape(-1, size)
    power = np.square(frames, dtype=np.float64).mean(axis=1)
    sounding = np.flatnonzero(power > power.max() * 10 ** (-_EDGE_BELOW_PEAK_DB / 10))
    return speech[sounding[0] * size : (sounding[-1] + 1) * size]


def room_floor(rng: np.random.Generator, num_samples: int, slope_db_per_octave: float) -> np.ndarray:
    """Return noise of RMS 1 [shape=(num_samples,)] with a slope above 50 Hz, flat below.

    Args:
        rng: drawn from.
        num_samples: length.
        slope_db_per_octave: above 50 Hz.
    """
    from scipy import fft

    spectrum = fft.rfft(rng.standard_normal(num_samples))
    hertz = fft.rfftfreq(num_samples, 1.0 / SAMPLE_RATE_HZ)
    spectrum *= np.maximum(hertz, 50.0) ** (slope_db_per_octave / 6.0206)
    noise = fft.irfft(spectrum, num_samples)
    return noise / np.sqrt(np.square(noise).mean())
