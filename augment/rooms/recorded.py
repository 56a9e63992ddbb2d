"""Measured room impulse responses from files: checked, brought to the set's rate, aligned to the direct sound, and measured.

The direct sound is found without trust in the file's own time zero: the onset is the first sample within 20 dB of the
largest one (ISO 3382-1, as recalled), and the direct sound is the largest sample within 1 ms after it. So neither a strong late
reflection nor the ripple of a band limit ahead of the peak is taken for it. Its sign is made positive: the polarity of a
measuring chain says nothing about the room. Where the decay meets its noise the response is faded out, so that no
measurement noise is convolved in.
"""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np

from roomtone.augment.rooms.acoustics import RoomMeasures, measure_response, noise_knee
from roomtone.augment.rooms.op import RecordedRoom
from roomtone.augment.rooms.simulate import DIRECT_SAMPLE
from roomtone.core.audio.rates import is_recorded_rate, recorded_bounds
from roomtone.core.audio.resampling import resample
from roomtone.core.errors import RoomtoneError

SUFFIXES = frozenset({".wav", ".flac", ".aif", ".aiff", ".ogg", ".caf"})
#: First bytes of those formats; nothing else reaches libsndfile.
_MAGIC = (b"RIFF", b"RF64", b"fLaC", b"FORM", b"OggS", b"caff")
_MAX_BYTES = 500_000_000
_ONSET_DB = -20.0
_DIRECT_WINDOW_S = 0.001
_FADE_S = 0.005
#: Less decay than this, and no T20 can be told (ISO 3382-2, recalled).
LEAST_RANGE_DB = 45.0


def draw_all(op: RecordedRoom, sample_rate_hz: int) -> list[dict[str, Any]]:
    """Return the parameters of every response of a folder that is usable and inside the asked T30 band.

    Raises:
        RoomtoneError: no such folder, no file, no file in the band, or a file that is no usable response.
    """
    files = response_files(op)
    hashes = {path: file_sha256(path) for path in files}
    found: dict[Path, float] = {}
    for path in files:
        response = load_response(path, op.channel, sample_rate_hz, op.max_length_s)
        found[path] = checked_measures(response, sample_rate_hz, path).t30_s
    low, high = op.t30_band_s or (0.0, float("inf"))
    kept = [path for path in files if low <= found[path] <= high]
    if not kept:
        raise RoomtoneError(
            f"recorded_room: none of {len(files)} responses in {op.path!r} has a T30 within {[low, high]} s; "
            f"they run from {min(found.values()):.2f} to {max(found.values()):.2f} s"
        )
    return [_parameters(op, path, kept, hashes) for path in kept]


def response_files(op: RecordedRoom) -> list[Path]:
    """Return the files of a recorded room, sorted by path.

    Raises:
        RoomtoneError: there is none.
    """
    root = Path(op.path).expanduser().absolute()
    if root.is_file():
        return [root]
    files = sorted(path for path in root.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if not files:
        raise RoomtoneError(f"recorded_room: no impulse responses ({', '.join(sorted(SUFFIXES))}) in {str(root)!r}")
    return files


def folder_content(op: RecordedRoom) -> list[object]:
    """Return what a recorded room is made from, path and hash of each file, for a content key."""
    return [[str(path), file_sha256(path)] for path in response_files(op)]


def _parameters(op: RecordedRoom, path: Path, kept: list[Path], hashes: dict[Path, str]) -> dict[str, Any]:
    """Return one realisation: the talker's file, and the next two of its folder for noise and equipment."""
    beside = [other for other in kept if other.parent == path.parent] if op.other_positions else [path]
    at = beside.index(path)
    chosen = [beside[(at + step) % len(beside)] for step in range(3)]
    return {
        "kind": op.op,
        "files": [{"path": str(file), "sha256": hashes[file]} for file in chosen],
        "channel": op.channel,
        "max_length_s": op.max_length_s,
    }


def responses(parameters: dict[str, Any], sample_rate_hz: int) -> np.ndarray:
    """Return the responses of talker, noise and equipment, float32 [shape=(3, samples)].

    Raises:
        RoomtoneError: a file is gone or is not the one that the parameters were made from.
    """
    rows: list[np.ndarray] = []
    for file in parameters["files"]:
        if file_sha256(Path(file["path"])) != file["sha256"]:
            raise RoomtoneError(f"{file['path']}: this impulse response has changed since the set was made")
        rows.append(
            load_response(Path(file["path"]), parameters["channel"], sample_rate_hz, parameters["max_length_s"])
        )
    out = np.zeros((3, max(row.size for row in rows)), dtype=np.float32)
    for row, place in zip(rows, out):
        place[: row.size] = row
    return out


def load_response(path: Path, channel: int, sample_rate_hz: int, max_length_s: float) -> np.ndarray:
    """Return one response at `sample_rate_hz`, float64 [shape=(samples,)], its direct sound +1 at `DIRECT_SAMPLE`.

    Raises:
        RoomtoneError: not audio, no such channel, not finite, silent.
    """
    samples, rate_hz = _read(path, channel, max_length_s)
    if not np.isfinite(samples).all():
        raise RoomtoneError(f"{path}: the impulse response holds values that are not finite")
    if not samples.any():
        raise RoomtoneError(f"{path}: the impulse response is silent")
    if rate_hz != sample_rate_hz:
        samples = resample(samples, rate_hz, sample_rate_hz)
    direct = find_direct(samples, sample_rate_hz)
    aligned = np.concatenate([np.zeros(max(DIRECT_SAMPLE - direct, 0)), samples[max(direct - DIRECT_SAMPLE, 0) :]])
    aligned = aligned[: DIRECT_SAMPLE + round(max_length_s * sample_rate_hz)]
    end = min(noise_knee(aligned, sample_rate_hz, DIRECT_SAMPLE), aligned.size)
    return _faded(aligned[:end], round(_FADE_S * sample_rate_hz)) / aligned[DIRECT_SAMPLE]


def find_direct(samples: np.ndarray, sample_rate_hz: int) -> int:
    """Return the index of the direct sound: the largest sample within 1 ms after the onset."""
    size = np.abs(samples)
    onset = int(np.flatnonzero(size >= size.max() * 10.0 ** (_ONSET_DB / 20.0))[0])
    return onset + int(np.argmax(size[onset : onset + max(round(_DIRECT_WINDOW_S * sample_rate_hz), 2)]))


def checked_measures(response: np.ndarray, sample_rate_hz: int, path: Path) -> RoomMeasures:
    """Return the figures of a loaded response.

    Raises:
        RoomtoneError: it falls too little for T30.
    """
    found = measure_response(response, sample_rate_hz, DIRECT_SAMPLE)
    if not np.isfinite(found.t30_s):
        raise RoomtoneError(
            f"{path}: no T30 can be told: the response falls by {found.decay_range_db:.0f} dB before it ends or meets its noise, "
            f"{LEAST_RANGE_DB:.0f} dB are needed (ISO 3382-2)"
        )
    return found


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a regular file."""
    if not path.is_file():
        raise RoomtoneError(f"{path}: no such impulse response")
    if path.stat().st_size > _MAX_BYTES:
        raise RoomtoneError(f"{path}: {path.stat().st_size} bytes are no impulse response (at most {_MAX_BYTES})")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(path: Path, channel: int, max_length_s: float) -> tuple[np.ndarray, int]:
    """Return one channel, float64, no longer than is needed to find the direct sound and what follows it."""
    import soundfile

    content = path.read_bytes()
    if not content.startswith(_MAGIC):
        raise RoomtoneError(f"{path}: not a WAV, FLAC, AIFF, Ogg or CAF file (its first bytes say so)")
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            if not is_recorded_rate(file.samplerate):
                raise RoomtoneError(f"{path}: sample rate {file.samplerate} Hz; {recorded_bounds()} are read")
            if channel >= file.channels:
                raise RoomtoneError(f"{path}: channel {channel} asked, it has {file.channels} (counted from 0)")
            frames = round((max_length_s + 10.0) * file.samplerate)
            return file.read(frames, dtype="float64", always_2d=True)[:, channel], file.samplerate
    except (soundfile.LibsndfileError, ValueError) as error:
        raise RoomtoneError(f"{path}: not readable as audio: {error}") from error


def _faded(samples: np.ndarray, length: int) -> np.ndarray:
    """Return a copy with a half-cosine fade over its last `length` samples."""
    out = samples.copy()
    length = min(length, out.size - DIRECT_SAMPLE - 1)
    if length > 0:
        out[-length:] *= 0.5 + 0.5 * np.cos(np.pi * (np.arange(length) + 1) / (length + 1))
    return out
