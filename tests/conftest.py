"""What all tests share: an active-level meter of their own, a small corpus, and one cache of room banks."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

# examples take what a busy machine gives them: time is measured in bench/, never in a test
settings.register_profile("roomtone", deadline=None)
settings.load_profile("roomtone")


@pytest.fixture(scope="session", autouse=True)
def _bank_cache(tmp_path_factory):
    """Banks are built once a session, in a folder of the tests' own."""
    import os

    before = os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ["XDG_CACHE_HOME"]
    else:
        os.environ["XDG_CACHE_HOME"] = before


def own_active_level(samples, rate):
    """ITU-T P.56 method B written a second time, from the formulas: (level in dBov, activity)."""
    from scipy.signal import lfilter

    x = np.asarray(samples, dtype=np.float64)
    g = np.exp(-1 / (0.03 * rate))
    q = lfilter([1 - g], [1, -g], lfilter([1 - g], [1, -g], np.abs(x)))
    hang = int(0.2 * rate + 0.5)
    index = np.arange(x.size)
    thresholds = 2.0 ** np.arange(-15, 0)
    energy = (x**2).sum()
    level = []
    for threshold in thresholds:
        last = np.maximum.accumulate(np.where(q >= threshold, index, -hang - 2))
        active = np.count_nonzero(index - last <= hang)
        level.append(10 * np.log10(energy / active) if active else np.nan)
    difference = np.array(level) - 20 * np.log10(thresholds) - 15.9
    j = int(np.argmax(difference <= 0))
    share = difference[j - 1] / (difference[j - 1] - difference[j])
    found = level[j - 1] + share * (level[j] - level[j - 1])
    return found, 10 ** ((10 * np.log10(energy / x.size) - found) / 10)


@pytest.fixture(scope="session")
def active_level():
    return own_active_level


@pytest.fixture(scope="session")
def speech():
    """A few seconds of the bundled corpus: float32 at 16 kHz."""
    from roomtone.augment.corpora import open_corpus
    from roomtone.core.audio.reading import read_audio

    utterances = sorted(open_corpus({"reader": "demo"}), key=lambda u: u.utterance_id)
    return read_audio(utterances[0].audio, 16000)


def write_table(folder, count, *, stride=7):
    """Write a table of `count` demo utterances, spread over accents, with the audio beside it."""
    import shutil

    from roomtone.augment.corpora import open_corpus
    from roomtone.core.audio.recording_files import audio_path

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    utterances = sorted(open_corpus({"reader": "demo"}), key=lambda u: u.utterance_id)
    rows = []
    for i in range(count):
        utterance = utterances[i * stride % len(utterances)]
        source = audio_path(utterance.audio.path)
        shutil.copy(source, folder / source.name)
        rows.append(
            {"audio": source.name, "text": utterance.text, "speaker": utterance.speaker, "accent": utterance.accent}
        )
    path = folder / "table.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def small_table(tmp_path):
    """A table of six utterances of six accents."""
    return write_table(tmp_path / "corpus", 6)


@pytest.fixture(scope="session")
def composed():
    """Composes a configuration of `generate` as the command does: composed("seed=1", …) -> plain mapping."""
    from roomtone.cli.arguments import Arguments
    from roomtone.cli.commands.generate import plain
    from roomtone.cli.compose import compose_config

    def compose(*overrides, config_dir=None, config_name=None, primary="generate"):
        return plain(compose_config(Arguments(tuple(overrides), config_dir, config_name), primary))

    return compose


@pytest.fixture(scope="session")
def voice():
    """One second of the demo corpus at 16 kHz, float32."""
    import roomtone.augment  # noqa: F401 - brings the bundled recordings
    from roomtone.core.audio.reading import read_audio
    from roomtone.core.audio.segment import AudioRef

    return read_audio(AudioRef("package:demo/american-m1-01.flac", 0.3, 1.0), 16000)


@pytest.fixture(scope="session")
def write_audio(voice):
    """Return a function that writes a recording in the format its name says and returns its path."""

    import soundfile

    def write(path, samples=None, rate_hz=16000, **options):
        path.parent.mkdir(parents=True, exist_ok=True)
        defaults = {"format": "OGG", "subtype": "OPUS"} if path.suffix == ".opus" else {}
        soundfile.write(path, voice if samples is None else samples, rate_hz, **(defaults | options))
        return path

    return write
