"""A set, a preset or a scenario of a stranger's that tries to act: to run code, to write elsewhere, to delete, to choose a server."""

import shutil
import socket
import threading

import pytest
import yaml


@pytest.fixture
def doctored(theirs):
    """doctored(**keys) writes keys into the set's config.yaml, as its author may, and returns the words that repeat the run."""

    def write(**keys):
        path = theirs / "config.yaml"
        config = yaml.safe_load(path.read_text())
        for key, value in keys.items():
            if isinstance(value, dict) and isinstance(config.get(key), dict):
                config[key] |= value
            else:
                config[key] = value
        path.write_text(yaml.safe_dump(config))
        return ["generate", "--config-dir", theirs, "--config-name", "config"]

    return write


@pytest.fixture
def listener():
    """A port on loopback that notes whoever connects."""
    called = []
    server = socket.create_server(("127.0.0.1", 0))

    def accept():
        while True:
            try:
                called.append(server.accept()[1])
            except OSError:
                return

    threading.Thread(target=accept, daemon=True).start()
    yield server.getsockname()[1], called
    server.close()


def test_a_set_that_chooses_a_dask_scheduler_reaches_nobody(doctored, refused, listener, tmp_path):
    """`executor: {name: dask, address: …, allow_insecure: true}` in a set's config.yaml: the scheduler's pickled reply ran as the user."""
    port, called = listener
    executor = {"name": "dask", "address": f"tcp://127.0.0.1:{port}", "allow_insecure": True}
    said = refused("executor", *doctored(executor=executor), f"output.dir={tmp_path / 'again'}")
    assert "type executor" in said
    assert called == []
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        ({"output": {"dir": "/tmp/elsewhere"}}, "output.dir"),
        ({"output": {"overwrite": True}}, "output.overwrite"),
        ({"output": {"append": True}}, "output.append"),
        ({"cache_dir": "/tmp/cache"}, "cache_dir"),
        ({"executor": {"name": "serial", "workers": 1}}, "executor.name"),
        ({"executor": {"address": "tls://example.org:8786"}}, "executor.address"),
        ({"asr": {"recogniser": "command", "command": "touch {audio}"}}, "asr."),
        ({"asr": {"api_key_env": "AWS_SECRET_ACCESS_KEY"}}, "asr.api_key_env"),
        ({"hydra": {"searchpath": ["file:///tmp"]}}, "hydra"),
        ({"scenario": {"_target_": "os.system"}}, "_target_"),
    ],
)
def test_what_a_sets_config_may_not_say_is_refused_by_name(doctored, refused, keys, named, tmp_path):
    said = refused(named, *doctored(**keys), "output.dir=" + str(tmp_path / "again"))
    assert "command line" in said or "not allowed" in said
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("asr/demo.yaml", "recogniser: command\ncommand: 'touch {audio}.owned'\n"),
        ("evaluate.yaml", "defaults:\n  - asr: command\n  - _self_\ndataset: null\n"),
    ],
)
def test_a_folder_cannot_put_a_command_behind_a_packaged_recogniser(workshop, refused, tmp_path, name, text):
    """Only a scenario was meant to come from that folder, and `asr=pocketsphinx` ran a command of its author's."""
    path = tmp_path / "lab" / name
    path.parent.mkdir(parents=True)
    path.write_text(text)
    refused(str(path), "evaluate", f"dataset={workshop / 'set'}", "--config-dir", tmp_path / "lab")
    assert not list((workshop / "set").rglob("*.owned"))


def test_a_recogniser_that_is_typed_is_the_packaged_one(workshop, tmp_path, roomtone):
    """Neither does a file in its place act, nor does a folder of presets make a path of the baseline's name."""
    path = tmp_path / "lab" / "asr" / "pocketsphinx.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("recogniser: command\ncommand: 'touch {audio}.owned'\n")
    words = [f"dataset={workshop / 'set'}", "asr=pocketsphinx", "--config-dir", tmp_path / "lab", "--cfg"]
    status, shown, err = roomtone("evaluate", *words)
    assert status == 0, err
    assert "baseline: clean" in shown
    assert "recogniser: pocketsphinx" in shown
    assert "touch" not in shown


@pytest.mark.parametrize(
    "group",
    ["output/flac.yaml", "executor/processes.yaml", "corpus/demo.yaml", "design/covering.yaml", "generate.yaml"],
)
def test_a_folder_cannot_shadow_packaged_files_that_act(refused, tmp_path, group):
    """`output/flac.yaml` with `overwrite: true` and another folder deleted that folder's files, hand-written notes too."""
    notes = tmp_path / "thesis" / "notes.txt"
    notes.parent.mkdir()
    notes.write_text("years of work")
    (tmp_path / "thesis" / "dataset.json").write_text('{"format_version": 1, "runs": []}')
    path = tmp_path / "lab" / group
    path.parent.mkdir(parents=True)
    path.write_text(f"format: flac\ndir: {tmp_path / 'thesis'}\noverwrite: true\nname: processes\n")
    (tmp_path / "lab" / "scenario").mkdir()
    (tmp_path / "lab" / "scenario" / "tiny.yaml").write_text("name: tiny\nfactors: {noise: [none]}\n")
    refused(str(path), "generate", "scenario=tiny", "--config-dir", tmp_path / "lab", "corpus.select.max_per_accent=1")
    assert notes.read_text() == "years of work"


def test_a_scenario_cannot_place_keys_at_the_root(refused, tmp_path):
    """`# @package _global_` lets a file of the group `scenario` speak for every other group."""
    (tmp_path / "lab" / "scenario").mkdir(parents=True)
    text = "# @package _global_\nscenario: {name: t, factors: {noise: [none]}}\nexecutor: {name: dask}\noutput: {dir: /tmp/x, overwrite: true}\n"
    (tmp_path / "lab" / "scenario" / "t.yaml").write_text(text)
    refused(
        "the command line for what acts",
        "generate",
        "scenario=t",
        "--config-dir",
        tmp_path / "lab",
        f"output.dir={tmp_path / 'set'}",
    )


def test_the_config_of_a_set_says_nothing_that_acts_and_repeats_the_run(mine, roomtone, tmp_path):
    config = yaml.safe_load((mine / "config.yaml").read_text())
    assert not {"executor", "cache_dir", "config_dir"} & config.keys()
    assert set(config["output"]) == {"format", "shard_samples"}
    again = f"output.dir={tmp_path / 'again'}"
    status, _, err = roomtone("generate", "--config-dir", mine, "--config-name", "config", again, "executor=serial")
    assert status == 0, err
    from roomtone.core.dataset.manifest import read_manifest

    old, new = (
        read_manifest(folder).set_index("sample_id")["pcm_sha256"].to_dict() for folder in (mine, tmp_path / "again")
    )
    assert old == new


def test_overwrite_removes_what_the_record_lists_and_nothing_else(mine, workshop, roomtone, tmp_path):
    """Notes beside a set were deleted with it, and what a link in it led to."""
    treasure = tmp_path / "treasure"
    treasure.mkdir()
    precious = treasure / ("0" * 32 + ".flac")
    precious.write_bytes(b"precious")
    (mine / "notes.txt").write_text("mine")
    (mine / "audio" / "mine.flac").write_bytes(b"mine too")
    shutil.rmtree(mine / "audio" / "00001")
    (mine / "audio" / "00001").symlink_to(treasure)
    (mine / "tmp").symlink_to(treasure)
    words = [
        "generate",
        "corpus=demo",
        "corpus.select.max_per_accent=1",
        "scenario.factors.noise=[none]",
        "scenario.factors.room=[none]",
    ]
    words += [
        "scenario.factors.equipment=[none]",
        "scenario.factors.handset=[none]",
        "executor=serial",
        f"output.dir={mine}",
    ]
    status, _, err = roomtone(*words, "output.overwrite=true")
    assert precious.read_bytes() == b"precious"
    assert (mine / "notes.txt").read_text() == "mine"
    assert (mine / "audio" / "mine.flac").read_bytes() == b"mine too"
    assert "Traceback" not in err
    assert status in (0, 1)  # the link is in the way of writing; what matters is that nothing is lost through it


def test_overwrite_of_what_is_no_set_removes_nothing(refused, tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "notes.txt").write_text("mine")
    refused(
        "not a stress-test set",
        "generate",
        f"output.dir={tmp_path / 'home'}",
        "output.overwrite=true",
        "corpus.select.max_per_accent=1",
    )
    assert (tmp_path / "home" / "notes.txt").read_text() == "mine"


def test_nothing_is_written_through_a_link_in_a_set(mine, workshop, roomtone, tmp_path):
    """A set whose `audio` is a link to somewhere else, resumed."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.rmtree(mine / "audio")
    (mine / "audio").symlink_to(elsewhere)
    words = ["generate", "--config-dir", mine, "--config-name", "config", f"output.dir={mine}", "executor=serial"]
    status, _, err = roomtone(*words)
    assert status == 1
    assert "link" in err
    assert list(elsewhere.rglob("*.flac")) == []


def test_the_lock_of_a_run_empties_no_file_that_it_is_a_link_to(mine, refused, tmp_path):
    (tmp_path / "note.txt").write_text("mine")
    (mine / ".lock").unlink(missing_ok=True)
    (mine / ".lock").symlink_to(tmp_path / "note.txt")
    refused(
        "link", "generate", "--config-dir", mine, "--config-name", "config", f"output.dir={mine}", "executor=serial"
    )
    assert (tmp_path / "note.txt").read_text() == "mine"
