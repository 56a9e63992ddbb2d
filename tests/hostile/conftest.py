"""What the attacks share: a small set made by the command from a corpus and a recorded noise, and a copy of it in a stranger's hands."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

LEVELS = (
    "scenario.factors.room=[none]",
    "scenario.factors.noise=[none,babble@5dB,street@10dB]",
    "scenario.factors.equipment=[none,fan@10dB]",
    "scenario.factors.handset=[none,landline_mulaw]",
    "design=one_at_a_time",
    "output.shard_samples=10",
    "executor=serial",
)


@pytest.fixture(scope="session")
def workshop(write_corpus, tmp_path_factory):
    """A folder with `corpus/table.jsonl`, `conf/noise/street.yaml` with two recordings, and `set`, made from them."""
    from roomtone.cli.main import main

    home = tmp_path_factory.mktemp("workshop")
    write_corpus(home / "corpus", 4)
    street = home / "conf" / "noise" / "street"
    street.mkdir(parents=True)
    rng = np.random.default_rng(5)
    for name in ("a", "b"):
        soundfile.write(street / f"{name}.wav", 0.05 * rng.standard_normal(8 * 16000), 16000)
    (home / "conf" / "noise" / "street.yaml").write_text("op: recordings\npath: street\n")
    words = [
        "generate", "corpus=table", f"corpus.path={home / 'corpus' / 'table.jsonl'}", "--config-dir", str(home / "conf"), *LEVELS,
        f"output.dir={home / 'set'}",
    ]  # fmt: skip
    assert main(words) == 0
    return home


@pytest.fixture
def theirs(workshop, tmp_path):
    """The set as a stranger would send it: no `local.yaml` with it."""
    shutil.copytree(workshop / "set", tmp_path / "theirs")
    (tmp_path / "theirs" / "local.yaml").unlink()
    return tmp_path / "theirs"


@pytest.fixture
def mine(workshop, tmp_path):
    """A copy of the set with its `local.yaml`: this user's own."""
    shutil.copytree(workshop / "set", tmp_path / "mine")
    return tmp_path / "mine"


@pytest.fixture
def roomtone(capsys):
    """roomtone(*words) -> (exit status, standard output, standard error)."""
    from roomtone.cli.main import main

    def run(*words):
        capsys.readouterr()
        status = main([str(word) for word in words])
        out, err = capsys.readouterr()
        return status, out, err

    return run


@pytest.fixture
def refused(roomtone):
    """Assert that a command ends with status 1 and one line that holds a text; return the line."""

    def check(message, *words):
        status, _, err = roomtone(*words)
        assert status == 1, err
        assert "Traceback" not in err
        assert len(err.strip().splitlines()) == 1, err
        assert message in err, err
        return err

    return check


@pytest.fixture
def apart(tmp_path):
    """apart(words, **environment) -> CompletedProcess of the command in a process of its own."""

    def run(words, timeout=600, preexec=None, **environment):
        return subprocess.run(
            [sys.executable, "-P", "-m", "roomtone.cli.main", *map(str, words)],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=timeout,
            cwd=tmp_path,
            preexec_fn=preexec,
            check=False,
        )

    return run


@pytest.fixture
def held(roomtone):
    """held(dataset) -> (exit status, everything that was said), at share=0."""

    def run(dataset, *words):
        status, out, err = roomtone("verify", f"dataset={dataset}", "share=0", "executor=serial", *words)
        assert "Traceback" not in out + err
        return status, out + err

    return run


@pytest.fixture
def edit_rows():
    """edit_rows(dataset, change, seal=True) rewrites the first part: `change(rows)` edits a list of mappings; rows are sealed again,
    and what repeats them is made again: a forger is thorough."""
    import pyarrow.parquet as pq

    from roomtone.core.dataset.columns import ROW_HASH
    from roomtone.core.dataset.manifest import write_part
    from roomtone.core.dataset.row_hash import row_hash

    def edit(dataset, change, *, seal=True, part=0):
        path = Path(dataset) / "manifest" / f"part-{part:05d}.parquet"
        rows = pq.read_table(path, partitioning=None).to_pylist()
        change(rows)
        if seal:
            rows = [row | {ROW_HASH: row_hash(row)} for row in rows]
        write_part(rows, path)
        _follow(Path(dataset))

    return edit


def _follow(dataset):
    """Make again what follows from the parts of a set: its metadata, and the hashes in its Croissant file."""
    import contextlib
    import hashlib
    import json

    from roomtone.augment.output.audio_folder import write_metadata
    from roomtone.core.dataset.storage import open_storage
    from roomtone.core.errors import RoomtoneError

    with contextlib.suppress(RoomtoneError):
        write_metadata(open_storage(dataset))
    if not (dataset / "croissant.json").exists():  # a set that a test wrote by hand
        return
    content = json.loads((dataset / "croissant.json").read_bytes())
    for one in content["distribution"]:
        if one["@type"] == "cr:FileObject":
            one["sha256"] = hashlib.sha256((dataset / one["contentUrl"]).read_bytes()).hexdigest()
    (dataset / "croissant.json").write_text(json.dumps(content), encoding="utf-8")
