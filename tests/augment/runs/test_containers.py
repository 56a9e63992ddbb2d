"""Every container holds the same samples, says so by hash, and is read by others' readers; a set may lie in an object store."""

import io
import json
import os
import subprocess
import sys
import tarfile
import time
import urllib.request

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile

from roomtone.augment import rerender
from roomtone.augment.generation import generate
from roomtone.augment.verification import verify
from roomtone.core.audio.encoding import encode, pcm_sha256
from roomtone.core.dataset.containers import CONTAINERS, container_of
from roomtone.core.dataset.manifest import read_manifest
from roomtone.core.dataset.sample_bytes import sample_bytes
from roomtone.core.errors import RoomtoneError
from roomtone.core.workers.serial import SerialEngine
from roomtone.coverage import CoverageMatrix


def _make(job, composed, folder, output, *more):
    cfg = composed(*job[1:-1], f"output={output}", "executor=serial", f"output.dir={folder}", *more)
    return generate(cfg), cfg


@pytest.mark.parametrize("output", list(CONTAINERS))
def test_every_container_reads_back_verifies_and_resumes(output, job, composed, tmp_path, expected):
    summary, cfg = _make(job, composed, tmp_path / "set", output)
    assert summary.rendered == summary.planned == 24
    rows = read_manifest(tmp_path / "set")
    for row in rows.to_dict("records"):
        pcm, rate = soundfile.read(io.BytesIO(sample_bytes(tmp_path / "set", row["audio_path"])), dtype="int16")
        assert (pcm_sha256(pcm), pcm.size, rate) == (row["pcm_sha256"], row["num_samples"], 16000)
    checked, again, findings = verify(str(tmp_path / "set"), SerialEngine(), share=0.25)
    assert (checked, again, findings) == (24, 6, [])
    row = rows.iloc[7]
    assert pcm_sha256(rerender(tmp_path / "set", row["sample_id"])[0]) == row["pcm_sha256"]
    assert generate(cfg).resumed == 24
    assert CoverageMatrix(tmp_path / "set").to_frame()["renders"].sum() == 24
    lossless = {row["pcm_sha256"] for row in expected.values()}
    assert (set(rows["pcm_sha256"]) == lossless) != CONTAINERS[output].lossy
    assert (set(rows["sample_id"]) == set(expected)) != CONTAINERS[output].lossy
    assert not [path for path in (tmp_path / "set").rglob("*") if "tmp" in path.name]


@pytest.mark.slow
def test_opus_labels_are_measured_on_what_is_heard(job, composed, tmp_path):
    """135 kbit/s changes the samples and neither the level nor the time."""
    _make(job, composed, tmp_path / "opus", "opus")
    _make(job, composed, tmp_path / "flac", "flac")
    ours, theirs = (
        read_manifest(tmp_path / name).set_index(["utterance_id", "condition"]).sort_index()
        for name in ("opus", "flac")
    )
    assert (ours["delay_samples"] == 0).all()
    assert (ours["active_level_dbov"] - theirs["active_level_dbov"]).abs().max() < 0.1
    for key in ours.index[:4]:
        a, b = (
            soundfile.read(tmp_path / name / rows.loc[key, "audio_path"])[0]
            for name, rows in (("opus", ours), ("flac", theirs))
        )
        assert 10 * np.log10((b**2).sum() / ((a - b) ** 2).sum()) > 15  # waveform SNR


def test_opus_at_a_rate_that_it_cannot_keep_is_refused():
    assert container_of("opus", 48000).lossy
    with pytest.raises(RoomtoneError, match="sample_rate_hz must be one of 8000, 12000, 16000, 48000, got 24000"):
        container_of("opus", 24000)
    with pytest.raises(RoomtoneError, match="output.format: unknown 'flack'; did you mean 'flac'"):
        container_of("flack", 16000)


def test_tar_shards_are_of_the_stated_size_and_the_same_whenever_made(job, composed, tmp_path):
    for name in ("one", "two"):
        _make(job, composed, tmp_path / name, "webdataset", "output.shard_samples=8")
    shards = sorted((tmp_path / "one" / "shards").iterdir())
    assert [path.name for path in shards] == ["part-00000.tar", "part-00001.tar", "part-00002.tar"]
    for path in shards:
        assert path.read_bytes() == (tmp_path / "two" / "shards" / path.name).read_bytes()
        with tarfile.open(path) as tar:
            members = tar.getmembers()
            assert len(members) == 3 * 8
            assert {(m.mtime, m.uid, m.gid, m.uname, m.gname) for m in members} == {(0, 0, 0, "", "")}
            for i in range(0, 24, 3):  # one key's files stand together, as WebDataset requires
                keys = {m.name.partition(".")[0] for m in members[i : i + 3]}
                assert len(keys) == 1
                assert [m.name.partition(".")[2] for m in members[i : i + 3]] == ["flac", "json", "txt"]
            row = json.load(tar.extractfile(members[1]))
            assert row["sample_id"] == members[1].name.partition(".")[0]
            assert tar.extractfile(members[2]).read().decode() == row["text"]


def test_parquet_shards_declare_hugging_faces_audio(job, composed, tmp_path):
    _make(job, composed, tmp_path / "set", "parquet")
    table = pq.read_table(tmp_path / "set" / "shards" / "part-00000.parquet")
    features = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]
    assert features["audio"] == {"sampling_rate": 16000, "_type": "Audio"}
    assert set(features) == set(table.column_names)
    first = table.slice(0, 1).to_pylist()[0]
    pcm, rate = soundfile.read(io.BytesIO(first["audio"]["bytes"]), dtype="int16")
    assert (pcm_sha256(pcm), rate) == (first["pcm_sha256"], 16000)


def test_members_are_found_and_strangers_refused(job, composed, tmp_path):
    _make(job, composed, tmp_path / "set", "webdataset")
    (tmp_path / "secret.wav").write_bytes(b"x")
    (tmp_path / "set" / "link.wav").symlink_to(tmp_path / "secret.wav")
    os.mkfifo(tmp_path / "set" / "fifo.wav")
    for name, what in {
        "../secret.wav": "leaves the dataset folder",
        "/etc/passwd": "leaves the dataset folder",
        "link.wav": "leaves the dataset folder",
        "fifo.wav": "not a regular file",
        "audio/none.flac": "the file is missing",
        "shards/part-00000.tar#none.flac": "no such member",
        "shards/part-00000.zip#none.flac": "neither a .tar nor a .parquet",
    }.items():
        with pytest.raises(RoomtoneError, match=what):
            sample_bytes(tmp_path / "set", name)


def test_encoders_take_16_bits_only():
    with pytest.raises(RoomtoneError, match="expected int16"):
        encode(np.zeros(10, np.float32), 16000, "flac")


def _same(url, expected):
    rows = read_manifest(url)
    assert set(rows["sample_id"]) == set(expected)
    row = rows.iloc[3]
    pcm, _ = soundfile.read(io.BytesIO(sample_bytes(url, row["audio_path"])), dtype="int16")
    assert pcm_sha256(pcm) == row["pcm_sha256"] == expected[row["sample_id"]]["pcm_sha256"]


def test_a_set_in_memory(job, composed, expected):
    url = "memory://stress/set"
    summary, cfg = _make(job, composed, url, "flac", "output.shard_samples=8")
    assert summary.rendered == 24
    _same(url, expected)
    assert generate(cfg).resumed == 24
    cfg["output"]["overwrite"] = True
    assert generate(cfg).resumed == 0
    cfg["output"]["overwrite"] = False
    cfg["seed"] = 9
    with pytest.raises(RoomtoneError, match="seed was 0, is 9"):
        generate(cfg)


def test_a_url_that_nobody_knows_is_one_line(job, composed):
    with pytest.raises(RoomtoneError, match=r"output.dir=teleport://x/set: .*teleport"):
        _make(job, composed, "teleport://x/set", "flac")


@pytest.fixture
def s3(tmp_path, monkeypatch):
    """A real S3 server on loopback, with one bucket."""
    pytest.importorskip("moto.server")
    boto3 = pytest.importorskip("boto3")
    pytest.importorskip("s3fs")
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    log = open(tmp_path / "server.log", "wb")  # noqa: SIM115 - as long as the server
    server = subprocess.Popen(
        [sys.executable, "-P", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], stdout=log, stderr=log
    )
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": url, "FSSPEC_S3_ENDPOINT_URL": url,
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(url, timeout=1).close()
            break
        except OSError:
            time.sleep(0.1)
    client = boto3.client("s3", endpoint_url=url)
    client.create_bucket(Bucket="bucket")
    yield client
    client.close()
    server.terminate()
    server.wait()
    log.close()


@pytest.mark.slow
@pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::DeprecationWarning"
)
def test_a_set_in_s3_killed_and_resumed(s3, job, start, expected, tmp_path):
    """Two worker processes put their shards; the run is killed after a first manifest part; another finishes it."""
    url = "s3://bucket/sets/one"
    words = [*job, "executor=processes", "executor.workers=2", f"output.dir={url}"]
    killed = start(words, ROOMTONE_FAULT=f"after_manifest:1:{tmp_path / 'marker'}", ROOMTONE_FAULT_WHO="group")
    _, errors = killed.communicate(timeout=120)
    assert (tmp_path / "marker").exists(), errors
    again = start(words)
    out, errors = again.communicate(timeout=120)
    assert again.returncode == 0, errors
    assert "from before" in out
    listed = [entry["Key"] for entry in s3.list_objects_v2(Bucket="bucket")["Contents"]]
    assert not [key for key in listed if "tmp" in key]
    audio = {key.removeprefix("sets/one/") for key in listed if "/audio/" in key}
    assert audio == {row["audio_path"] for row in expected.values()}
    _same(url, expected)
    last = max(s3.list_objects_v2(Bucket="bucket")["Contents"], key=lambda entry: entry["LastModified"])
    assert "audio/" not in last["Key"]
