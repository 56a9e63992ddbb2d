"""Recognisers that really run: PocketSphinx on recorded speech, a program, and a server that fails, stalls and limits."""

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from roomtone.core.errors import RoomtoneError
from roomtone.fairness.recognisers import RECOGNISERS, make_recogniser
from roomtone.fairness.recognisers.stored_answers import read_answers
from roomtone.fairness.recognisers.transcription import fingerprint, transcribe

SPHINX = Path("/usr/share/pocketsphinx/test/data")


@pytest.fixture
def recordings(tmp_path: Path) -> pd.DataFrame:
    """Six recordings, whose number is in their first sample."""
    (tmp_path / "audio").mkdir()
    rows = []
    for k in range(6):
        samples = np.zeros(4000, dtype=np.int16)
        samples[0] = k + 1
        soundfile.write(tmp_path / "audio" / f"s{k}.wav", samples, 16000, subtype="PCM_16")
        rows.append({"sample_id": f"s{k}", "audio_path": f"audio/s{k}.wav", "language": "en"})
    return pd.DataFrame(rows)


def number_heard(body: bytes) -> int:
    start = body.index(b"RIFF")
    return int.from_bytes(body[start + 44 : start + 46], "little")


class _Endpoint(BaseHTTPRequestHandler):
    """Answers each recording with its number; how it misbehaves first stands in the server's plan."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        number = number_heard(body)
        with self.server.lock:
            self.server.asked.append((number, self.headers.get("Authorization"), self.path))
            self.server.under_way += 1
            self.server.most = max(self.server.most, self.server.under_way)
            step = self.server.plan.get(number, []).pop(0) if self.server.plan.get(number) else "answer"
        time.sleep(self.server.think_s)
        with self.server.lock:  # before the answer, after which the client is free to ask again
            self.server.under_way -= 1
        self._act(step, number)

    def _act(self, step: str, number: int) -> None:
        if step == "stall":
            self.connection.settimeout(30)
            self.connection.recv(1)  # until the client has given up
        if step == "drop":
            self.connection.close()
            return
        status = int(step) if step.isdigit() else 200
        text = {"garbage": b"<html>", "answer": json.dumps({"text": f"number {number}"}).encode()}.get(step, b"{}")
        try:
            self.send_response(status)
            if status == 429:
                self.send_header("Retry-After", "0.05")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)
        except OSError:
            pass  # the client has given up on a stalled answer

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def endpoint():
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Endpoint)
    server.plan, server.asked, server.lock = {}, [], threading.Lock()
    server.under_way = server.most = 0
    server.think_s = 0.0
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def http_settings(server, **more) -> dict:
    url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    return {
        "recogniser": "http",
        "url": url,
        "model": "m",
        "first_wait_s": 0.01,
        "timeout_s": 1.5,
        "concurrency": 3,
    } | more


def test_a_server_that_fails_stalls_and_limits_still_gives_every_sample_an_end(
    recordings, endpoint, tmp_path, monkeypatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "not-written-anywhere")
    endpoint.plan = {1: ["429", "503"], 2: ["stall"], 3: ["drop", "garbage"], 4: ["400"], 5: ["500"] * 9}
    endpoint.think_s = 0.2
    found = transcribe(recordings, tmp_path, http_settings(endpoint), tmp_path / "store").set_index("sample_id")
    assert found["hypothesis"].tolist() == ["number 1", "number 2", "number 3", None, None, "number 6"]
    assert found.loc["s3", "reason"] == "HTTP 400: {}"
    assert found.loc["s4", "reason"] == "HTTP 500: {} (asked 5 times)"
    assert endpoint.most == 3
    assert {path for _, _, path in endpoint.asked} == {"/v1/audio/transcriptions"}
    assert {key for _, key, _ in endpoint.asked} == {"Bearer not-written-anywhere"}
    assert not any("not-written-anywhere" in p.read_text() for p in (tmp_path / "store").rglob("*") if p.is_file())


def test_a_server_that_is_not_there_is_a_reason(recordings, tmp_path) -> None:
    settings = {"recogniser": "http", "url": "http://127.0.0.1:9", "model": "m", "attempts": 2, "first_wait_s": 0.01}
    found = transcribe(recordings.head(1), tmp_path, settings, tmp_path / "store")
    assert found["reason"].iloc[0].startswith("no connection")


def test_a_killed_run_goes_on_without_asking_twice(recordings, endpoint, tmp_path) -> None:
    endpoint.think_s = 0.4
    settings = http_settings(endpoint, concurrency=1, timeout_s=20)
    recordings.to_json(tmp_path / "rows.json", orient="records")
    program = (
        "import json, sys, pandas as pd\n"
        "from roomtone.fairness.recognisers.transcription import transcribe\n"
        "rows = pd.DataFrame(json.load(open(sys.argv[1])))\n"
        "transcribe(rows, sys.argv[2], json.loads(sys.argv[3]), sys.argv[4])\n"
    )
    store = tmp_path / "store"
    words = [sys.executable, "-P", "-c", program, tmp_path / "rows.json", tmp_path, json.dumps(settings), store]
    with subprocess.Popen(list(map(str, words)), start_new_session=True) as process:
        folder = store / f"http-{fingerprint(make_recogniser(settings))}"
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and len(list(read_answers(folder))) < 3:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    before = {answer["sample_id"] for answer, _ in read_answers(folder)}
    assert 3 <= len(before) < 6
    with open(next(folder.glob("run-*.jsonl")), "a") as file:
        file.write('{"sample_id": "s5", "hypo')  # what a kill in the middle of a line leaves
    time.sleep(0.6)
    with endpoint.lock:
        endpoint.asked.clear()
    endpoint.think_s = 0.0
    found = transcribe(recordings, tmp_path, settings, store)
    assert found["hypothesis"].tolist() == [f"number {k}" for k in range(1, 7)]
    assert {f"s{number - 1}" for number, _, _ in endpoint.asked} == set(recordings["sample_id"]) - before
    assert len(endpoint.asked) == 6 - len(before)


def test_other_settings_are_other_answers_and_no_effect_on_text_ones_are_not(endpoint) -> None:
    base = fingerprint(make_recogniser(http_settings(endpoint)))
    assert fingerprint(make_recogniser(http_settings(endpoint, concurrency=9))) == base
    assert fingerprint(make_recogniser(http_settings(endpoint, model="n"))) != base


def test_any_program_may_be_the_recogniser(recordings, tmp_path) -> None:
    script = tmp_path / "asr.py"
    script.write_text(
        "import sys, time\n"
        "number = int.from_bytes(open(sys.argv[1], 'rb').read()[44:46], 'little')\n"
        "if number == 2: sys.exit('out of memory')\n"
        "if number == 3: time.sleep(30)\n"
        "print('' if number == 4 else f'number {number}')\n"
    )
    command = {"recogniser": "command", "command": f"{sys.executable} {script} {{audio}}", "timeout_s": 2.0}
    found = transcribe(recordings, tmp_path, command, tmp_path / "store")
    assert found["hypothesis"].tolist() == ["number 1", None, None, "", "number 5", "number 6"]
    assert found["reason"].tolist()[1:3] == ["exit status 1: out of memory", "timed out after 2 s"]


def test_a_path_is_one_argument_and_no_shell_reads_it(recordings, tmp_path) -> None:
    evil = "audio/$(touch owned);s0.wav"
    (tmp_path / evil).parent.mkdir(exist_ok=True)
    os.rename(tmp_path / "audio/s0.wav", tmp_path / evil)
    row = recordings.head(1).assign(audio_path=evil)
    found = transcribe(row, tmp_path, {"recogniser": "command", "command": "echo {audio}"}, tmp_path / "store")
    assert found["hypothesis"].iloc[0] == str(tmp_path / evil)
    assert not (tmp_path / "owned").exists()


def test_a_path_that_leaves_the_set_is_a_failure(recordings, tmp_path) -> None:
    row = recordings.head(1).assign(audio_path="../../etc/hostname")
    found = transcribe(row, tmp_path, {"recogniser": "command", "command": "echo {audio}"}, tmp_path / "store")
    assert found["reason"].iloc[0].endswith("leaves the dataset folder")


def test_recordings_inside_shards_are_heard_like_files(recordings, tmp_path) -> None:
    import tarfile

    (tmp_path / "shards").mkdir()
    with tarfile.open(tmp_path / "shards" / "part-00000.tar", "w") as tar:
        for path in recordings["audio_path"]:
            tar.add(tmp_path / path, arcname=Path(path).name)
    inside = recordings.assign(audio_path=["shards/part-00000.tar#" + Path(p).name for p in recordings["audio_path"]])
    script = tmp_path / "asr.py"
    script.write_text("import sys\nprint(int.from_bytes(open(sys.argv[1], 'rb').read()[44:46], 'little'))\n")
    command = {"recogniser": "command", "command": f"{sys.executable} {script} {{audio}}"}
    found = transcribe(inside, tmp_path, command, tmp_path / "store")
    assert found["hypothesis"].tolist() == [str(k) for k in range(1, 7)]
    gone = transcribe(
        inside.assign(sample_id="x", audio_path="shards/part-00000.tar#no.wav").head(1),
        tmp_path,
        command,
        tmp_path / "store",
    )
    assert "holds no such member" in gone["reason"].iloc[0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"recogniser": "pocketsfinx"}, "did you mean 'pocketsphinx'"),
        ({"recogniser": "command"}, "the key 'command' is missing"),
        ({"recogniser": "command", "command": "echo"}, "needs {audio}"),
        ({"recogniser": "command", "command": "no-such-program {audio}"}, "no program 'no-such-program'"),
        ({"recogniser": "http", "url": "file:///etc/passwd", "model": "m"}, "begins with http"),
        ({"recogniser": "http", "url": "http://x", "model": "m", "concurency": 2}, "did you mean 'concurrency'"),
        ({"recogniser": "pocketsphinx", "grammar": "/no/such.gram"}, "there is no file '/no/such.gram'"),
    ],
)
def test_wrong_settings_are_named(settings, message) -> None:
    with pytest.raises(RoomtoneError, match=message):
        make_recogniser(settings)


@pytest.mark.parametrize("name", ["faster_whisper", "transformers"])
def test_an_extra_that_is_not_installed_says_which(name) -> None:
    if name == "faster_whisper":
        try:
            import faster_whisper  # noqa: F401
        except ImportError:
            pass
        else:
            pytest.skip("faster_whisper is installed here")
    with pytest.raises(RoomtoneError, match="pip install"):
        make_recogniser({"recogniser": name, "model": "x"})


def test_every_name_of_the_table_is_a_class() -> None:
    import importlib

    for module, name in RECOGNISERS.values():
        assert hasattr(importlib.import_module(f"roomtone.fairness.recognisers.{module}"), name)


needs_sphinx = pytest.mark.skipif(not SPHINX.is_dir(), reason="pocketsphinx-testdata is not installed")


@needs_sphinx
def test_pocketsphinx_hears_recorded_commands_through_its_grammar(tmp_path) -> None:
    pcm = np.fromfile(SPHINX / "goforward.raw", dtype="<i2")
    for k in range(3):
        soundfile.write(tmp_path / f"{k}.flac", pcm, 16000)
    (tmp_path / "broken.flac").write_bytes(b"fLaC nothing more")
    soundfile.write(tmp_path / "short.wav", pcm[:100], 16000)
    np.save(tmp_path / "numpy.npy", pcm)
    (tmp_path / "numpy.npy").rename(tmp_path / "numpy.wav")
    names = ["0.flac", "1.flac", "broken.flac", "2.flac", "short.wav", "gone.flac", "numpy.wav"]
    rows = pd.DataFrame({"sample_id": names, "audio_path": names})
    settings = {"recogniser": "pocketsphinx", "grammar": str(SPHINX / "goforward.gram")}
    found = transcribe(rows, tmp_path, settings, tmp_path / "store", workers=2).set_index("sample_id")
    # the same recording gives the same words wherever it comes in the order
    assert found.loc[["0.flac", "1.flac", "2.flac"], "hypothesis"].tolist() == ["go forward ten meters"] * 3
    assert "cannot be read" in found.loc["broken.flac", "reason"]
    assert "shorter than 0.1 s" in found.loc["short.wav", "reason"]
    assert found.loc["gone.flac", "reason"] == "gone.flac: the file is missing"
    assert "is not WAV" in found.loc["numpy.wav", "reason"]


@needs_sphinx
def test_a_grammar_that_is_none_is_one_error_and_not_a_thousand_dead_processes(tmp_path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(16000), 16000)
    (tmp_path / "bad.gram").write_text("this is no grammar")
    rows = pd.DataFrame({"sample_id": ["a"], "audio_path": ["a.wav"]})
    settings = {"recogniser": "pocketsphinx", "grammar": str(tmp_path / "bad.gram")}
    with pytest.raises(RoomtoneError, match="the decoder does not start"):
        transcribe(rows, tmp_path, settings, tmp_path / "store", workers=1)


@needs_sphinx
def test_a_process_that_dies_costs_its_sample_and_no_other(tmp_path, monkeypatch) -> None:
    """A native library may bring its process down; here the worker ends itself on one sample."""
    from roomtone.fairness.recognisers import transcription

    pcm = np.fromfile(SPHINX / "goforward.raw", dtype="<i2")
    names = [f"{k}.wav" for k in range(4)]
    for name in names:
        soundfile.write(tmp_path / name, pcm, 16000)
    rows = pd.DataFrame({"sample_id": names, "audio_path": names})
    (tmp_path / "deadly.py").write_text(
        "import os\nfrom roomtone.fairness.recognisers import transcription\n\n"
        "def ask(clip):\n"
        "    if clip.sample_id == '2.wav':\n        os._exit(9)\n"
        "    return transcription._ask(transcription._WORKER[0], clip)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    import deadly

    monkeypatch.setattr(transcription, "_ask_in_worker", deadly.ask)
    settings = {"recogniser": "pocketsphinx", "grammar": str(SPHINX / "goforward.gram")}
    found = transcribe(rows, tmp_path, settings, tmp_path / "store", workers=2).set_index("sample_id")
    assert found.loc["2.wav", "reason"] == "the recogniser's process died on this sample"
    assert found["hypothesis"].drop("2.wav").tolist() == ["go forward ten meters"] * 3


def test_a_whisper_model_that_is_not_at_hand_without_a_network_is_one_line(recordings, monkeypatch, tmp_path):
    """The library's place is taken by one that looks for the model as it does, with the hub's own client, offline: the error is the real one."""
    import types

    from huggingface_hub import snapshot_download

    library = types.ModuleType("faster_whisper")
    library.WhisperModel = lambda name, **options: snapshot_download(f"nobody/{name}", local_files_only=True)
    engine, levels = types.ModuleType("ctranslate2"), []
    engine.set_log_level = levels.append  # it warned of float16 weights in the middle of the progress
    monkeypatch.setitem(sys.modules, "faster_whisper", library)
    monkeypatch.setitem(sys.modules, "ctranslate2", engine)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    recogniser = make_recogniser({"recogniser": "faster_whisper", "model": "tiny.en"})
    with pytest.raises(RoomtoneError, match=r"'tiny.en' is not on this machine .* write asr.model=FOLDER") as caught:
        recogniser.open()
    assert "\n" not in str(caught.value)
    assert levels == [logging.ERROR]
    with pytest.raises(RoomtoneError, match="not on this machine"):
        transcribe(recordings, tmp_path, {"recogniser": "faster_whisper", "model": "tiny.en"}, tmp_path / "store")
    assert not (tmp_path / "store").exists()  # each misspelt model left a folder
    library.WhisperModel = lambda name, **options: int(f"Invalid model size {name!r}")
    with pytest.raises(RoomtoneError, match="'tiny.en': there is no folder of that name here, and it cannot be loaded"):
        recogniser.open()


def test_a_model_folder_that_is_none_is_said_as_such(tmp_path):
    (tmp_path / "model.bin").write_bytes(b"x")
    for model, said in (
        (tmp_path / "model.bin", "is a file; name its folder"),
        (tmp_path / "gone", "there is no folder"),
    ):
        with pytest.raises(RoomtoneError, match=said):
            make_recogniser({"recogniser": "transformers", "model": str(model)})
