"""A set opens where others load sets: `datasets.load_dataset` on every container, before and after an evaluation, and the hub's own cards."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from roomtone.augment.generation import generate
from roomtone.cli.main import main
from roomtone.core.dataset.containers import CONTAINERS
from roomtone.core.dataset.manifest import read_manifest

LEVELS = (
    "scenario.factors.room=[none]",
    "scenario.factors.noise=[none,pink@5dB]",
    "scenario.factors.equipment=[none]",
    "scenario.factors.handset=[none]",
    "corpus.select.max_per_accent=1",
    "design=full",
    "executor=serial",
    "output.shard_samples=14",
)
#: What `make .venv/.datasets` installs beside the other packages: a version that opens folders of recordings without torch.
PACKAGES = Path(sys.prefix) / "datasets"


@pytest.fixture(scope="module")
def sets(composed, tmp_path_factory) -> dict[str, Path]:
    """One set of 24 samples in two shards in every container."""
    home = tmp_path_factory.mktemp("sets")
    for name in CONTAINERS:
        generate(composed(*LEVELS, f"output={name}", f"output.dir={home / name}"))
    return {name: home / name for name in CONTAINERS}


@pytest.fixture(scope="module")
def load(tmp_path_factory):
    """load(folders) -> what `datasets` makes of each, in a process of its own."""
    if not PACKAGES.is_dir():
        pytest.skip("`make .venv/.datasets` installs what this test needs")

    def run(folders: list[Path]) -> dict:
        words = [Path(__file__).parent / "load_with_datasets.py", tmp_path_factory.mktemp("cache"), *folders]
        done = subprocess.run(
            [sys.executable, "-P", *map(str, words)],
            env=os.environ | {"PYTHONPATH": str(PACKAGES)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return json.loads(done.stdout)

    return run


@pytest.fixture(scope="module")
def before(sets, load) -> dict:
    """What was loaded of each set before any evaluation."""
    return load(list(sets.values()))


def labels_of(row: dict) -> dict:
    """A sample's labels: those of WebDataset lie in its json."""
    return json.loads(row["json"]) if isinstance(row.get("json"), str) else row.get("json", row)


@pytest.mark.slow
def test_every_container_loads_before_and_after_an_evaluation(sets, before, load, tmp_path) -> None:
    heard = tmp_path / "heard.csv"
    for folder in sets.values():
        read_manifest(folder)[["sample_id", "text"]].rename(columns={"text": "hypothesis"}).to_csv(heard, index=False)
        assert main(["evaluate", f"dataset={folder}", "asr=hypotheses", f"asr.path={heard}"]) in (0, 3)
        assert (folder / "evaluation" / "gaps.csv").is_file()
    assert load(list(sets.values())) == before
    for name, folder in sets.items():
        found, manifest = before[str(folder)], read_manifest(folder).set_index("sample_id")
        assert found["splits"] == ["test"]
        assert found["audio"] == ("flac" if name == "webdataset" else "audio")
        assert sorted(labels_of(row)["sample_id"] for row in found["rows"]) == sorted(manifest.index)
        for row in found["rows"]:
            labels = labels_of(row)
            expected = manifest.loc[labels["sample_id"]]
            assert row["_rate"] == expected["sample_rate_hz"]
            assert row["_pcm"] == expected["pcm_sha256"]
            for column in set(manifest.columns) & set(labels):
                same = labels[column] == expected[column]
                assert same or (labels[column] is None and pd.isna(expected[column])), (name, column)
        needed = {"text", "accent", "condition", "noise", "snr_db", "measured_snr_db", "attr_voice_gender", "speaker"}
        assert needed <= set(labels_of(found["rows"][0]))
        assert found["decoded"] == [manifest.loc[labels_of(found["rows"][0])["sample_id"], "num_samples"], 16000]


@pytest.mark.slow
def test_another_set_in_a_folder_of_that_name_is_not_taken_for_the_first(composed, load, tmp_path) -> None:
    """`datasets` kept what it had loaded under the folder's name, and showed the set of before, from another folder."""
    folders = [tmp_path / place / "my-set" for place in ("here", "there")]
    for folder, level in zip(folders, ("pink@5dB", "white@5dB")):
        words = [word for word in LEVELS if "noise" not in word]
        generate(composed(*words, f"scenario.factors.noise=[none,{level}]", f"output.dir={folder}"))
    found = load(folders)
    for folder in folders:
        assert {row["condition"] for row in found[str(folder)]["rows"]} == set(read_manifest(folder)["condition"])


@pytest.mark.slow
def test_columns_that_are_null_throughout_keep_their_type(sets, before) -> None:
    for name in ("flac", "parquet"):
        found = before[str(sets[name])]
        assert all(row["t60_s"] is None for row in found["rows"]), name
        assert found["features"]["t60_s"] == "float64"
        assert found["features"]["room_asset"] == "string"


def test_the_hub_reads_the_card_of_every_container(sets) -> None:
    hub = pytest.importorskip("huggingface_hub")
    for folder in sets.values():
        card = hub.DatasetCard.load(folder / "README.md")
        assert card.content.startswith("---\n")
        data = hub.metadata_load(folder / "README.md")
        assert card.data.to_dict() == data
        assert (data["license"], data["language"], data["size_categories"]) == ("mit", ["en"], ["n<1K"])
        assert data["task_categories"] == ["automatic-speech-recognition"]
        (config,) = data["configs"]
        (files,) = config["data_files"]
        assert (config["config_name"], files["split"]) == ("default", "test")
        assert all(list(folder.glob(pattern)) for pattern in files["path"])
        assert "synthetic" in data["tags"]


def test_the_card_counts_what_is_uneven_and_croissant_says_the_same(sets) -> None:
    folder = sets["flac"]
    card = (folder / "README.md").read_text(encoding="utf-8")
    metadata = json.loads((folder / "croissant.json").read_text(encoding="utf-8"))
    manifest = read_manifest(folder)
    genders = manifest.drop_duplicates("speaker")["attr_voice_gender"].value_counts()
    sentence = f"Speakers by attr_voice_gender: female {genders['female']}, male {genders['male']}."
    assert f"- {sentence}" in card
    assert sentence in metadata["rai:dataBiases"]
    assert all(f"- {line}" in card for line in metadata["rai:dataLimitations"])
    assert "self-reported" in metadata["rai:dataAnnotationProtocol"]
    assert metadata["conformsTo"][1] == "http://mlcommons.org/croissant/RAI/1.0"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of rdflib, under mlcroissant
def test_croissants_own_library_reads_the_responsible_ai_fields(sets) -> None:
    mlcroissant = pytest.importorskip("mlcroissant")
    loaded = mlcroissant.Dataset(str(sets["opus"] / "croissant.json")).metadata
    assert not loaded.ctx.issues.errors
    assert loaded.data_biases
    assert "Speech of the corpora demo" in str(loaded.data_collection)
    assert "not stated" not in str(loaded.data_use_cases)
