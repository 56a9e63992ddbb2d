"""Makes small corpora in the layouts of the real ones: their names of files and columns, and every trap of theirs.

    python tests/augment/corpora/make_corpora.py OUT_DIR

The speech is the demo corpus's, since none of the real corpora may be passed on here. Each function writes one corpus and returns the
keys with which it is read.
"""

from __future__ import annotations

import csv
import gzip
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

RATE_HZ = 16000


class Voices:
    """Hands out a different stretch of speech with each call."""

    def __init__(self) -> None:
        from roomtone.augment.corpora import open_corpus

        self._clips: Iterator[str] = iter([u.audio.path for u in open_corpus({"reader": "demo"})] * 3)

    def samples(self) -> np.ndarray:
        """Return 1.6 s of speech, float32 at 16 kHz."""
        from roomtone.core.audio.reading import read_audio
        from roomtone.core.audio.segment import AudioRef

        return read_audio(AudioRef(next(self._clips), 0.15, 1.6), RATE_HZ)

    def write(self, path: Path, rate_hz: int = RATE_HZ, seconds: float = 1.6) -> Path:
        """Write a recording in the format that its name says."""
        path.parent.mkdir(parents=True, exist_ok=True)
        clips = [self.samples() for _ in range(-(-int(10 * seconds) // 16))]
        samples = np.concatenate(clips)[: int(seconds * RATE_HZ)]
        if rate_hz != RATE_HZ:
            from roomtone.core.audio.resampling import resample

            samples = resample(samples, RATE_HZ, rate_hz)
        soundfile.write(path, samples, rate_hz)
        return path


def _lines(path: Path, lines: Sequence[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _table(path: Path, rows: Sequence[dict[str, Any]], delimiter: str = ",") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0], delimiter=delimiter, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


_CV_NEW = (
    "client_id path sentence_id sentence sentence_domain up_votes down_votes age gender accents variant locale segment"
)
_CV_OLD = "client_id path sentence up_votes down_votes age gender accent"


def common_voice(home: Path, voices: Voices, *, old: bool = False) -> dict[str, Any]:
    """A release from 17 on, or an early one: unbalanced quotes, commas in parentheses, free text, no accent, no clip."""
    accents = [
        "India and South Asia (India, Pakistan, Sri Lanka)",
        "German English,Non native speaker",
        "Liverpool English,Lancashire English,England English",
        "",
        "a bit of everything, really",
        "United States English",
    ]
    if old:
        accents = ["indian", "us", "southatlandtic", "", "other", "england"]
    rows = []
    for i, accent in enumerate(accents):
        name = f"common_voice_en_{1000 + i}.mp3"
        voices.write(home / "en" / "clips" / name, 48000)
        row = {
            "client_id": f"{i % 4:064x}",
            "path": name,
            "sentence_id": f"s{i}",
            "sentence": '"Ah, he said, and left.' if i == 1 else f"Sentence number {i}.",
            "sentence_domain": "",
            "up_votes": "2",
            "down_votes": "0",
            "age": "fourties" if i == 0 else "",
            "gender": "female_feminine" if i == 0 else "",
            "accents": accent,
            "accent": accent,
            "variant": "",
            "locale": "en",
            "segment": "",
        }
        rows.append({key: row[key] for key in (_CV_OLD if old else _CV_NEW).split()})
    lost = {**rows[-1], "path": "common_voice_en_9999.mp3"}
    for split, part in (("test", rows), ("validated", [*rows, lost])):
        header = "\t".join(rows[0])
        _lines(home / "en" / f"{split}.tsv", [header, *("\t".join(row.values()) for row in part)])
    _lines(home / "en" / "clip_durations.tsv", ["clip\tduration[ms]", "common_voice_en_1000.mp3\t1600"])
    _lines(home / "en" / "reported.tsv", ["sentence_id\tsentence\tlocale\treason"])
    return {"reader": "common_voice", "path": str(home / "en"), "accents": "common_voice"}


#: The speakers of the VCTK 0.80 speaker-info.txt: id, age, gender, accent, region. Regions of the ordinary ones are left out here.
VCTK_ACCENTS = {
    "English": 33,
    "American": 22,
    "Scottish": 19,
    "Irish": 9,
    "Canadian": 8,
    "NorthernIrish": 6,
    "SouthAfrican": 4,
    "Indian": 3,
    "Australian": 2,
    "Welsh": 1,
    "NewZealand": 1,
    "Unknown": 1,
}
_VCTK_TRAPS = {
    "248": ("Indian", ""),
    "251": ("Indian", ""),
    "376": ("Indian", ""),
    "329": ("American", ""),
    "330": ("American", ""),
    "362": ("American", ""),
    "315": ("American", "New  England"),
    "326": ("Australian", "English  Sydney"),
    "374": ("Australian", "English"),
    "335": ("NewZealand", "English"),
    "280": ("Unknown", "France"),
    "225": ("English", "Southern  England"),
}


def vctk_speaker_info(path: Path, prefix: str = "") -> None:
    """A speaker-info.txt of 109 speakers with the counts and the ill-formed lines of the real one."""
    left = dict(VCTK_ACCENTS)
    rows = []
    for name, (accent, region) in _VCTK_TRAPS.items():
        left[accent] -= 1
        rows.append((name, accent, region))
    free = (str(i) for i in range(226, 400) if str(i) not in _VCTK_TRAPS)
    rows += [(next(free), accent, "Some  Region") for accent, count in left.items() for _ in range(count)]
    lines = [
        f"{prefix}{name}  {20 + int(name) % 9}  {'MF'[int(name) % 2]}    {accent}    {region}"
        for name, accent, region in rows
    ]
    _lines(path, ["ID  AGE  GENDER  ACCENTS  REGION", *sorted(lines)])


def vctk_new(home: Path, voices: Voices) -> dict[str, Any]:
    """The 0.92 layout: two microphones, p315 without text, p280 without the second microphone, p362 with a lost recording."""
    vctk_speaker_info(home / "speaker-info.txt", prefix="p")
    info = home / "speaker-info.txt"
    info.write_text(info.read_text().replace("France", "France (mic2 files unavailable)"), encoding="utf-8")
    for speaker in ("p225", "p280", "p315", "p326", "p362"):
        for i in (1, 2):
            name = f"{speaker}_{i:03d}"
            for mic in ("mic1", "mic2"):
                if (speaker, mic) != ("p280", "mic2") and name != "p362_002":
                    voices.write(home / "wav48_silence_trimmed" / speaker / f"{name}_{mic}.flac", 48000)
            if speaker != "p315":
                _lines(home / "txt" / speaker / f"{name}.txt", [f"Please call Stella {i}."])
    return {"reader": "vctk", "path": str(home), "accents": "vctk", "language": "en"}


def vctk_old(home: Path, voices: Voices) -> dict[str, Any]:
    """The 0.80 layout: `wav48`, ids without the p."""
    vctk_speaker_info(home / "speaker-info.txt")
    for speaker in ("p225", "p335"):
        voices.write(home / "wav48" / speaker / f"{speaker}_001.wav", 48000)
        _lines(home / "txt" / speaker / f"{speaker}_001.txt", ["Please call Stella."])
    return {"reader": "vctk", "path": str(home), "accents": "vctk", "language": "en"}


def l2_arctic(home: Path, voices: Voices) -> dict[str, Any]:
    """Speakers of three first languages, the same prompts for all, one of them not read by all; annotations beside them."""
    for speaker in ("ABA", "SKA", "BWC", "YKWK"):
        for i in (1, 2):
            name = f"arctic_a{i:04d}"
            if (speaker, i) != ("SKA", 2):
                voices.write(home / speaker / "wav" / f"{name}.wav", 44100)
                _lines(home / speaker / "transcript" / f"{name}.txt", [f"Author of the danger trail {i}"])
        _lines(home / speaker / "annotation" / "arctic_a0001.TextGrid", ["File type"])
    voices.write(home / "suitcase_corpus" / "wav" / "aba.wav", 44100)
    _lines(home / "README.md", ["# L2-ARCTIC"])
    return {"reader": "l2_arctic", "path": str(home), "accents": "l2_arctic", "language": "en"}


def saa(home: Path, voices: Voices) -> dict[str, Any]:
    """Unnamed columns at the end, a literal `file_missing?`, a misspelt sex, a language that no map knows."""
    people = [("english1", "english", "female"), ("mandarin3", "mandarin", "famale"), ("klingon1", "klingon", "male")]
    people += [("sinhalese2", "sinhalese", "male")]
    rows = []
    for i, (name, language, sex) in enumerate(people):
        missing = name == "sinhalese2"
        if not missing:
            voices.write(home / "recordings" / "recordings" / f"{name}.mp3", 44100)
        rows.append(
            ["24.0", "12.0", "somewhere", name, language, sex, str(i + 1), "usa", str(missing).upper(), "", "", ""]
        )
    header = "age,age_onset,birthplace,filename,native_language,sex,speakerid,country,file_missing?,,,"
    _lines(home / "speakers_all.csv", [header, *(",".join(row) for row in rows)])
    _lines(home / "reading-passage.txt", ["Please call Stella.", "Ask her to bring these things."])
    return {"reader": "saa", "path": str(home), "accents": "saa", "language": "en"}


def edacc(home: Path, voices: Voices) -> dict[str, Any]:
    """Conversations cut by segments, questions as headers with a curly quote and a space at the end, stretches not to be scored."""
    root = home / "edacc_v1.0"
    accent = "How would you describe your accent in English? (e.g. Italian, Glaswegian)"
    ethnicity = "What\u2019s your ethnic background? "
    people = [
        ("EDACC-C06-A", "Southern British English", "White"),
        ("EDACC-C06-B", "Glaswegian", ""),
        ("EDACC-C07-A", "a mix", ""),
    ]
    _table(root / "linguistic_background.csv", [{"PARTICIPANT_ID": p, accent: a, ethnicity: e} for p, a, e in people])
    voices.write(root / "data" / "EDACC-C06.wav", 32000, seconds=8.0)
    voices.write(root / "data" / "EDACC-C07.wav", 32000, seconds=4.0)
    lines = [
        ("EDACC-C06-000000000", "EDACC-C06", "EDACC-C06-A", 0.0, 1.6, "C ELEVEN DASH P ONE"),
        ("EDACC-C06-000000001", "EDACC-C06", "EDACC-C06-B", 1.6, 3.2, "<LAUGH> YEAH I THINK SO"),
        ("EDACC-C06-000000002", "EDACC-C06", "EDACC-C06-A", 3.2, 4.8, "IGNORE_TIME_SEGMENT_IN_SCORING"),
        ("EDACC-C06-000000003", "EDACC-C06", "EDACC-C06-B", 4.8, 6.4, "<LAUGH>"),
        ("EDACC-C07-000000000", "EDACC-C07", "EDACC-C07-A", 1.6, 3.2, "RIGHT SO THAT IS IT"),
    ]
    for part in ("dev", "test"):
        _lines(root / part / "segments", [f"{u} {r} {b:.2f} {e:.2f}" for u, r, _, b, e, _ in lines])
        _lines(root / part / "text", [f"{u} {t}" for u, *_, t in lines])
        _lines(root / part / "utt2spk", [f"{u} {s}" for u, _, s, *_ in lines])
        _lines(root / part / "stm", [f"{r} 1 {s} {b:.2f} {e:.2f} <male,l1> {t}" for _, r, s, b, e, t in lines])
        _lines(root / part / "conv.list", ["EDACC-C06", "EDACC-C07"])
    return {"reader": "edacc", "path": str(root), "accents": "edacc", "language": "en", "split": "test"}


def afrispeech(home: Path, voices: Voices) -> dict[str, Any]:
    """Paths that begin with a slash, compound accents, one that no map knows."""
    rows = []
    for i, accent in enumerate(["yoruba", "luo, swahili", "akan (fante)", "igbo and yoruba", "martian"]):
        name = f"/AfriSpeech-100/test/{i}/{i}.wav"
        voices.write(home / name.lstrip("/"), 44100)
        rows.append(
            {
                "audio_ids": f"{i}",
                "audio_paths": name,
                "transcript": f"Patient number {i}, stable",
                "user_ids": f"u{i}",
                "age_group": "26-40",
                "gender": "Female",
                "accent": accent,
                "domain": "clinical",
                "country": "NG",
                "duration": "1.6",
            }
        )
    _table(home / "transcripts" / "test.csv", rows)
    return {"reader": "afrispeech", "path": str(home), "accents": "afrispeech", "language": "en", "split": "test"}


def coraal(home: Path, voices: Voices) -> dict[str, Any]:
    """Two files of one speaker (two rows of metadata), the interviewer's lines, pauses, redactions, overlaps."""
    rows = []
    for part in (1, 2):
        name = f"ATL_se0_ag1_f_01_{part}"
        voices.write(home / "ATL" / "audio" / f"{name}.wav", 44100, seconds=8.0)
        rows.append(
            {
                "CORAAL.Spkr": "ATL_se0_ag1_f_01",
                "CORAAL.File": name,
                "CORAAL.Sub": "ATL",
                "Primary.Spkr": "yes",
                "Gender": "Female",
                "Age": "23",
                "Age.Group": "19-to-29",
                "Year.of.Birth": "1995",
                "Education": "B.A.",
                "CORAAL.SEC.Group": "se0",
                "CORAAL.Word.Count": "900",
            }
        )
        lines = [
            ("1", "ATL_int_01", "0.0", "So where were you born?", "1.6"),
            ("2", "ATL_se0_ag1_f_01", "1.6", "I was [born] in (pause 0.42) Atlanta, /RD-NAME-2/.", "3.2"),
            ("3", "ATL_se0_ag1_f_01", "3.2", "(pause 1.20)", "4.8"),
            ("4", "ATL_se0_ag1_f_01", "4.8", '<laugh> Yeah it was "fine.', "6.4"),
        ]
        _lines(
            home / "ATL" / "text" / f"{name}.txt",
            ["Line\tSpkr\tStTime\tContent\tEnTime", *("\t".join(row) for row in lines)],
        )
    _table(home / "ATL" / "ATL_metadata_2020.05.txt", rows, delimiter="\t")
    return {"reader": "coraal", "path": str(home), "accents": "coraal", "language": "en"}


def fair_speech(home: Path, voices: Voices) -> dict[str, Any]:
    """No speaker column; two rows of the same words."""
    rows = []
    for i, language in enumerate(["English", "Spanish", "English"]):
        voices.write(home / "audio" / f"hash{i}.wav")
        rows.append(
            {
                "hash_name": f"hash{i}",
                "transcription": "hey call my mother" if i else "play some music",
                "age": "18 - 22",
                "gender": "female",
                "first_language": language,
                "socioeconomic_bkgd": "Low",
                "ethnicity": "White",
            }
        )
    _table(home / "metadata.tsv", rows, delimiter="\t")
    return {"reader": "fair_speech", "path": str(home), "accents": "fair_speech", "language": "en"}


def _embedded(path: Path, voices: Voices, rows: list[dict[str, Any]]) -> None:
    import pandas as pd

    path.parent.mkdir(parents=True, exist_ok=True)
    for i, row in enumerate(rows):
        wav = voices.write(path.parent / f"{i}.wav")
        row["audio"] = {"bytes": wav.read_bytes(), "path": f"clip_{i}.wav"}
        wav.unlink()
    pd.DataFrame(rows).to_parquet(path)


def globe(home: Path, voices: Voices) -> dict[str, Any]:
    """Recordings inside the Parquet, Common Voice's accents joined by commas."""
    accents = [
        "United States English",
        "German English,Non native speaker",
        "India and South Asia (India, Pakistan, Sri Lanka)",
    ]
    rows: list[dict[str, Any]] = [
        {
            "speaker_id": f"S_{i:06d}",
            "transcript": f"Words {i}.",
            "accent": a,
            "duration": 1.6,
            "age": "teens",
            "gender": "male",
        }
        for i, a in enumerate(accents)
    ]
    _embedded(home / "data" / "test-00000-of-00001.parquet", voices, rows)
    return {
        "reader": "globe",
        "path": str(home),
        "accents": "common_voice",
        "language": "en",
        "split": "test",
        "cache": str(home.parent / "cache"),
    }


def hf_parquet(home: Path, voices: Voices) -> dict[str, Any]:
    """Any Hugging Face dataset with the usual names, folders as splits."""
    rows: list[dict[str, Any]] = [
        {"text": f"Words {i}.", "speaker": f"s{i}", "accent": "welsh", "l1": "cy"} for i in range(2)
    ]
    _embedded(home / "validation" / "0000.parquet", voices, rows)
    return {"reader": "hf_parquet", "path": str(home), "split": "validation", "cache": str(home.parent / "cache")}


def librispeech(home: Path, voices: Voices) -> dict[str, Any]:
    """One transcript file a chapter; sexes in SPEAKERS.TXT; no accents."""
    root = home / "LibriSpeech"
    lines = []
    for i in range(2):
        voices.write(root / "dev-clean" / "84" / "121123" / f"84-121123-{i:04d}.flac")
        lines.append(f"84-121123-{i:04d} GO DO YOU HEAR")
    _lines(root / "dev-clean" / "84" / "121123" / "84-121123.trans.txt", lines)
    _lines(
        root / "SPEAKERS.TXT",
        [";ID  |SEX| SUBSET           |MINUTES| NAME", "84   | F | dev-clean        |  8.02 | Christie Nowak"],
    )
    return {"reader": "librispeech", "path": str(root), "language": "en", "split": "dev-clean"}


def kaldi(home: Path, voices: Voices) -> dict[str, Any]:
    """Segments of two recordings, and one that is a command."""
    voices.write(home / "wav" / "rec1.wav", seconds=4.0)
    voices.write(home / "wav" / "rec2.wav", seconds=2.0)
    _lines(home / "wav.scp", ["rec1 wav/rec1.wav", "rec2 wav/rec2.wav", "rec3 sox wav/rec1.wav -t wav - |"])
    _lines(
        home / "segments", ["s1-a rec1 0.00 1.60", "s1-b rec1 1.60 3.20", "s2-a rec2 0.00 -1", "s3-a rec3 0.00 1.00"]
    )
    _lines(home / "text", ["s1-a hello there", "s1-b general words", "s2-a more words", "s3-a lost words"])
    _lines(home / "utt2spk", ["s1-a s1", "s1-b s1", "s2-a s2", "s3-a s3"])
    _lines(home / "spk2utt", ["s1 s1-a s1-b", "s2 s2-a", "s3 s3-a"])
    _lines(home / "spk2gender", ["s1 f", "s2 m", "s3 m"])
    _lines(home / "spk2accent", ["s1 welsh", "s2 irish", "s3 irish"])
    return {"reader": "kaldi", "path": str(home)}


def nemo(home: Path, voices: Voices) -> dict[str, Any]:
    """Offsets, a rounded duration of a whole file, an extra key."""
    voices.write(home / "wavs" / "a.wav", seconds=4.0)
    voices.write(home / "wavs" / "b.wav")
    rows = [
        {
            "audio_filepath": "wavs/a.wav",
            "offset": 0.0,
            "duration": 1.6,
            "text": "one two",
            "speaker": "s1",
            "accent": "welsh",
        },
        {
            "audio_filepath": "wavs/a.wav",
            "offset": 1.6,
            "duration": 1.6,
            "text": "three",
            "speaker": "s1",
            "accent": "welsh",
        },
        {
            "audio_filepath": "wavs/b.wav",
            "duration": 1.7,
            "text": "four",
            "speaker": "s2",
            "accent": "irish",
            "mood": "calm",
        },
    ]
    _lines(home / "manifest.json", [json.dumps(row) for row in rows])
    return {"reader": "nemo", "path": str(home / "manifest.json")}


def lhotse(home: Path, voices: Voices) -> dict[str, Any]:
    """Cuts with supervisions inside them, one of a command, one of two channels, one mixed."""
    voices.write(home / "wavs" / "r1.wav", seconds=4.0)

    def cut(name: str, kind: str = "file", channels: Sequence[int] = (0,), cut_type: str = "MonoCut") -> dict[str, Any]:
        source = "wavs/r1.wav" if kind == "file" else "cat wavs/r1.wav"
        return {
            "id": name,
            "start": 0.5,
            "duration": 3.0,
            "channel": 0,
            "supervisions": [
                {
                    "id": f"{name}-sup",
                    "recording_id": "r1",
                    "start": 0.1,
                    "duration": 1.6,
                    "channel": 0,
                    "text": "some words",
                    "language": "en",
                    "speaker": "s1",
                    "gender": "f",
                    "custom": {"accent": "welsh", "condition": "clean"},
                }
            ],
            "recording": {
                "id": "r1",
                "sources": [{"type": kind, "channels": list(channels), "source": source}],
                "sampling_rate": 16000,
                "num_samples": 64000,
                "duration": 4.0,
                "channel_ids": list(channels),
            },
            "type": cut_type,
        }

    cuts = [
        cut("c1"),
        cut("c2", kind="command"),
        cut("c3", channels=(0, 1)),
        cut("c4", cut_type="MixedCut"),
        cut("c5", kind="url"),
    ]
    with gzip.open(home / "cuts.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in cuts)
    return {"reader": "lhotse", "path": str(home / "cuts.jsonl.gz")}


def audio_folder(home: Path, voices: Voices) -> dict[str, Any]:
    """Splits as folders, metadata in JSON Lines."""
    rows = []
    for i in range(2):
        voices.write(home / "test" / "clips" / f"{i}.flac")
        rows.append(
            {
                "file_name": f"clips/{i}.flac",
                "text": f"Words {i}",
                "speaker": f"s{i}",
                "accent": "scottish",
                "mic": "lavalier",
            }
        )
    _lines(home / "test" / "metadata.jsonl", [json.dumps(row) for row in rows])
    return {"reader": "audio_folder", "path": str(home), "split": "test"}


MAKERS: dict[str, Callable[[Path, Voices], dict[str, Any]]] = {
    maker.__name__: maker
    for maker in (
        afrispeech,
        audio_folder,
        common_voice,
        coraal,
        edacc,
        fair_speech,
        globe,
        hf_parquet,
        kaldi,
        l2_arctic,
        lhotse,
        librispeech,
        nemo,
        saa,
        vctk_new,
        vctk_old,
    )
}


def main(out_dir: str) -> None:
    """Write all corpora and print how each is read."""
    voices = Voices()
    for name, maker in MAKERS.items():
        home = Path(out_dir) / name
        home.mkdir(parents=True)
        print(name, json.dumps(maker(home, voices)))


if __name__ == "__main__":
    main(sys.argv[1])
