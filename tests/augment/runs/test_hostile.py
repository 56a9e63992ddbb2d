"""A corpus of good recordings and every kind of bad one: each bad one is set aside with a true reason, each good one rendered."""

import importlib.util
import json
import os
import re
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from roomtone.augment.generation import generate
from roomtone.augment.runs.summary import RunStoppedError
from roomtone.core.dataset.manifest import read_manifest

#: Kinds that are refused by name without the extra `av`, and read with it.
READ_WITH_AV = ("ima_adpcm.wav", "ms_adpcm.wav", "gsm.wav", "aiff.wav", "caf.wav", "au.wav", "w64.wav")
AV = importlib.util.find_spec("av") is not None
LEVELS = (
    "scenario.factors.room=[none]",
    "scenario.factors.noise=[none,pink@5dB]",
    "scenario.factors.equipment=[none]",
    "scenario.factors.handset=[none]",
    "design=full",
    "max_rejected=500",
)


def _wav(rate=16000, channels=1, tag=1, bits=16, data=None, claimed=None):
    data = np.full(4000, 900, "<i2").tobytes() if data is None else data
    block = channels * bits // 8
    fmt = struct.pack("<HHIIHH", tag, channels, rate, min(rate * block, 2**32 - 1), min(block, 65535), bits)
    size = len(data) if claimed is None else claimed
    body = b"WAVEfmt " + struct.pack("<I", len(fmt)) + fmt + b"data" + struct.pack("<I", size) + data
    return b"RIFF" + struct.pack("<I", len(body) if claimed is None else claimed) + body


def _encoded(folder, voice, name, **options):
    path = folder / name
    soundfile.write(path, voice, 16000, **options)
    data = path.read_bytes()
    path.unlink()
    return data


def bad_files(folder, voice):
    """Return name -> (bytes, what the reason must say): tables B.1 and B.3 of what goes wrong with recordings."""
    wav = _encoded(folder, voice, "w.wav", subtype="PCM_16")
    flac = _encoded(folder, voice, "f.flac")
    ogg = _encoded(folder, voice, "o.ogg", format="OGG", subtype="VORBIS")
    opus = _encoded(folder, voice, "p.opus", format="OGG", subtype="OPUS")
    mp3 = _encoded(folder, voice, "m.mp3")
    broken = voice.copy()
    broken[100] = np.nan
    infinite = voice.copy()
    infinite[100] = np.inf
    rotten = bytearray(flac)
    rotten[len(flac) // 2 : len(flac) // 2 + 400] = bytes(400)
    cut = "is cut|cannot be decoded|declared"
    return {
        "zero_bytes.wav": (b"", "is empty"),
        "text.wav": (b"hello, world " * 100, "is not WAV|which is not read"),
        "page.wav": (b"<!DOCTYPE html><html><body>404</body></html>", "web page"),
        "page_json.wav": (b'{"error": "not found"}', "is not WAV|which is not read"),
        "lfs.flac": (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n", "Git LFS pointer"),
        "annex.wav": (b"/annex/objects/SHA256E-s1--0.wav\n", "git-annex pointer"),
        "random.wav": (np.random.default_rng(1).bytes(5000), "is not WAV|no sound"),
        "header_only.wav": (_wav(data=b""), "holds no samples"),
        "half.wav": (wav[: len(wav) // 2], cut),
        "odd.wav": (wav[:-1], cut),
        "a_gigabyte.wav": (_wav(claimed=10**9), cut),
        "half.flac": (flac[: len(flac) // 2], cut),
        "rotten.flac": (bytes(rotten), cut),
        "no_frames.flac": (flac[:60], "cut|no samples|decoded|declares"),
        "unfinished.flac": (flac[:18] + b"\x0a\xc4\x42\xf0\x00\x00\x00\x00" + flac[26:-50], cut),
        "half.ogg": (ogg[: len(ogg) // 2], cut),
        "half.opus": (opus[: len(opus) // 2], cut),
        "half.mp3": (mp3[: len(mp3) // 2], cut),
        "rate_0.wav": (_wav(rate=0), "sample rate|cannot be decoded"),
        "rate_1.wav": (_wav(rate=1), "1 Hz"),
        "rate_huge.wav": (_wav(rate=2**32 - 1), "sample rate|cannot be decoded|Hz"),
        "channels_0.wav": (_wav(channels=0), "channel|cannot be decoded"),
        "channels_1024.wav": (_wav(channels=1024, data=bytes(2048 * 20)), "1024 channels"),
        "channels_65535.wav": (_wav(channels=65535), "channel|cannot be decoded|cut"),
        "bits_0.wav": (_wav(bits=0), "cannot be decoded"),
        "unknown_format.wav": (_wav(tag=0x7777), "format tag"),
        "ima_adpcm.wav": (_encoded(folder, voice, "i.wav", subtype="IMA_ADPCM"), "format tag 17"),
        "ms_adpcm.wav": (_encoded(folder, voice, "s.wav", subtype="MS_ADPCM"), "format tag 2"),
        "gsm.wav": (_encoded(folder, voice, "g.wav", subtype="GSM610"), "format tag 49"),
        "not_a_number.wav": (_encoded(folder, broken, "n.wav", subtype="FLOAT"), "not finite"),
        "infinite.wav": (_encoded(folder, infinite, "n.wav", subtype="DOUBLE"), "not finite"),
        "silence.wav": (_wav(data=bytes(32000)), "silence"),
        "one_sample.wav": (_wav(data=b"\x10\x27"), "silence|too short|sample"),
        "cancelling.wav": (
            _encoded(folder, np.stack([voice, -voice], axis=1), "c.wav", subtype="PCM_16"), "cancel each other",
        ),
        "mat4.wav": (_encoded(folder, voice, "m.mat", format="MAT4", subtype="PCM_16"), "is not WAV|which is not read"),
        "mat5.wav": (_encoded(folder, voice, "m.mat", format="MAT5", subtype="PCM_16"), "is not WAV|which is not read"),
        "aiff.wav": (_encoded(folder, voice, "a.aiff"), "AIFF"),
        "caf.wav": (_encoded(folder, voice, "a.caf"), "CAF|is not WAV"),
        "au.wav": (_encoded(folder, voice, "a.au"), "is not WAV|which is not read"),
        "w64.wav": (_encoded(folder, voice, "a.w64"), "is not WAV|which is not read"),
        "voc.wav": (_encoded(folder, voice, "a.voc"), "is not WAV|which is not read"),
        "avi.wav": (b"RIFF\x24\0\0\0AVI LIST" + bytes(40), "RIFF file without sound"),
        "pickle.wav": (b"\x80\x04\x95" + bytes(200), "is not WAV|which is not read"),
        "zip.wav": (b"PK\x03\x04" + bytes(200), "is not WAV|which is not read"),
        "id3_nothing.mp3": (b"ID3\x04\0\0\0\0\0\x10" + bytes(300), "is not WAV|cannot be decoded|cut|no samples"),
    }  # fmt: skip


def bad_places(folder, outside):
    """Make what is no regular file, or lies elsewhere; return name -> reason."""
    os.mkfifo(folder / "fifo.wav")
    (folder / "folder.wav").mkdir()
    (folder / "dangling.wav").symlink_to(folder / "nowhere.wav")
    (folder / "escape.wav").symlink_to(outside)
    (folder / "device.wav").symlink_to("/dev/zero")
    return {
        "fifo.wav": "FIFO|regular file",
        "folder.wav": "folder|directory|regular file",
        "dangling.wav": "no such file|outside|missing",
        "escape.wav": "lies outside of",
        "device.wav": "lies outside of|regular file",
        "missing.wav": "no such file|missing|not there",
        "../outside.wav": "lies outside of",
        "a\0b.wav": "control characters",
        "n" * 300 + ".wav": "too long|no such|long",
    }


@pytest.fixture
def good(write_corpus, tmp_path):
    """A folder with three good recordings, and their rows."""
    table = write_corpus(tmp_path / "corpus", 3)
    return table.parent, [json.loads(line) for line in table.read_text().splitlines()]


@pytest.fixture(scope="module")
def voice():
    from roomtone.augment.corpora import open_corpus
    from roomtone.core.audio.reading import read_audio

    first = min(open_corpus({"reader": "demo"}), key=lambda u: u.utterance_id)
    return read_audio(first.audio, 16000)[:16000].astype(np.float64)


def _row(name, i):
    return {"audio": name, "text": "=cmd|' /C calc'!A0 <script>alert(1)</script>", "speaker": f"s{i}", "accent": "a"}


def _write_table(folder, rows):
    path = folder / "table.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def _touched(root, but):
    """Return what a run may not change: everything below `root` except the set."""
    return {
        str(path): (path.lstat().st_size, path.lstat().st_mtime_ns)
        for path in root.rglob("*")
        if but not in path.parents and path != but
    }


def test_fifty_kinds_of_bad_input_beside_good_ones(good, voice, composed, tmp_path):
    folder, rows = good
    outside = tmp_path / "outside.wav"
    soundfile.write(outside, voice, 16000)
    files = bad_files(tmp_path, voice)
    for name, (data, _) in files.items():
        (folder / name).write_bytes(data)
    read = [files.pop(name) for name in READ_WITH_AV] if AV else []
    reasons = {name: reason for name, (_, reason) in files.items()} | bad_places(folder, outside)
    assert len(reasons) + len(read) >= 50
    names = [*reasons, *READ_WITH_AV] if read else list(reasons)
    table = _write_table(folder, rows + [_row(name, i) for i, name in enumerate(names)])
    before = _touched(tmp_path, tmp_path / "set")
    cfg = composed(
        "corpus=table", f"corpus.path={table}", *LEVELS, "executor=processes", "executor.workers=2",
        f"output.dir={tmp_path / 'set'}", "item_timeout_s=10",
    )  # fmt: skip
    summary = generate(cfg)
    assert summary.exit_status == 3
    assert summary.planned == summary.rendered + len(summary.rejected) == 2 * (3 + len(names))
    good_samples = 2 * (3 + len(read))
    assert summary.rendered == good_samples
    said = {}
    for entry in summary.rejected:
        said.setdefault(Path(entry["path"]).name, set()).add(entry["reason"])
    for name, reason in reasons.items():
        found = said.pop(repr(name) if "\0" in name else Path(name).name, set())
        assert len(found) == 1, (name, said)
        assert re.search(reason, next(iter(found)), re.IGNORECASE), (name, found)
    assert not said
    assert _touched(tmp_path, tmp_path / "set") == before
    again = generate(cfg)
    assert (again.rendered, again.resumed, len(again.rejected)) == (good_samples, good_samples, len(summary.rejected))


@pytest.mark.slow
def test_every_tenth_file_broken_in_another_way(write_corpus, voice, composed, tmp_path, capsys):
    """36 kinds among 360 files: exit 3 under `max_rejected=0.2`, exit 4 by default, each with its matrix, its card and its counts."""
    from roomtone.cli.main import main

    table = write_corpus(tmp_path / "corpus", 324)
    rows = [json.loads(line) for line in table.read_text().splitlines()]
    kinds = [item for item in bad_files(tmp_path, voice).items() if item[0] not in READ_WITH_AV][:36]
    assert len(kinds) == 36
    for i, (name, (data, _)) in enumerate(kinds):
        (table.parent / name).write_bytes(data)
        rows.insert(10 * i, _row(name, i))
    for i, row in enumerate(rows):
        row["id"] = f"u{i:03d}"
    table = _write_table(table.parent, rows)
    levels = [word for word in LEVELS if not word.startswith("max_rejected")]
    for name, limit, status in (("lenient", ["max_rejected=0.2"], 3), ("default", [], 4)):
        folder = tmp_path / name
        words = ["generate", "corpus=table", f"corpus.path={table}", *levels, *limit, "item_timeout_s=10"]
        assert main([*words, "executor.workers=2", f"output.dir={folder}"]) == status
        counts = json.loads((folder / "dataset.json").read_text())["counts"]
        listed = [line for path in (folder / "rejected").iterdir() for line in path.read_text().splitlines()]
        assert counts["planned"] == 720 == counts["rendered"] + counts["rejected"] + counts["not_reached"]
        assert counts["rendered"] == len(read_manifest(folder))
        assert counts["rejected"] == len(listed)
        assert (counts["not_reached"] == 0) == (status == 3)
        assert (folder / "coverage" / "matrix.csv").is_file()
        assert f"Planned 720, rendered {counts['rendered']:,}" in (folder / "README.md").read_text()
    lenient = json.loads((tmp_path / "lenient" / "dataset.json").read_text())["counts"]
    assert (lenient["rendered"], lenient["rejected"]) == (648, 72)
    assert "max_rejected allows 8" in capsys.readouterr().err  # 1 % of 720 samples, rounded up


def test_a_list_without_its_manifest_part_does_not_count(write_corpus, composed, tmp_path):
    """A worker that is stopped with the run may have written which samples of its shard were rejected, and no more."""
    table = write_corpus(tmp_path / "corpus", 6)
    rows = [json.loads(line) for line in table.read_text().splitlines()]
    for i in (0, 6):
        (table.parent / f"bad{i}.wav").write_bytes(b"")
        rows.insert(i, _row(f"bad{i}.wav", i))
    table = _write_table(table.parent, rows)
    words = ["corpus=table", f"corpus.path={table}", *(word for word in LEVELS if not word.startswith("max_rejected"))]
    words += ["executor=serial", "output.shard_samples=4", f"output.dir={tmp_path / 'set'}"]
    whole = generate(composed(*words, "max_rejected=8"))
    lists = sorted((tmp_path / "set" / "rejected").iterdir())
    assert len(lists) == 2
    assert len(whole.rejected) == 4
    (tmp_path / "set" / "manifest" / lists[1].name.replace(".jsonl", ".parquet")).unlink()
    with pytest.raises(RunStoppedError):
        generate(composed(*words, "max_rejected=0"))
    counts = json.loads((tmp_path / "set" / "dataset.json").read_text())["counts"]
    assert sorted((tmp_path / "set" / "rejected").iterdir()) == lists[:1]
    assert counts["rejected"] == 2
    assert counts["rendered"] == len(read_manifest(tmp_path / "set"))


@settings(derandomize=True, max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_mutated_headers_are_rendered_or_set_aside(good, voice, composed, tmp_path_factory, data):
    """Whatever a header says, the run ends, good recordings are rendered, and the counts reconcile."""
    folder, rows = good
    work = tmp_path_factory.mktemp("mutated")
    whole = [
        _encoded(work, voice[:8000], "w.wav", subtype="PCM_16"),
        _encoded(work, voice[:8000], "f.flac"),
        _encoded(work, voice[:8000], "o.ogg", format="OGG", subtype="VORBIS"),
    ]
    names = []
    for i in range(16):
        content = bytearray(whole[i % 3])
        for at, value in data.draw(
            st.lists(st.tuples(st.integers(0, 120), st.integers(0, 255)), min_size=1, max_size=6)
        ):
            content[at] = value
        names.append(f"m{i}.wav")
        (folder / names[-1]).write_bytes(content)
    table = _write_table(folder, rows + [_row(name, i) for i, name in enumerate(names)])
    cfg = composed(
        "corpus=table",
        f"corpus.path={table}",
        *LEVELS,
        "executor=serial",
        f"output.dir={work / 'set'}",
        "item_timeout_s=10",
    )
    summary = generate(cfg)
    assert summary.planned == summary.rendered + len(summary.rejected) == 2 * 19
    rendered = set(read_manifest(work / "set")["speaker"])
    assert {row["speaker"] for row in rows} <= rendered
    assert all(entry["reason"].strip() and "\n" not in entry["reason"] for entry in summary.rejected)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["processes", "dask"])
def test_what_kills_or_hangs_its_decoder_costs_itself_alone(engine, good, voice, composed, tmp_path, monkeypatch):
    """A crash in native code, a read that never ends, and one that does not even hear signals."""
    if engine == "dask":
        pytest.importorskip("distributed")
    from roomtone.core.workers.engine import Engine

    folder, rows = good
    names = ["crash.flac", "hang.flac"] + (["stuck.flac"] if engine == "processes" else [])
    for name in names:
        soundfile.write(folder / name, voice, 16000)
    monkeypatch.setattr(Engine, "attempts", 1)  # each lone try of what is stuck takes its whole time limit
    monkeypatch.setenv("ROOMTONE_FAULT_READ", "segfault:crash.flac,hang:hang.flac,stuck:stuck.flac")
    table = _write_table(folder, rows + [_row(name, i) for i, name in enumerate(names)])
    cfg = composed(
        "corpus=table", f"corpus.path={table}", *LEVELS, f"executor={engine}", "executor.workers=2",
        f"output.dir={tmp_path / 'set'}", "item_timeout_s=5", "output.shard_samples=4",
    )  # fmt: skip
    summary = generate(cfg)
    assert summary.exit_status == 3
    assert summary.rendered == 6
    said = {Path(entry["path"]).name: entry["reason"] for entry in summary.rejected}
    assert set(said) == set(names)
    assert "killed its worker" in said["crash.flac"]
    assert "longer than item_timeout_s=5 s" in said["hang.flac"]
    if engine == "processes":
        assert "killed its worker" in said["stuck.flac"]


def test_ids_and_names_never_reach_a_path(good, composed, tmp_path):
    """Ids like ../../x, a NUL, 300 characters, markup and formulas are data: files are named by content keys alone."""
    folder, rows = good
    ids = ["../../x", "a\0b", "i" * 300, "<script>alert(1)</script>", "=cmd|' /C calc'!A0", "a/b\\c", "nul\n", "."]
    table = _write_table(
        folder,
        [dict(rows[i % 3], id=name, text=name, speaker=name, audio=rows[i % 3]["audio"]) for i, name in enumerate(ids)],
    )
    before = _touched(tmp_path, tmp_path / "set")
    cfg = composed("corpus=table", f"corpus.path={table}", *LEVELS, "executor=serial", f"output.dir={tmp_path / 'set'}")
    summary = generate(cfg)
    assert summary.rendered == 2 * len(ids)
    manifest = read_manifest(tmp_path / "set")
    assert manifest["audio_path"].str.fullmatch(r"audio/\d{5}/[0-9a-f]{32}\.flac").all()
    assert _touched(tmp_path, tmp_path / "set") == before
    assert set(manifest["text"]) == {name.strip() for name in ids}  # kept as they are, harmless in Parquet
    card = (tmp_path / "set" / "README.md").read_text()
    assert "<script>" not in card


def test_a_preset_is_not_a_program(good, composed, tmp_path):
    from roomtone.core.errors import RoomtoneError

    (tmp_path / "lab" / "noise").mkdir(parents=True)
    (tmp_path / "lab" / "noise" / "evil.yaml").write_text(
        f"_target_: pathlib.Path.touch\n_args_: ['{tmp_path / 'owned'}']\nop: coloured_noise\n"
    )
    table = _write_table(*good)
    cfg = composed(
        "corpus=table", f"corpus.path={table}", "design=full", "scenario.factors.noise=[none,evil@5dB]", "executor=serial",
        f"output.dir={tmp_path / 'set'}", config_dir=str(tmp_path / "lab"),
    )  # fmt: skip
    cfg["config_dir"] = str(tmp_path / "lab")
    with pytest.raises(RoomtoneError, match=r"_target_.*not allowed; a preset is data"):
        generate(cfg)
    assert not (tmp_path / "owned").exists()
