"""What is meant to be shared of a set made with one's own recordings names no folder of the machine that made it."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile

#: Files of a set that nobody shares.
NOT_SHARED = {"local.yaml", ".lock"}


@pytest.fixture(scope="module")
def own(write_corpus, tmp_path_factory):
    """A set made with `noise=[cafe=folder:…]` and `room=[hall=folder:…]`, one recording of the corpus being broken, and where all of it lies."""
    from roomtone.cli.main import main

    home = tmp_path_factory.mktemp("a_private_place")
    rng = np.random.default_rng(3)
    write_corpus(home / "speech", 2)
    (home / "speech" / "broken.wav").write_bytes(b"no sound")
    with open(home / "speech" / "table.jsonl", "a") as file:
        file.write(json.dumps({"audio": "broken.wav", "text": "t", "speaker": "s", "accent": "a"}) + "\n")
    for folder, samples in (("cafe", 0.05 * rng.standard_normal(6 * 16000)), ("hall", _response(rng))):
        (home / folder).mkdir()
        soundfile.write(home / folder / "one.wav", samples, 16000)
    words = ["corpus=table", f"corpus.path={home / 'speech' / 'table.jsonl'}"]
    words += [f"noise=[none,cafe=folder:{home / 'cafe'}@10dB]", f"room=[none,hall=folder:{home / 'hall'}]"]
    words += [
        "equipment=[none]",
        "handset=[none]",
        "design=full",
        "executor=serial",
        "max_rejected=20",
        f"output.dir={home / 'set'}",
    ]
    assert main(["generate", *words]) == 3
    return home


def _response(rng):
    decay = np.exp(-6.9 * np.arange(8000) / 16000 / 0.4)
    samples = 0.02 * rng.standard_normal(8000) * decay
    samples[40] = 0.5
    return samples


def told(home):
    """Return the files of the set, other than those nobody shares, in whose bytes or cells the folder's name is."""
    found = []
    for path in sorted((home / "set").rglob("*")):
        if not path.is_file() or path.name in NOT_SHARED:
            continue
        data = path.read_bytes()
        if path.suffix == ".parquet":  # compressed: its cells are read
            data += json.dumps(pq.read_table(path, partitioning=None).to_pylist(), default=str).encode()
        if str(home).encode() in data or home.name.encode() in data:
            found.append(str(path.relative_to(home / "set")))
    return found


def test_no_file_of_the_set_names_a_folder(own):
    assert list((own / "set" / "rejected").glob("*.jsonl"))
    levels = pq.read_table(own / "set" / "manifest", partitioning=None)["condition"].to_pylist()
    assert any("cafe" in name and "hall" in name for name in levels)
    assert told(own) == []


def test_nor_does_what_an_evaluation_leaves(own, roomtone):
    """The recogniser's whole command lay beside its answers."""
    (own / "asr.sh").write_text("echo some words\n")
    words = [
        "evaluate",
        f"dataset={own / 'set'}",
        "asr=command",
        f'asr.command="sh {own}/asr.sh {{audio}}"',
        "permutations=199",
        "resamples=0",
    ]
    status, _, err = roomtone(*words)
    assert status in (0, 3), err
    assert list((own / "set" / "evaluation").rglob("run-*.jsonl"))
    assert told(own) == []
