"""From a corpus on disk to a set, its matrix, its report and its metadata, by the commands that a user types."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from roomtone.augment.corpora import open_corpus
from roomtone.augment.output.croissant import croissant
from roomtone.cli.main import main
from roomtone.coverage import CoverageMatrix, read_manifest

Layout = Callable[[str], dict[str, Any]]
LIBRIVOX = Path("/usr/share/pocketsphinx/test/data/librivox")

#: layout -> what a user types beside the path
TYPED = {
    "afrispeech": "corpus=afrispeech corpus.split=test",
    "audio_folder": "corpus=audio_folder corpus.split=test",
    "common_voice": "corpus=common_voice corpus.split=test",
    "coraal": "corpus=coraal",
    "edacc": "corpus=edacc corpus.split=test",
    "fair_speech": "corpus=fair_speech",
    "globe": "corpus=globe corpus.split=test",
    "hf_parquet": "corpus=hf_parquet corpus.split=validation",
    "kaldi": "corpus=kaldi",
    "l2_arctic": "corpus=l2_arctic",
    "lhotse": "corpus=lhotse",
    "librispeech": "corpus=librispeech corpus.split=dev-clean",
    "nemo": "corpus=nemo",
    "saa": "corpus=saa",
    "vctk_new": "corpus=vctk",
    "vctk_old": "corpus=vctk",
}


@pytest.fixture(scope="module")
def config_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's configuration with a scenario of one noise, so that the tests are about corpora."""
    home = tmp_path_factory.mktemp("config")
    (home / "scenario").mkdir()
    scenario = "name: tiny\nfactors:\n  noise: [none, white@10dB]\ngoals:\n  default: {utterances: 1}\n"
    (home / "scenario" / "tiny.yaml").write_text(scenario, encoding="utf-8")
    return home


@pytest.fixture
def generate(config_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, Path]]:
    """Return a function that runs `roomtone generate` and returns its exit status and the set."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[int, Path]:
        common = [
            "scenario=tiny",
            "design=full",
            "executor=serial",
            "max_rejected=0.99",
            f"output.dir={tmp_path / 'set'}",
        ]
        return main(["generate", *words, *common, "--config-dir", str(config_dir)]), tmp_path / "set"

    return run


@pytest.mark.parametrize("name", TYPED)
def test_one_command_makes_a_set_with_the_right_accents(layout: Layout, generate: Any, name: str) -> None:
    keys = layout(name)
    utterances = list(open_corpus(keys))
    usable = [u for u in utterances if u.problem is None]
    status, dataset = generate(*TYPED[name].split(), f"corpus.path={keys['path']}")
    assert status == (0 if len(usable) == len(utterances) else 3)
    rows = read_manifest(dataset)
    assert len(rows) == 2 * len(usable)
    wanted = {u.utterance_id: u.accent for u in usable}
    assert {r.utterance_id: None if pd.isna(r.accent) else r.accent for r in rows.itertuples()} == wanted
    counted = CoverageMatrix(dataset).to_frame().groupby("accent")["utterances"].max().to_dict()
    parts = [part for u in usable for part in (u.accents or ("(not stated)",))]
    assert counted == {part: parts.count(part) for part in parts}


def test_librispeech_is_credited_in_every_row_and_read_again_as_a_set(layout: Layout, generate: Any) -> None:
    _, dataset = generate("corpus=librispeech", f"corpus.path={layout('librispeech')['path']}")
    assert set(read_manifest(dataset)["attr_licence"]) == {"CC-BY-4.0"}
    again = list(open_corpus({"reader": "roomtone", "path": str(dataset)}))
    assert len(again) == 2
    assert {u.corpus for u in again} == {"librispeech"}
    assert {u.attributes["licence"] for u in again} == {"CC-BY-4.0"}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of rdflib, under mlcroissant
def test_croissant_is_valid_and_loads_every_row(generate: Any, caplog: pytest.LogCaptureFixture) -> None:
    mlcroissant = pytest.importorskip("mlcroissant")
    _, dataset = generate("corpus=demo", "corpus.select.max_per_accent=2")
    state = json.loads((dataset / "dataset.json").read_text(encoding="utf-8"))
    metadata = croissant(dataset, state)
    assert metadata["license"] == ["MIT"]
    assert "espeak-ng" in metadata["creator"]["name"]
    (dataset / "croissant.json").write_text(json.dumps(metadata), encoding="utf-8")
    with caplog.at_level(logging.ERROR):
        loaded = mlcroissant.Dataset(str(dataset / "croissant.json"))
        assert not loaded.metadata.ctx.issues.errors
        names = [row["samples/sample_id"].decode() for row in loaded.records("samples")]
    assert sorted(names) == sorted(read_manifest(dataset)["sample_id"])
    wrong = metadata | {
        "recordSet": [metadata["recordSet"][0] | {"field": [{"@type": "cr:Field", "@id": "samples/x"}]}]
    }
    (dataset / "croissant.json").write_text(json.dumps(wrong), encoding="utf-8")
    with pytest.raises(mlcroissant.ValidationError):  # the validator does look
        mlcroissant.Dataset(str(dataset / "croissant.json"))


def test_the_report_of_the_demo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["corpus", "measure=12", "by=[voice_gender]", f"output.dir={tmp_path}"]) == 0
    out = capsys.readouterr().out
    assert "192 utterances, 96 speakers" in out
    assert "synthetic speech" in out
    assert "licence: MIT" in out
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    accents = report["groups"]["accent"]
    assert len(accents) == 12
    assert {(row["speakers"], row["utterances"]) for row in accents.values()} == {(8, 16)}
    assert report["groups"]["voice_gender"]["female"]["speakers"] == 48
    assert report["total"]["measured"] == 12
    assert report["total"]["speech_to_floor_db"] == pytest.approx(47.0, abs=4.0)
    assert not report["unusable"]
    assert pd.read_csv(tmp_path / "accents.csv")["utterances"].sum() == 192
    assert (tmp_path / "corpus.png").read_bytes()[:4] == b"\x89PNG"


def test_the_report_names_unmapped_labels_and_problems(layout: Layout, capsys: pytest.CaptureFixture[str]) -> None:
    path = layout("common_voice")["path"]
    typed = ["corpus", "corpus=common_voice", f"corpus.path={path}", "output.dir=null"]
    assert main([*typed, "corpus.split=test"]) == 0
    out = capsys.readouterr().out
    assert "a bit of everything, really" in out
    assert "(not stated)" in out
    assert main([*typed, "corpus.split=validated", "max_rejected=0.5"]) == 3
    assert "there is no such file, e.g. common_voice_en_9999" in capsys.readouterr().out
    assert main([*typed, "corpus.split=validated", "max_rejected=0"]) == 4


def test_the_report_finds_copies_cut_files_and_dirty_ones(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import numpy as np
    import soundfile

    from roomtone.core.audio.reading import read_audio
    from roomtone.core.audio.segment import AudioRef

    speech = read_audio(AudioRef("package:demo/american-m1-01.flac"), 16000)
    noise = np.random.default_rng(0).standard_normal(speech.size) * 10 ** (-48 / 20)  # 12 dB below the speech
    for name, samples in {"a": speech, "b": speech, "noisy": speech + noise}.items():
        soundfile.write(tmp_path / f"{name}.wav", samples, 16000)
    (tmp_path / "cut.wav").write_bytes((tmp_path / "a.wav").read_bytes()[:5000])
    (tmp_path / "page.wav").write_text("<!DOCTYPE html>", encoding="utf-8")
    typed = [f"corpus.path={tmp_path}", "corpus.accent=welsh", "corpus.speaker=s", f"output.dir={tmp_path / 'out'}"]
    assert main(["corpus", "corpus=folder", *typed]) == 4
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert report["same_audio"] == ["b.wav"]
    assert {reason.split(":")[0].split(",")[0]: entry["examples"] for reason, entry in report["unusable"].items()} == {
        "is cut": ["cut.wav"],
        "is a web page": ["page.wav"],
    }
    assert [entry["examples"] for reason, entry in report["flagged"].items() if "noise floor" in reason] == [
        ["noisy.wav"]
    ]
    assert "unusable: 1: is a web page" in capsys.readouterr().out


def test_the_report_says_how_much_rumble_reading_removes(
    tmp_path: Path, voice: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    import soundfile

    for percent in (0, 5):
        soundfile.write(tmp_path / f"{percent}.wav", voice + percent / 100, 16000)
    typed = ["corpus=folder", f"corpus.path={tmp_path}", "corpus.accent=welsh", f"output.dir={tmp_path / 'out'}"]
    assert main(["corpus", *typed]) == 0
    assert "removed on reading, below 20 Hz: median" in (out := capsys.readouterr().out)
    assert "DC up to 5.0" in out
    total = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))["total"]
    assert total["largest_offset"] == pytest.approx(0.05, abs=2e-3)
    # 5 % is -26 dBov
    assert total["largest_rumble_to_speech_db"] == pytest.approx(-26.0 - total["level_dbov"], abs=0.5)


def test_an_accent_map_is_chosen_as_a_group(layout: Layout, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    typed = ["corpus", "corpus=nemo", f"corpus.path={layout('nemo')['path']}", "output.dir=null", "measure=0"]
    (tmp_path / "accents").mkdir()
    mine = "version: 1\naccents:\n  cymric: {region: british_isles, raw: [welsh]}\n"
    (tmp_path / "accents" / "mine.yaml").write_text(mine, encoding="utf-8")
    assert main([*typed, "accents=mine", "--config-dir", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "cymric" in out
    assert "accents that the map does not have (1 utterances)" in out
    assert main([*typed, "accents=english"]) == 0
    assert "unmapped" not in capsys.readouterr().out


def test_the_readme_shows_these_commands() -> None:
    readme = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    if "corpus=common_voice" not in readme:
        pytest.skip("the README has no table of corpora")
    for words in TYPED.values():
        assert f"{words.split()[0]} corpus.path=" in readme, words


@pytest.mark.skipif(not LIBRIVOX.is_dir(), reason="needs Debian's pocketsphinx-testdata")
def test_real_recordings_are_clean(capsys: pytest.CaptureFixture[str]) -> None:
    typed = [f"corpus.path={LIBRIVOX}", "corpus.accent=american", "output.dir=null"]
    assert main(["corpus", "corpus=folder", *typed]) == 0
    out = capsys.readouterr().out
    assert "folder: 5 utterances" in out
    assert "not clean" not in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["measure=-1"], "measure: expected a whole number"),
        (["max_rejected=-1"], "max_rejected: expected a count such as 3, or a share from 0 to 1"),
        (["by=[voice_gendr]"], "by: no utterance has 'voice_gendr'; did you mean 'voice_gender'"),
        (["corpus=comon_voice"], "no option 'comon_voice'; did you mean 'common_voice'"),
        (["corpus=vctk", "corpus.path=/nowhere/at/all"], "there is no /nowhere/at/all"),
        (["corpus=vctk"], "corpus.path is missing"),
        (["corpus.accents=vtck"], "there is no map 'vtck'; did you mean 'vctk'"),
    ],
)
def test_wrong_input_is_one_line(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["corpus", *words, "output.dir=null"]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
