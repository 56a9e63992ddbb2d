"""Kaldi data directories: `wav.scp`, `utt2spk`, `text`, `utt2dur` or `reco2dur`, `segments`, `utt2uniq`, `spk2accent`.

Copies that Kaldi's scripts made are told by what made them: `wav.scp` of an augmented directory holds the command, with the noise
files, the SNRs and the room's response. Where it holds plain files, the id says it (`UTT-noise`, `rvb1_UTT`), and `utt2uniq` says of
which utterance it is a copy. https://kaldi-asr.org/doc/data_prep.html
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from roomtone.core.errors import RoomtoneError
from roomtone.core.vocabulary import ASSET_SEPARATOR
from roomtone.coverage.sources.options import read_pairs
from roomtone.coverage.sources.rows import Row, condition_of, marks_of, noise_label, relative, room_label, total_snr_db

_WORD = re.compile(r"[^\s'\"|,]+")
_ENDING = re.compile(r"(?<!^)\.(?:wav|flac|sph|ogg|mp3|opus)\b", re.IGNORECASE)


def read_kaldi(folder: Path) -> list[Row]:
    """Return one row an utterance of a data directory.

    Args:
        folder: the directory.

    Raises:
        RoomtoneError: it lacks both `wav.scp` and `utt2spk`, or a file of it cannot be read.
    """
    tables = {name: _table(folder, name) for name in ("wav.scp", "utt2spk", "text", "utt2dur", "reco2dur", "utt2uniq")}
    tables |= {
        name: _table(folder, name) for name in ("utt2lang", "utt2accent", "spk2accent", "spk2gender", "utt2gender")
    }
    segments = {utterance: line.split() for utterance, line in _table(folder, "segments").items()}
    ids = list(segments or tables["wav.scp"] or tables["utt2spk"])
    if not ids:
        raise RoomtoneError(f"{folder}: neither wav.scp nor utt2spk names an utterance")
    return [_row(folder, tables, segments, utterance) for utterance in ids]


def _table(folder: Path, name: str) -> dict[str, str]:
    path = folder / name
    return read_pairs(path, name) if path.is_file() else {}


def _row(folder: Path, tables: dict[str, dict[str, str]], segments: dict[str, list[str]], utterance: str) -> Row:
    recording = segments[utterance][0] if utterance in segments else utterance
    source = tables["wav.scp"].get(recording, "")
    original = tables["utt2uniq"].get(utterance)
    speaker = _speaker(tables["utt2spk"], utterance, original)
    labels, noise = _augmentation(source, utterance, original)
    row: Row = {
        "sample_id": utterance,
        "speaker": speaker,
        "text": tables["text"].get(utterance),
        "accent": tables["utt2accent"].get(utterance) or tables["spk2accent"].get(speaker or ""),
        "language": tables["utt2lang"].get(utterance),
        "attr_gender": tables["utt2gender"].get(utterance) or tables["spk2gender"].get(speaker or ""),
        "duration_s": _duration_s(tables, segments, utterance, recording),
        "audio_path": _audio_path(source, folder),
        "condition": condition_of(labels),
        "room": labels.get("room", "none"),
        "noise": labels.get("noise", "none"),
        **noise,
    }
    if original is not None:
        # the speed of a copy is another recording of the same words; its original is still the utterance
        row["utterance_id"] = original
    elif not labels:
        row["utterance_id"] = utterance
    return row


def _speaker(speakers: dict[str, str], utterance: str, original: str | None) -> str | None:
    """Return who speaks; the scripts that copy a directory give a copy's speaker the copy's prefix or suffix."""
    stated = speakers.get(utterance)
    if stated is None or original is None or original not in utterance:
        return stated
    if original in speakers:
        return speakers[original]
    prefix, _, suffix = utterance.partition(original)
    return stated.removeprefix(prefix).removesuffix(suffix)


def _duration_s(
    tables: dict[str, dict[str, str]], segments: dict[str, list[str]], utterance: str, recording: str
) -> float | None:
    if utterance in tables["utt2dur"]:
        return _number(tables["utt2dur"][utterance])
    if utterance in segments and len(segments[utterance]) >= 3:
        begin, end = _number(segments[utterance][1]), _number(segments[utterance][2])
        return None if begin is None or end is None else end - begin
    return _number(tables["reco2dur"].get(recording))


def _total_snr_db(values: list[str]) -> float | None:
    try:
        return total_snr_db(float(value) for value in values if value)
    except (ValueError, OverflowError):  # no numbers, or none of decibels
        return None


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _audio_path(source: str, folder: Path) -> str | None:
    if not source or source.endswith("|"):
        return None  # a command: no file that could be opened
    return relative(source, folder)


def _audio_files(command: str) -> list[str]:
    """Return the words of a command up to their last ending of an audio file; a word is searched once."""
    ends = ((word, [found.end() for found in _ENDING.finditer(word)]) for word in _WORD.findall(command))
    return [word[: at[-1]] for word, at in ends if at]


def _augmentation(source: str, utterance: str, original: str | None) -> tuple[dict[str, str], Row]:
    """Return the labels of a copy, and its SNR and assets, from the command that makes it or from its id."""
    labels: dict[str, str] = {}
    row: Row = {}
    response = re.search(r"--impulse-response=(\"[^\"]*\"|'[^']*'|\S+)", source)
    if response and (files := _audio_files(response.group(1))):
        labels["room"] = room_label(files[0])
        row["room_asset"] = PurePosixPath(files[0]).stem
    signals = re.match(r"'([^']*)'|(.*?)(?= --(?:start-times|snrs)=)", source.partition("--additive-signals=")[2])
    if signals and (files := _audio_files(signals.group(1) or signals.group(2) or "")):
        labels["noise"] = noise_label(files)
        row["noise_asset"] = ASSET_SEPARATOR.join(sorted({PurePosixPath(file).stem for file in files}))
        snrs = re.search(r"--snrs=['\"]?([-\d.,]+)", source)
        if snrs:
            row["snr_db"] = _total_snr_db(snrs.group(1).split(","))
    if original is not None and utterance != original:
        for factor, label in marks_of(utterance, original).items():
            labels.setdefault(factor, label)
    return labels, row
