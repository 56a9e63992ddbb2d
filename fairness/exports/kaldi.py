"""Kaldi and ESPnet data folder: byte-sorted tables whose utterance ids begin with the speaker's, audio as 16-bit WAV.

Ids hold letters, digits and underscores, the hyphen parts speaker from sample: so sorting by utterance sorts by speaker too, as
Kaldi's validation asks. A sample without a speaker is a speaker of its own, which is Kaldi's custom, and `utt2accent`
and `utt2condition` carry the labels as they are.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from roomtone.core.words import one_line
from roomtone.fairness.exports.job import ExportJob, Names, write_lines

Entry = tuple[str, str, Mapping[str, Any]]


def write(job: ExportJob) -> list[Path]:
    """Write wav/, wav.scp, text, utt2spk, spk2utt, utt2dur, reco2dur, utt2lang, utt2accent, utt2condition, and genders if known."""
    samples, speakers = Names(), Names()
    entries: list[Entry] = []
    for row in job.records():
        sample = samples.of(str(row["sample_id"]))
        speaker = speakers.of(f"speaker {row['speaker']}") if row.get("speaker") is not None else f"unknown_{sample}"
        entries.append((f"{speaker}-{sample}", speaker, row))
    entries.sort(key=lambda entry: entry[0].encode())
    tables: dict[str, Callable[[str, Mapping[str, Any]], str]] = {
        "text": lambda _, row: one_line(row["text"]),
        "utt2dur": lambda _, row: f"{row['num_samples'] / row['sample_rate_hz']:.6f}",
        "reco2dur": lambda _, row: f"{row['num_samples'] / row['sample_rate_hz']:.6f}",
        "utt2lang": lambda _, row: one_line(row.get("language")) or "und",
        "utt2accent": lambda _, row: one_line(row.get("accent")) or "unknown",
        "utt2condition": lambda _, row: one_line(row["condition"]),
    }
    written = [_wav_scp(job, entries)]
    written += [
        write_lines(job.to / n, (f"{u} {cell(u, row)}".rstrip() for u, _, row in entries)) for n, cell in tables.items()
    ]
    written.append(write_lines(job.to / "utt2spk", (f"{utterance} {speaker}" for utterance, speaker, _ in entries)))
    by_speaker: dict[str, list[str]] = {}
    for utterance, speaker, _ in entries:
        by_speaker.setdefault(speaker, []).append(utterance)
    written.append(write_lines(job.to / "spk2utt", (f"{s} {' '.join(u)}" for s, u in by_speaker.items())))
    return written + _genders(job, entries)


def _wav_scp(job: ExportJob, entries: list[Entry]) -> Path:
    """Write the audio as WAV, which Kaldi's own programs read, and its list; a FLAC would need a pipe, and a pipe is a shell."""
    import soundfile

    (job.to / "wav").mkdir(exist_ok=True)
    lines = []
    for utterance, _, row in entries:
        samples, rate = soundfile.read(io.BytesIO(job.audio_bytes(row)), dtype="int16")
        path = (job.to / "wav" / f"{utterance}.wav").resolve()
        soundfile.write(path, samples, rate, subtype="PCM_16")
        lines.append(f"{utterance} {path}")
    return write_lines(job.to / "wav.scp", lines)


def _genders(job: ExportJob, entries: list[Entry]) -> list[Path]:
    """Write spk2gender and utt2gender (readers differ in which they look for) where every speaker has stated m or f."""
    genders = {speaker: _gender(row.get("attr_gender")) for _, speaker, row in entries}
    if None in genders.values():
        return []
    return [
        write_lines(job.to / "spk2gender", (f"{speaker} {gender}" for speaker, gender in genders.items())),
        write_lines(job.to / "utt2gender", (f"{utterance} {genders[speaker]}" for utterance, speaker, _ in entries)),
    ]


def _gender(stated: Any) -> str | None:
    first = str(stated or "").strip().casefold().replace("-", "_").split("_")[0]
    return {"m": "m", "male": "m", "f": "f", "female": "f"}.get(first)
