"""Measured room impulse responses from files: checked, brought to the set's rate, aligned to the direct sound, and measured.

The direct sound is found without trust in the file's own time zero: the onset is the first sample within 20 dB of the
largest one (ISO 3382-1, as recalled), and the direct sound is the largest sample within 1 ms after it. So neither a strong late
reflection nor the ripple of a band limit ahead of the peak is taken for it. Its sign is made positive: the polarity of a
measuring chain says nothing about the room. Where the decay meets its noise the response is faded out, so that no
measurement noise is convolved in. A response that cannot be measured is rejected, with its figure; the others of its folder are used.
"""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Any

import numpy as np

from roomtone.augment.rooms.acoustics import T30_RANGE_DB, RoomMeasures, measure_response, noise_knee
from roomtone.augment.rooms.op import RecordedRoom
from roomtone.augment.rooms.simulate import DIRECT_SAMPLE
from roomtone.core.audio.reading import read_channels
from roomtone.core.audio.recording_files import AUDIO_SUFFIXES
from roomtone.core.audio.resampling import resample
from roomtone.core.bounded.regular_files import open_regular
from roomtone.core.errors import RoomtoneError

_MAX_BYTES = 500_000_000
_ONSET_DB = -20.0
_DIRECT_WINDOW_S = 0.001
_FADE_S = 0.005
#: Seconds that may come before the direct sound.
_LEAD_S = 10.0


def draw_all(op: RecordedRoom, sample_rate_hz: int) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the responses of a folder that are usable and inside the asked T30 band.

    Args:
        op: names the folder, the channel and the band.
        sample_rate_hz: rate of the set in Hz.

    Returns:
        the parameters of each, and why others were rejected, one sentence a file with its figure.

    Raises:
        RoomtoneError: no such folder, no file, no usable file, or no usable file in the band.
    """
    files = response_files(op)
    hashes: dict[Path, str] = {}
    found: dict[Path, float] = {}
    rejected: list[str] = []
    for path in files:
        try:
            response = load_response(path, op.channel, sample_rate_hz, op.max_length_s)
            found[path] = checked_measures(response, sample_rate_hz, path).t30_s
            hashes[path] = file_sha256(path)
        except RoomtoneError as error:
            rejected.append(str(error))
    if not found:
        raise RoomtoneError(
            f"recorded_room: none of {len(files)} responses in {op.path!r} can be used; the first: {rejected[0]}"
        )
    low, high = op.t30_band_s or (0.0, float("inf"))
    kept = [path for path in found if low <= found[path] <= high]
    if not kept:
        raise RoomtoneError(
            f"recorded_room: none of {len(found)} responses in {op.path!r} has a T30 within {[low, high]} s; "
            f"they run from {min(found.values()):.2f} to {max(found.values()):.2f} s"
        )
    return [_parameters(op, path, kept, hashes) for path in kept], rejected


def response_files(op: RecordedRoom) -> list[Path]:
    """Return the files of a recorded room, sorted by path.

    Args:
        op: names a folder or one file.

    Raises:
        RoomtoneError: there is none.
    """
    root = Path(op.path).expanduser().absolute()
    if root.is_file():
        return [root]
    files = sorted(path for path in root.rglob("*") if path.suffix.lower() in AUDIO_SUFFIXES and path.is_file())
    if not files:
        raise RoomtoneError(f"recorded_room: no impulse responses ({', '.join(AUDIO_SUFFIXES)}) in {str(root)!r}")
    return files


def folder_content(op: RecordedRoom) -> list[object]:
    """Return what a recorded room is made from, path and hash of each file, for a content key.

    Args:
        op: names a folder or one file.

    Raises:
        RoomtoneError: there is no file.
    """
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

    Args:
        parameters: one of those that `draw_all` returns.
        sample_rate_hz: rate of the set in Hz.

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
    for row, padded in zip(rows, out):
        padded[: row.size] = row
    return out


def load_response(path: Path, channel: int, sample_rate_hz: int, max_length_s: float) -> np.ndarray:
    """Return one response, float64 [shape=(samples,)], its direct sound +1 at `DIRECT_SAMPLE`.

    Args:
        path: a recording of any format that is read.
        channel: which of its channels, from 0.
        sample_rate_hz: rate of the set in Hz.
        max_length_s: what comes later is cut, faded.

    Raises:
        RoomtoneError: not audio, no such channel, not finite, silent.
    """
    samples, rate_hz = _read(path, channel, max_length_s)
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
    """Return the index of the direct sound: the largest sample within 1 ms after the onset.

    Args:
        samples: an impulse response [shape=(samples,)], not silent.
        sample_rate_hz: its rate in Hz.
    """
    size = np.abs(samples)
    onset = int(np.flatnonzero(size >= size.max() * 10.0 ** (_ONSET_DB / 20.0))[0])
    return onset + int(np.argmax(size[onset : onset + max(round(_DIRECT_WINDOW_S * sample_rate_hz), 2)]))


def checked_measures(response: np.ndarray, sample_rate_hz: int, path: Path) -> RoomMeasures:
    """Return the figures of a loaded response.

    Args:
        response: as `load_response` returns it.
        sample_rate_hz: its rate in Hz.
        path: its file, for the message.

    Raises:
        RoomtoneError: it falls too little for T30, or ends too early for C50 or DRR.
    """
    found = measure_response(response, sample_rate_hz, DIRECT_SAMPLE)
    if found.decay_range_db < T30_RANGE_DB:
        fall_db = math.floor(10.0 * found.decay_range_db) / 10.0  # never rounded up to what is needed
        raise RoomtoneError(
            f"{path}: T30 cannot be measured: the response falls by {fall_db:.1f} dB before it ends or meets its noise, "
            f"{T30_RANGE_DB:g} dB are needed (ISO 3382-2)"
        )
    if not np.isfinite([found.t30_s, found.c50_db, found.drr_db]).all():
        end_ms = 1000.0 * (response.size - DIRECT_SAMPLE) / sample_rate_hz
        raise RoomtoneError(
            f"{path}: T30, C50 or DRR cannot be measured: the response ends or meets its noise {end_ms:.0f} ms after the direct sound"
        )
    return found


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a regular file."""
    if not path.is_file():
        raise RoomtoneError(f"{path}: no such impulse response")
    if path.stat().st_size > _MAX_BYTES:
        raise RoomtoneError(f"{path}: {path.stat().st_size} bytes are no impulse response (at most {_MAX_BYTES})")
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(path: Path, channel: int, max_length_s: float) -> tuple[np.ndarray, int]:
    """Return one channel, float64, no longer than is needed to find the direct sound and what follows it, and its rate in Hz."""
    samples, rate_hz = read_channels(path, max_length_s + _LEAD_S)
    if channel >= samples.shape[1]:
        raise RoomtoneError(f"{path}: channel {channel} asked, it has {samples.shape[1]} (counted from 0)")
    return samples[:, channel].astype(np.float64), rate_hz


def _faded(samples: np.ndarray, length: int) -> np.ndarray:
    """Return a copy with a half-cosine fade over its last `length` samples."""
    out = samples.copy()
    length = min(length, out.size - DIRECT_SAMPLE - 1)
    if length > 0:
        out[-length:] *= 0.5 + 0.5 * np.cos(np.pi * (np.arange(length) + 1) / (length + 1))
    return out
