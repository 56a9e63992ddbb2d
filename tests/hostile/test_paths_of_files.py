"""Files of a stranger's that name what lies outside of their folder, and sets that tell where things lie on the machine that made them."""

import json
import os
import shutil

import pytest
import yaml

from roomtone.core.dataset.manifest import read_manifest
from roomtone.core.local_paths import LocalPaths, read_local_paths, write_local_paths


@pytest.fixture
def lab(tmp_path):
    """lab(text) -> words of a command line with a noise preset `n` of that text."""

    def make(text):
        home = tmp_path / "lab" / "noise"
        home.mkdir(parents=True, exist_ok=True)
        (home / "n.yaml").write_text(text)
        noise = "scenario.factors.noise=[none,n@5dB]"
        return [
            "plan",
            noise,
            "--config-dir",
            tmp_path / "lab",
            f"output.dir={tmp_path / 'set'}",
            "corpus.select.max_per_accent=1",
        ]

    return make


@pytest.mark.parametrize(
    "path",
    [
        "/etc",
        "../../..",
        "~/secrets",
        "s3://bucket/noises",
        "http://169.254.169.254/latest",
        "link",
        "sub/../../../../etc",
        "file:///etc",
    ],
)
def test_a_preset_cannot_read_outside_of_its_folder(lab, refused, tmp_path, path):
    words = lab(f"op: recordings\npath: {path}\n")
    (tmp_path / "lab" / "noise" / "link").symlink_to("/etc")
    refused("absolute" if path[:1] in "/~" or "://" in path else "leads out", *words)


@pytest.mark.parametrize("key", ["ir_path", "sounds_path"])
def test_nor_can_a_transform_of_audiomentations(refused, tmp_path, key):
    transform = {"ir_path": "ApplyImpulseResponse", "sounds_path": "AddBackgroundNoise"}[key]
    (tmp_path / "lab" / "handset").mkdir(parents=True)
    (tmp_path / "lab" / "handset" / "h.yaml").write_text(f"op: audiomentations\ntransform: {transform}\n{key}: /etc\n")
    refused("absolute", "plan", "scenario.factors.handset=[none,h]", "--config-dir", tmp_path / "lab")


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../table.jsonl", "~/table.jsonl", "https://example.org/t.csv", "link.jsonl"]
)
def test_a_corpus_of_a_file_stays_in_its_folder(refused, workshop, tmp_path, path):
    (tmp_path / "lab" / "corpus").mkdir(parents=True)
    shutil.copy(workshop / "corpus" / "table.jsonl", tmp_path / "table.jsonl")
    (tmp_path / "lab" / "link.jsonl").symlink_to(tmp_path / "table.jsonl")
    (tmp_path / "lab" / "corpus" / "theirs.yaml").write_text(f"defaults: [table, _self_]\npath: {path}\n")
    said = refused("corpus.path", "plan", "corpus=theirs", "--config-dir", tmp_path / "lab")
    assert "type corpus.path=PATH" in said


def test_what_is_typed_may_lie_anywhere(lab, roomtone, workshop, tmp_path):
    words = lab("op: recordings\npath: nothing_here\n")
    status, _, err = roomtone(*words, f"presets.noise.n.path={workshop / 'conf' / 'noise' / 'street'}")
    assert status == 0, err


def test_no_file_of_a_set_names_a_folder_of_this_machine(workshop):
    """Absolute paths of the corpus stood in the recipes, the configuration, the record and the lists of what was rejected."""
    needle = str(workshop).encode()
    told = [path.name for path in (workshop / "set").rglob("*") if path.is_file() and needle in path.read_bytes()]
    assert told == ["local.yaml"]
    recipes = [
        json.loads(text) for text in read_manifest(workshop / "set")["recipe"]
    ]  # Parquet is compressed: read it too
    assert all(needle.decode() not in json.dumps(recipe) for recipe in recipes)
    assert {recipe["clean"]["path"].partition(":")[0] for recipe in recipes} == {"corpus"}
    played = [clip for recipe in recipes for name, clip in recipe["clips"].items() if name.startswith("folder/")]
    assert played
    assert all(clip["path"].startswith("noise_street:") and len(clip["sha256"]) == 64 for clip in played)
    config = yaml.safe_load((workshop / "set" / "config.yaml").read_text())
    assert config["corpus"]["path"] == "corpus:table.jsonl"
    assert config["presets"]["noise"]["street"]["path"] == "noise_street:"
    assert len(config["sources"]["corpus"]["sha256"]) == 64


def test_rejections_name_no_folder_either(workshop, roomtone, tmp_path):
    table = tmp_path / "corpus" / "table.jsonl"
    shutil.copytree(workshop / "corpus", tmp_path / "corpus")
    (tmp_path / "corpus" / "bad.wav").write_bytes(b"hello")
    with table.open("a") as file:
        file.write(json.dumps({"audio": "bad.wav", "text": "t", "speaker": "s", "accent": "a"}) + "\n")
    words = [
        "generate",
        "corpus=table",
        f"corpus.path={table}",
        "scenario.factors.noise=[none]",
        "scenario.factors.room=[none]",
    ]
    words += [
        "scenario.factors.equipment=[none]",
        "scenario.factors.handset=[none]",
        "executor=serial",
        "max_rejected=5",
    ]
    assert roomtone(*words, f"output.dir={tmp_path / 'set'}")[0] == 3
    lists = list((tmp_path / "set" / "rejected").glob("*.jsonl"))
    assert lists
    for path in lists:
        assert str(tmp_path) not in path.read_text()
        assert all(json.loads(line)["path"] == "corpus:bad.wav" for line in path.read_text().splitlines())


def test_a_strangers_set_is_verified_with_paths_that_are_typed(theirs, workshop, roomtone):
    status, out, _ = roomtone("verify", f"dataset={theirs}", "share=1", "executor=serial")
    assert status == 2
    assert "type paths.corpus=FOLDER" in out
    words = [f"paths.corpus={workshop / 'corpus'}", f"paths.noise_street={workshop / 'conf' / 'noise' / 'street'}"]
    status, out, err = roomtone("verify", f"dataset={theirs}", "share=1", "executor=serial", *words)
    assert status == 0, out + err


@pytest.mark.parametrize(
    "path",
    [
        "/etc/hostname",
        "corpus:../../../../../../etc/hostname",
        "corpus:/etc/hostname",
        "other:x",
        "file:///etc/hostname",
        "corpus:link",
    ],
)
def test_a_recipe_cannot_read_outside_of_the_roots_that_were_given(
    theirs, workshop, roomtone, edit_rows, tmp_path, path
):
    """A recipe with an absolute path had any file of the reader's opened, hashed and, in a mismatch, told about."""
    from roomtone.augment.verification import verify
    from roomtone.core.workers.serial import SerialEngine

    shutil.copytree(workshop / "corpus", tmp_path / "corpus")
    (tmp_path / "corpus" / "link").symlink_to("/etc/hostname")

    def change(rows):
        for row in rows:
            recipe = json.loads(row["recipe"])
            recipe["clean"]["path"] = path
            row["recipe"] = json.dumps(recipe)

    edit_rows(theirs, change)
    roots = {"corpus": str(tmp_path / "corpus"), "noise_street": str(workshop / "conf" / "noise" / "street")}
    _, _, findings = verify(str(theirs), SerialEngine(), share=1.0, paths=roots)
    told = [finding.what for finding in findings if path in finding.what]
    assert told
    assert all(
        "no other path" in text or "leads out" in text or "absolute" in text or "not known" in text for text in told
    )


def test_local_yaml_is_believed_only_where_it_was_written(mine, tmp_path, monkeypatch):
    """Else a stranger's set brings one: `{roots: {corpus: /home}}`."""
    assert read_local_paths(mine).roots
    path = mine / "local.yaml"
    content = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump(content | {"roots": content["roots"] | {"corpus": "/etc"}}))
    assert read_local_paths(mine) == LocalPaths()
    path.write_text(yaml.safe_dump(content))
    assert read_local_paths(mine).roots == content["roots"]
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another_user"))
    assert read_local_paths(mine) == LocalPaths()
    write_local_paths(mine, LocalPaths({"corpus": "/etc"}))  # the other user's own word
    assert read_local_paths(mine).roots == {"corpus": "/etc"}
    monkeypatch.undo()
    assert read_local_paths(mine) == LocalPaths()


@pytest.mark.parametrize("code", [None, "", "0" * 64, 7, ["a"]])
def test_a_forged_seal_of_local_yaml_is_not_believed(theirs, code):
    (theirs / "local.yaml").write_text(yaml.safe_dump({"format": 1, "roots": {"corpus": "/etc"}, "code": code}))
    assert read_local_paths(theirs) == LocalPaths()


def test_a_key_that_others_may_write_seals_nothing(mine, tmp_path, monkeypatch):
    home = tmp_path / "state" / "roomtone"
    home.mkdir(parents=True)
    (home / "local.key").write_bytes(b"known to all" * 3)
    (home / "local.key").chmod(0o666)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    write_local_paths(mine, LocalPaths({"corpus": "/etc"}))
    assert read_local_paths(mine) == LocalPaths()


def test_repeating_from_another_corpus_is_refused(mine, refused, write_corpus, tmp_path):
    other = write_corpus(tmp_path / "other", 3)
    words = [
        "generate",
        "--config-dir",
        mine,
        "--config-name",
        "config",
        f"corpus.path={other}",
        f"output.dir={tmp_path / 'again'}",
    ]
    refused("not the corpus that this configuration was made from", *words, "executor=serial")


def test_a_strangers_config_without_its_corpus_says_what_to_type(theirs, refused, tmp_path):
    words = ["generate", "--config-dir", theirs, "--config-name", "config", f"output.dir={tmp_path / 'again'}"]
    refused("type corpus.path=PATH", *words)


def test_no_export_holds_local_yaml(mine, roomtone, tmp_path):
    for name in ("kaldi", "webdataset", "csv", "hf"):
        status, _, err = roomtone("export", f"dataset={mine}", f"format={name}", f"to={tmp_path / name}")
        assert status == 0, err
        assert not [path for path in (tmp_path / name).rglob("*") if path.name == "local.yaml"]


def test_a_fifo_for_a_configuration_does_not_hang(tmp_path, refused):
    (tmp_path / "lab" / "scenario").mkdir(parents=True)
    os.mkfifo(tmp_path / "lab" / "mine.yaml")
    refused("", "generate", "--config-dir", tmp_path / "lab", "--config-name", "mine")


@pytest.mark.parametrize("name", ["dataset.json", "manifest/part-00000.parquet", "manifest/part-00007.parquet"])
def test_a_pipe_in_a_set_is_not_waited_for(theirs, roomtone, name):
    (theirs / name).unlink(missing_ok=True)
    os.mkfifo(theirs / name)
    status, out, err = roomtone("verify", f"dataset={theirs}", "share=0", "executor=serial")
    assert status in (1, 2)
    assert "is a pipe, not a regular file" in out + err
    assert "Traceback" not in err
