"""An SNR is one of sounds: DC and rumble in speech, noise or equipment recordings count in no level."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from roomtone.augment import stems
from roomtone.augment.generation import generate
from roomtone.core.audio.reading import read_audio
from roomtone.core.audio.segment import AudioRef
from roomtone.core.dataset.manifest import read_manifest

RATE = 16000


def shaken(samples: np.ndarray, offset: float) -> np.ndarray:
    """Add DC and a rumble at 5 Hz, a tenth of it."""
    times = np.arange(samples.size) / RATE
    return samples + offset + 0.1 * offset * np.sin(2 * np.pi * 5.0 * times)


@pytest.fixture
def rows(tmp_path: Path, composed: Any, small_table: Path) -> Callable[[float, float], Any]:
    """Return a function that renders quiet speech at 10 dB of recorded noise and machine, offsets in all of them."""
    (tmp_path / "config" / "scenario").mkdir(parents=True)
    text = "name: tiny\nfactors: {noise: [none, hall@10dB], equipment: [none, pump@10dB]}\n"
    (tmp_path / "config" / "scenario" / "tiny.yaml").write_text(text)
    for factor, op, name in (("noise", "recordings", "hall"), ("equipment", "recording", "pump")):
        (tmp_path / "config" / factor).mkdir()
        (tmp_path / "config" / factor / f"{name}.yaml").write_text(f"op: {op}\npath: {name}\n")

    def make(speech_offset: float, noise_offset: float) -> Any:
        for clip in small_table.parent.glob("*.flac"):
            quiet = 0.1 * read_audio(AudioRef(str(clip)), RATE, rumble=True)
            soundfile.write(clip, shaken(quiet, speech_offset), RATE, subtype="PCM_24")
        for seed, (factor, name) in enumerate((("noise", "hall"), ("equipment", "pump"))):
            folder = tmp_path / "config" / factor / name
            folder.mkdir()
            sound = 0.01 * np.random.default_rng(seed).standard_normal(12 * RATE)
            soundfile.write(folder / "a.wav", shaken(sound, noise_offset), RATE, subtype="PCM_24")
        cfg = composed(
            "scenario=tiny", "design=full", "executor=serial", "corpus=table", f"corpus.path={small_table}",
            f"output.dir={tmp_path / 'set'}", config_dir=str(tmp_path / "config"),
        )  # fmt: skip
        assert generate(cfg).exit_status == 0
        return read_manifest(tmp_path / "set")

    return make


@pytest.mark.parametrize(("speech_offset", "noise_offset"), [(0.02, 0.0), (0.05, 0.0), (0.0, 0.5), (0.05, 0.5)])
def test_ten_decibels_are_those_of_the_sounds(
    tmp_path: Path,
    rows: Callable[[float, float], Any],
    active_level: Callable[..., tuple[float, float]],
    speech_offset: float,
    noise_offset: float,
) -> None:
    """With 2 % of DC in quiet speech "10 dB" was 6.6 dB, with 5 % 0.1 dB; a noise that was nearly all DC had a label too."""
    found = rows(speech_offset, noise_offset)
    both = found[(found["noise"] != "none") & (found["equipment"] != "none")]
    assert len(both) == 6
    for row in both.to_dict("records"):
        parts = stems(tmp_path / "set", row["sample_id"])
        assert parts.noise is not None
        assert parts.equipment is not None
        speech_db = active_level(parts.speech, RATE)[0]
        for part in (parts.noise, parts.equipment):
            heard = part - part.mean()
            assert speech_db - 10 * np.log10(np.mean(np.square(heard))) == pytest.approx(10.0, abs=0.1)
            assert abs(part.mean()) < 1e-2 * np.sqrt(np.mean(np.square(part)))
        pcm, _ = soundfile.read(tmp_path / "set" / row["audio_path"])
        assert abs(pcm.mean()) < 1e-3
    clean = found[found["condition"] == "clean"].iloc[0]
    pcm, _ = soundfile.read(tmp_path / "set" / clean["audio_path"])
    assert active_level(pcm, RATE)[0] == pytest.approx(-26.0, abs=0.05)
    assert abs(pcm.mean()) < 1e-4
