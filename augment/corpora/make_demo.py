"""Makes the bundled demo corpus: ward orders in English accents, spoken by the synthesiser espeak-ng.

    python -m roomtone.augment.corpora.make_demo OUT_DIR

Four voices ("speakers") an accent, three orders a voice, twelve orders in all, the same twelve in every accent. Non-native
accents are English text read by another language's voice, hence with its sounds. espeak-ng's pauses are digital silence,
on which recognisers break; every recording gets the floor of a quiet room, seeded by its name. The corpus proves a
pipeline: how a recogniser treats these voices says nothing of how it treats people.

Made with espeak-ng 1.51; another version speaks slightly differently.
"""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from pathlib import Path

import numpy as np

from roomtone.core.audio.encoding import write_pcm16
from roomtone.core.audio.resampling import resample
from roomtone.core.errors import RoomtoneError

SAMPLE_RATE_HZ = 16_000
#: Low, because the floor then needs fewer bits and the bundle stays small; rendering sets its own level.
SPEECH_LEVEL_DBOV = -36.0
#: A quiet room under a close microphone.
FLOOR_BELOW_SPEECH_DB = 40.0
LEAD_S, TAIL_S = 0.20, 0.25

#: accent label -> espeak-ng voice
ACCENTS = {
    "american": "en-us",
    "new_york": "en-us-nyc",
    "british": "en-gb",
    "british_rp": "en-gb-x-rp",
    "scottish": "en-gb-scotland",
    "lancashire": "en-gb-x-gbclan",
    "west_midlands": "en-gb-x-gbcwmd",
    "caribbean": "en-029",
    "dutch_l1": "nl",
    "german_l1": "de",
    "hindi_l1": "hi",
    "spanish_l1": "es",
}
#: voice -> (espeak-ng variant, pitch 0-99, words a minute, gender of the variant)
VOICES = {
    "m1": ("m1", 40, 160, "male"),
    "m2": ("m5", 45, 170, "male"),
    "f1": ("f2", 50, 160, "female"),
    "f2": ("f5", 55, 170, "female"),
}
ORDERS = (
    "give ten milligrams of morphine every hour",
    "check the blood pressure in bed seven every morning",
    "call the surgeon to room twelve right away",
    "hold the heparin until tomorrow",
    "raise the oxygen to four liters",
    "move the patient in bed nine to surgery tonight",
    "give twenty units of insulin before meals",
    "check the temperature in bed three every two hours",
    "call the night nurse to room eleven tonight",
    "lower the drip rate to thirty drops a minute",
    "hold the aspirin until the scan",
    "give five drops of saline every evening",
)


def main(out_dir: str) -> None:
    """Write the recordings and `table.csv` into a folder."""
    home = Path(out_dir)
    home.mkdir(parents=True, exist_ok=True)
    rows = []
    for accent, voice in ACCENTS.items():
        for index, name in enumerate(VOICES):
            for take in range(len(ORDERS) // len(VOICES)):
                order = take * len(VOICES) + index
                rows.append(_record(home, accent, voice, name, order))
    with open(home / "table.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _record(home: Path, accent: str, voice: str, name: str, order: int) -> dict[str, str]:
    variant, pitch, rate, gender = VOICES[name]
    utterance = f"{accent}-{name}-{order + 1:02d}"
    speech = _speak(ORDERS[order], f"{voice}+{variant}", pitch, rate)
    write_pcm16(home / f"{utterance}.flac", in_quiet_room(speech, utterance), SAMPLE_RATE_HZ, "flac")
    return {
        "id": utterance,
        "audio": f"{utterance}.flac",
        "text": ORDERS[order],
        "speaker": f"{accent}-{name}",
        "accent": accent,
        "accent_raw": voice,
        "voice_gender": gender,
    }


def _speak(text: str, voice: str, pitch: int, words_per_minute: int) -> np.ndarray:
    """Return float32 speech at 16 kHz, without the silence before and after it.

    Raises:
        RoomtoneError: espeak-ng is not installed, or fails.
    """
    import soundfile

    command = ["espeak-ng", "-v", voice, "-p", str(pitch), "-s", str(words_per_minute), "--stdout", text]
    try:
        wav = subprocess.run(command, check=True, capture_output=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise RoomtoneError(f"{' '.join(command)}: {error}") from error
    # a WAV from a pipe bears a placeholder length in its header, so the samples are taken from behind it
    rate = int.from_bytes(wav[24:28], "little")
    samples, _ = soundfile.read(
        io.BytesIO(wav[44:]), format="RAW", subtype="PCM_16", samplerate=rate, channels=1, dtype="float32"
    )
    sounding = np.flatnonzero(samples)
    return resample(samples[sounding[0] : sounding[-1] + 1], rate, SAMPLE_RATE_HZ)


def in_quiet_room(speech: np.ndarray, name: str) -> np.ndarray:
    """Return int16 speech at the stated active level, with lead, tail and the floor of a quiet room."""
    from roomtone.core.audio.speech_level import active_speech_level
    from roomtone.core.random_streams import content_key

    lead, tail = round(LEAD_S * SAMPLE_RATE_HZ), round(TAIL_S * SAMPLE_RATE_HZ)
    padded = np.concatenate([np.zeros(lead), speech.astype(np.float64), np.zeros(tail)])
    level = active_speech_level(speech, SAMPLE_RATE_HZ).level_dbov
    rng = np.random.default_rng(int(content_key(name)[:16], 16))
    floor = _room_floor(rng, padded.size) * 10 ** ((SPEECH_LEVEL_DBOV - FLOOR_BELOW_SPEECH_DB) / 20)
    return np.round((padded * 10 ** ((SPEECH_LEVEL_DBOV - level) / 20) + floor).clip(-1.0, 1.0) * 32767.0).astype(
        np.int16
    )


def _room_floor(rng: np.random.Generator, num_samples: int) -> np.ndarray:
    """Return noise of RMS 1 that falls by 5 dB an octave above 50 Hz, as rooms at rest roughly do."""
    from scipy import fft

    spectrum = fft.rfft(rng.standard_normal(num_samples))
    hertz = fft.rfftfreq(num_samples, 1.0 / SAMPLE_RATE_HZ)
    spectrum *= np.maximum(hertz, 50.0) ** (-5.0 / 6.02)
    noise = fft.irfft(spectrum, num_samples)
    return noise / np.sqrt(np.square(noise).mean())


if __name__ == "__main__":
    main(sys.argv[1])
