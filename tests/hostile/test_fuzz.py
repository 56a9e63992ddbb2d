"""Fuzz targets: any bytes are values or one line of `RoomtoneError`, for each reader of what strangers write.

In CI each target runs a few dozen examples. `ROOMTONE_FUZZ_SECONDS=600 pytest tests/hostile/test_fuzz.py` runs each for ten minutes. What such a run
found stands in `FINDS`, and is tried first every time.
"""

import gzip
import io
import itertools
import json
import os
import random
import tarfile
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile

from roomtone.core.errors import RoomtoneError

SECONDS = float(os.environ.get("ROOMTONE_FUZZ_SECONDS", "0"))
EXAMPLES = 20
#: What is put into texts, beside random bytes: what parsers of numbers, JSON, YAML, CSV and Unicode stumble over.
WORDS = [
    *(
        "nan",
        "-inf",
        "1e999",
        "-1e9",
        "1" * 5000,
        "0x1F",
        "1_0",
        "null",
        "true",
        "[]",
        "{}",
        '""',
        "'",
        '"',
        "\\",
        "\\u0000",
    ),
    *(
        "\\ud800",
        "\ufeff",
        "\0",
        "\r",
        "\u2028",
        "\x1b[2J",
        "${a}",
        "${oc.env:HOME}",
        "&a *a",
        "<<: *a",
        "!!python/name:os.system",
    ),
    *(
        "../../etc/passwd",
        "/etc/passwd",
        "file:///etc/passwd",
        "x|",
        "pipe:x",
        "é" * 300,
        "[" * 3000,
        '{"a":' * 3000,
        "-.-",
        ",,,,",
        "\t\t",
    ),
]
FINDS = {
    "cuts.jsonl": [b'{"type":"MonoCut","id":1,"supervisions":[{"id":1,"duration":1}],"recording":{"transforms":[{"name":"Speed","factor":"x"}]}}'],
    "table.jsonl": [b'{"audio":"\\ud800"}', b'{"audio_path":"a","n":1' + b"0" * 30 + b"}", b"[" * 3000],
    "hypotheses.jsonl": [b"[1]", b'{"sample_id": "a", "hypothesis": []}', b"7\n8", b"[" * 3000, b'{"sample_id": {}, "hypothesis": []}'],
    "p.yaml": [b"op: [1]"],
    "cuts.jsonl.gz": [gzip.compress(b'{"audio": "a.wav"}')],
    # one bit of a good file: its metadata, asked for a column, ended the whole process from within Arrow
    "part.parquet": [
        b"PAR1\x15\x00\x15 \x15 ,\x15\x04\x15\x00\x15\x06\x15\x06\x1c6\x00(\x01b\x18\x01a\x11\x11\x00\x00\x00\x02\x00\x00\x00\x04\x01\x01\x00\x00\x00a"
        b"\x01\x00\x00\x00b\x15\x04\x19,5\x00\x18\x06schema\x15\x02\x00\x15\x08%\x02\x18\tsample_id%\x00L\x1c\x00\x00\x00\x16\x04\x19\x1c\x19\x1c&\x00\x1c"
        b"\x15\x0c\x19%\x06\x00\x19\x18\tsample_id\x15\x00\x16\x04\x16Z\x16Z&\x08<6\x00(\x01b\x18\x01a\x11\x11\x00\x19\x1c\x15\x00\x15\x00\x15\x02\x00<"
        b"\x16\x04\x19\x06\x19&\x00\x04\x00\x00\x00\x16Z\x16\x04&\x08\x16Z\x00( parquet-cpp-arrow version 26.0.1\x19\x1c\x1c\x00\x00\x00\x9e\x00\x00\x00PAR1"
    ],
    "sound.wav": [b"RIFF\xff\xff\xff\xffWAVEfmt \xff\xff\xff\xff"],
}  # fmt: skip


def mutated(rng, data):
    """Return bytes with a few of them changed, cut, doubled, or replaced by one of WORDS."""
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        at, length = rng.randrange(len(data) + 1), rng.choice((0, 1, 1, 2, 4, 30))
        kind = rng.randrange(5)
        if kind == 0:
            data[at : at + length] = rng.randbytes(rng.choice((1, 2, 4, 8)))
        elif kind == 1:
            data[at : at + length] = rng.choice(WORDS).encode("utf-8", "surrogatepass")
        elif kind == 2:
            del data[at : at + length * 4]
        elif kind == 3:
            data[at:at] = data[at : at + rng.choice((4, 40, 400))]
        else:
            data[at : at + 4] = rng.choice((b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0"))
    return bytes(data)


def examples(name, seeds):
    """Yield finds, the good seeds themselves, and mutations of both, for as long as asked."""
    first = [*FINDS.get(name, ()), *seeds]
    yield from first
    rng, end = random.Random(name), time.monotonic() + SECONDS
    for number in itertools.count():
        if SECONDS and time.monotonic() > end:
            return
        if not SECONDS and number >= EXAMPLES:
            return
        yield mutated(rng, rng.choice(first))


def holds(read, path, name, seeds):
    """Read every example; return how many were values and how many were refused. Anything but one line of ours is a failure."""
    taken = refused = 0
    for data in examples(name, seeds):
        path.write_bytes(data)
        try:
            read(path)
            taken += 1
        except RoomtoneError:
            refused += 1
        except Exception as error:
            raise AssertionError(f"{type(error).__name__} of {data[:2000]!r}") from error
    return taken, refused


def part_of_a_manifest():
    from roomtone.core.dataset.manifest import manifest_schema

    schema = manifest_schema()
    rows = [
        {"sample_id": f"s{i}", "utterance_id": "u", "condition": "clean", "accent": "a", "snr_db": 5.0, "recipe": "{}"}
        for i in range(3)
    ]
    sink = io.BytesIO()
    pq.write_table(
        pa.Table.from_pylist([{name: row.get(name) for name in schema.names} for row in rows], schema=schema), sink
    )
    return sink.getvalue()


def bad_names():
    """Return a part of which a column's name is no UTF-8."""
    return part_of_a_manifest().replace(b"measured_snr_db", b"measured_\xffnr_db")


def test_a_part_of_a_manifest(tmp_path):
    from roomtone.core.dataset.checking.reconcile import read_parts
    from roomtone.core.dataset.manifest import read_manifest
    from roomtone.core.dataset.storage import open_storage

    part = tmp_path / "set" / "manifest" / "part-00000.parquet"
    part.parent.mkdir(parents=True)

    def read(path):
        read_parts(open_storage(str(tmp_path / "set")))
        read_manifest(tmp_path / "set")

    taken, refused = holds(read, part, "part.parquet", [part_of_a_manifest(), bad_names()])
    assert taken
    assert refused


def test_what_verify_reads_of_a_set(theirs):
    """The record, the parts and the rejections together, without rendering."""
    from roomtone.core.dataset.checking.reconcile import read_parts
    from roomtone.core.dataset.run_record import read_record
    from roomtone.core.dataset.storage import open_storage

    record = theirs / "dataset.json"

    def read(path):
        storage = open_storage(str(theirs))
        read_record(storage)
        read_parts(storage)

    taken, refused = holds(read, record, "dataset.json", [record.read_bytes()])
    assert taken
    assert refused


YAML_SEEDS = [
    b"op: coloured_noise\ndescription: 'a ${.op}'\nlow_hz: 50.5\n",
    b"op: mix\nparts:\n  - &x {op: coloured_noise, low_hz: 50}\n  - {op: periodic_tone, fundamental_hz: [300, 600], harmonics: [[1, 0], [2, -8]]}\n  - *x\n",
]


def test_yaml_of_presets(tmp_path):
    from roomtone.augment.scenarios.presets import load_preset, parse_preset

    (tmp_path / "noise").mkdir()

    def read(path):
        parse_preset("noise", "p", load_preset("noise", "p", (tmp_path,)))

    taken, refused = holds(read, tmp_path / "noise" / "p.yaml", "p.yaml", YAML_SEEDS)
    assert taken
    assert refused


def certificate_seeds():
    from roomtone.fairness.slices import certificate

    good = {key: "x" for key in certificate._KEYS} | {
        "format": certificate.FORMAT,
        "predicate": [["accent", "=", "a"]],
        "claim": {"kind": "excess", "at_least": 0.1},
        "samples": [{"sample_id": "s"}],
    }
    return [json.dumps(good).encode(), json.dumps(good | {"predicate": {"accent": "a", "snr_db": [1, 2]}}).encode()]


def test_certificates(tmp_path):
    from roomtone.fairness.slices.certificate import read_certificate

    _, refused = holds(read_certificate, tmp_path / "c.json", "c.json", certificate_seeds())
    assert refused


@pytest.mark.parametrize("name", ["hypotheses.jsonl", "hypotheses.csv", "hypotheses.parquet"])
def test_hypotheses(tmp_path, name):
    import pandas as pd

    from roomtone.fairness.scoring.hypotheses import match_hypotheses, read_hypotheses

    frame = pd.DataFrame({"sample_id": ["a", "b"], "hypothesis": ["one two", "drei"]})
    if name.endswith("csv"):
        seeds = [frame.to_csv(index=False).encode()]
    elif name.endswith("jsonl"):
        seeds = [frame.to_json(orient="records", lines=True).encode()]
    else:
        sink = io.BytesIO()
        frame.to_parquet(sink)
        seeds = [sink.getvalue()]

    def read(path):
        match_hypotheses(pd.Series(["a", "b"]), read_hypotheses(path), allow_missing=True)

    taken, refused = holds(read, tmp_path / name, name, seeds)
    assert taken
    assert refused


def sound(name):
    sink = io.BytesIO()
    kind = {"wav": "WAV", "flac": "FLAC", "ogg": "OGG", "mp3": "MP3"}[name.rpartition(".")[2]]
    subtype = "FLOAT" if name.startswith("float") else None
    soundfile.write(sink, 0.1 * np.random.default_rng(0).standard_normal(3000), 16000, format=kind, subtype=subtype)
    return sink.getvalue()


@pytest.mark.parametrize("name", ["sound.wav", "sound.flac", "sound.ogg", "sound.mp3", "float.wav"])
def test_headers_of_audio(tmp_path, name):
    from roomtone.core.audio.reading import inspect

    taken, refused = holds(inspect, tmp_path / name, name, [sound(name)])
    assert taken
    assert refused or name == "sound.flac"  # whose frames are looked at when they are decoded


FOREIGN = {
    "cuts.jsonl": [
        b'{"type":"MonoCut","id":"c","start":0,"duration":2,"supervisions":[{"id":"s","start":0,"duration":2,"text":"a","custom":{"accent":"x"}}],'
        b'"recording":{"id":"r","sources":[{"type":"file","channels":[0],"source":"a.wav"}],"transforms":[{"name":"Speed","kwargs":{"factor":0.9}}]}}\n',
        b'{"type":"MixedCut","id":"m","tracks":[{"cut":{"id":"c","duration":1,"supervisions":[{"id":"s","duration":1}],"recording":{"id":"r"}}},'
        b'{"snr":5,"cut":{"id":"n","recording":{"id":"n","sources":[{"type":"file","source":"musan/noise/n.wav"}]}}}]}\n',
    ],
    "nemo.jsonl": [b'{"audio_filepath":"a.wav","duration":1.5,"text":"a","accent":"x","offset":2}\n{"audio_filepath":"b.wav"}\n'],
    "table.jsonl": [b'{"audio":"a.wav","text":"b","accent":"c","snr_db":5,"attr_x":[1]}\n'],
    "table.csv": [b"audio,text,accent,snr_db\na.wav,b,c,5\nd.wav,e,f,none\n"],
    "labels.tar": [],
}  # fmt: skip


def _tar():
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as tar:
        for name, content in (("k.flac", b"x" * 40), ("k.json", b'{"text": "a", "accent": "b"}'), ("k.txt", b"hello")):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return sink.getvalue()


@pytest.mark.parametrize("name", FOREIGN)
def test_sets_of_others(tmp_path, name):
    from roomtone.coverage import CoverageMatrix

    seeds = [*FOREIGN[name], *([_tar()] if name == "labels.tar" else [])]
    _, refused = holds(lambda path: CoverageMatrix(str(path), axes=("accent",)), tmp_path / name, name, seeds)
    assert refused


@pytest.mark.parametrize("name", ["wav.scp", "utt2spk", "segments", "utt2dur"])
def test_kaldi_directories(tmp_path, name):
    from roomtone.coverage import CoverageMatrix

    files = {
        "wav.scp": b"s-u wav-reverberate --impulse-response='rir.wav' --additive-signals='musan/noise/n.wav' --snrs='5,3' a.wav - |\nt-v b.wav\n",
        "utt2spk": b"s-u s\nt-v t\n",
        "segments": b"s-u s-u 0 1.5\nt-v t-v 0 -1\n",
        "utt2dur": b"s-u 1.5\nt-v 2\n",
        "text": b"s-u a b\nt-v c\n",
        "spk2accent": b"s x\nt y\n",
    }  # fmt: skip
    for other, content in files.items():
        if other != name and other != "segments":
            (tmp_path / other).write_bytes(content)
    taken, _ = holds(lambda path: CoverageMatrix(str(tmp_path), axes=("accent",)), tmp_path / name, name, [files[name]])
    assert taken


@pytest.mark.parametrize("name", ["cuts.jsonl.gz", "nemo.jsonl.gz"])
def test_compressed_tables(tmp_path, name):
    from roomtone.coverage import CoverageMatrix

    seeds = [gzip.compress(seed) for seed in FOREIGN[name.removesuffix(".gz")]]
    taken, refused = holds(lambda path: CoverageMatrix(str(path), axes=("accent",)), tmp_path / name, name, seeds)
    assert taken
    assert refused
