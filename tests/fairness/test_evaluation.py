"""From a set to a report: figures that equal the tables, payloads that stay text, verdicts that refuse, exit statuses."""

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from roomtone.cli.main import main
from roomtone.core.dataset.study import read_study
from roomtone.core.errors import RoomtoneError, TooManyRejectedError
from roomtone.coverage import CoverageMatrix, read_manifest
from roomtone.fairness.evaluation import Settings, evaluate, held_out
from roomtone.fairness.report.content import gather
from roomtone.fairness.report.formatting import points
from roomtone.fairness.report.headline import headline
from roomtone.fairness.report.page import write_report

WORDS = ["give", "ten", "units", "of", "saline", "every", "hour", "before", "noon", "please"]
PAYLOAD = '<script>alert("x")</script>'
SPHINX = Path("/usr/share/pocketsphinx/test/data")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture
def spoilt_set(make_set, tmp_path):
    """Return a maker of a set and a file of hypotheses in which words are wrong with the WER of accent and condition."""

    def make(
        rates: dict[tuple[str, str], float], speakers: int = 6, utterances: int = 4, name: str = "set"
    ) -> tuple[Path, Path]:
        rng = np.random.default_rng(1)
        rows, heard = [], []
        for accent, condition in rates:
            for s in range(speakers):
                for u in range(utterances):
                    rows.append({
                        "accent": accent, "condition": condition, "speaker": f"{accent}-{s}", "text": " ".join(WORDS),
                        "utterance_id": f"{accent}-{s}-{u}", "sample_id": f"s{len(rows):05d}", "samples": np.zeros(160, dtype=np.int16),
                    })  # fmt: skip
                    wrong = rng.random(len(WORDS)) < rates[accent, condition]
                    words = ["wrong" if bad else word for bad, word in zip(wrong, WORDS)]
                    heard.append({"sample_id": rows[-1]["sample_id"], "hypothesis": " ".join(words)})
        file = tmp_path / f"{name}.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in heard))
        return make_set(rows, name), file

    return make


def grid(accents, **wer_by_condition) -> dict[tuple[str, str], float]:
    return {(a, c.replace("_", "+")): w for a in accents for c, w in wer_by_condition.items()}


@pytest.fixture
def gap_set(spoilt_set):
    return spoilt_set(grid(("irish", "scottish", PAYLOAD), clean=0.05, ward=0.15) | {("scottish", "ward"): 0.55})


def test_the_command_goes_from_hypotheses_to_a_verdict(gap_set, capsys) -> None:
    dataset, file = gap_set
    assert main(["evaluate", f"dataset={dataset}", "asr=hypotheses", f"path={file}"]) == 0
    said = capsys.readouterr().out
    assert "In ward, scottish has" in said
    assert "All of this speech is synthetic" in said
    folder = dataset / "evaluation"
    names = {
        "report.html",
        "report.md",
        "card.md",
        "cells.csv",
        "gaps.csv",
        "subgroups.csv",
        "mapsswe.csv",
        "interaction.csv",
    }
    assert names | {"evaluation.json"} <= {p.name for p in folder.iterdir()}
    gaps = pd.read_csv(folder / "gaps.csv").set_index(["accent", "condition"])
    assert gaps.loc[("scottish", "ward"), "verdict"] == "gap"
    assert gaps.loc[("scottish", "ward"), "did_low"] > 0.2
    summary = json.loads((folder / "evaluation.json").read_text())
    assert summary["named_slices"][0] == "accent = scottish and condition = ward"
    assert summary["interaction_p"] < 0.1  # a few clean errors in each accent, on the scale of ratios
    assert (folder / "certificate-1.json").is_file()
    # the tests in pairs know nothing of accents and see the condition
    pairs = pd.read_csv(folder / "mapsswe.csv").set_index("accent")
    assert pairs.loc["all", "p"] < 0.001


def test_the_figures_of_the_page_are_those_of_the_tables(gap_set) -> None:
    """Page, `cells.csv`, the comparison in memory and its notebook form hold the same numbers."""
    dataset, file = gap_set
    result = evaluate(dataset, Settings(asr={"recogniser": "hypotheses", "path": str(file)}))
    page = write_report(result)[0].read_text(encoding="utf-8")
    table = pd.read_csv(dataset / "evaluation" / "cells.csv").set_index(["accent", "condition"])
    for shown in (page, result.comparison._repr_html_()):
        data = component_data(shown)
        layers = {layer["id"]: layer["fields"] for layer in data["layers"]}
        order = pd.MultiIndex.from_product([data["rows"]["names"], data["columns"]["names"]])
        cells = table.loc[order]
        assert layers["wer"]["value"]["cells"] == pytest.approx(cells["wer"].tolist(), abs=1e-6)
        assert layers["wer"]["low"]["cells"] == pytest.approx(cells["wer_low"].tolist(), abs=1e-6)
        lost = (cells["substitutions"] + cells["deletions"]) / cells["words"]
        assert layers["lost"]["value"]["cells"] == pytest.approx(lost.tolist(), abs=1e-6)
        assert layers["invented"]["value"]["cells"] == pytest.approx(
            (cells["insertions"] / cells["words"]).tolist(), abs=1e-6
        )
        width = cells["wer_high"] - cells["wer_low"]
        assert layers["width"]["value"]["cells"] == pytest.approx(width.tolist(), abs=1e-6)
        at = order.get_loc(("scottish", "ward"))
        clean = cells["wer"].loc[("scottish", "clean")]
        assert layers["cost"]["value"]["cells"][at] == pytest.approx(
            cells["wer"].loc[("scottish", "ward")] - clean, abs=1e-6
        )
        assert layers["verdict"]["value"]["cells"][at] == "worse"
    gaps = re.search(r'<table id="gaps">.*?</table>', page, re.S)[0]
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row, re.S) for row in re.findall(r"<tr>(.*?)</tr>", gaps, re.S)[1:]]
    assert [row[5] for row in rows] == [points(v) for v in result.comparison.gaps["did"]]
    assert [html.unescape(row[0]) for row in rows] == result.comparison.gaps["accent"].tolist()


def component_data(text: str) -> dict:
    """Return what the component of a page is given."""
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', text, re.S)[1])


def test_report_page_and_notebook_run_one_component(gap_set) -> None:
    from roomtone.coverage.views.matrix_view import component_sha256

    dataset, file = gap_set
    result = evaluate(dataset, Settings(asr={"recogniser": "hypotheses", "path": str(file)}))
    stated = f'data-component="sha256-{component_sha256()}"'
    assert write_report(result)[0].read_text(encoding="utf-8").count(stated) == 1
    assert result.comparison._repr_html_().count(stated) == 1
    assert main(["coverage", f"dataset={dataset}"]) == 0
    page = (dataset / "coverage" / "index.html").read_text(encoding="utf-8")
    assert page.count(stated) == 1
    data = component_data(page)
    assert {"lost", "invented", "width", "cost", "verdict"} <= {layer["id"] for layer in data["layers"]}
    assert data["first"] != "lost"  # the coverage page begins with coverage


@pytest.mark.slow
def test_page_report_and_notebook_show_the_counts_of_the_matrix_csv(gap_set) -> None:
    dataset, file = gap_set
    report = write_report(evaluate(dataset, Settings(asr={"recogniser": "hypotheses", "path": str(file)})))[0]
    assert main(["coverage", f"dataset={dataset}"]) == 0
    table = pd.read_csv(dataset / "coverage" / "matrix.csv").set_index(["accent", "condition"])
    shown = [path.read_text(encoding="utf-8") for path in (report, dataset / "coverage" / "index.html")]
    for text in [*shown, CoverageMatrix(dataset, goals=read_study(dataset).goals)._repr_html_()]:
        data = component_data(text)
        cells = table.loc[pd.MultiIndex.from_product([data["rows"]["names"], data["columns"]["names"]])]
        layers = {layer["id"]: layer["fields"]["value"] for layer in data["layers"]}
        for unit in ("utterances", "speakers", "renders", "minutes"):
            assert layers[unit]["cells"] == pytest.approx(cells[unit].tolist(), abs=1e-6), unit
        assert layers["renders"]["all"] == cells["renders"].sum()


def test_no_output_names_the_machine(gap_set, tmp_path) -> None:
    dataset, file = gap_set
    write_report(evaluate(dataset, Settings(asr={"recogniser": "hypotheses", "path": str(file)})))
    for path in [dataset / "evaluation" / "report.html", *(dataset / "evaluation" / "report-files").iterdir()]:
        assert str(dataset) not in path.read_text(encoding="utf-8"), path.name


def test_payloads_stay_text_in_every_output(gap_set) -> None:
    dataset, file = gap_set
    result = evaluate(dataset, Settings(asr={"recogniser": "hypotheses", "path": str(file)}))
    page, *others = write_report(result)
    for path in others:
        assert "<script" not in path.read_text(), path.name
    assert page.read_text().count("<script") == page.read_text().count("</script>") == 2  # the data and the code
    assert html.escape(PAYLOAD, quote=False).split("alert")[0] in page.read_text()


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_the_page_opens_in_a_browser_without_a_network(gap_set, tmp_path) -> None:
    dataset, file = gap_set
    result = evaluate(dataset, Settings(asr={"recogniser": "hypotheses", "path": str(file)}))
    page = write_report(result)[0]
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={tmp_path}/profile",
        "--dump-dom", page.resolve().as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert 'id="ranked"' in done.stdout, done.stderr[-500:]
    assert "data-theme" in done.stdout  # the component has started
    first = re.search(r'class="headline"[^>]*>(.*?)</p>', done.stdout, re.S)
    assert first is not None
    assert html.unescape(first[1]) == headline(gather(result))
    assert "scottish" in first[1]
    assert not re.search(r'(?:src|href)="(?:https?:)?//', done.stdout)


def test_one_speaker_is_refused_an_accent_claim_and_told_why(make_set, tmp_path, capsys) -> None:
    rows = [
        {"accent": "english", "speaker": "reader", "condition": c, "text": " ".join(WORDS), "utterance_id": f"u{u}", "sample_id": f"{c}{u}"}
        for c in ("clean", "ward") for u in range(4)
    ]  # fmt: skip
    dataset, file = make_set(rows), tmp_path / "h.csv"
    pd.DataFrame({"sample_id": [r["sample_id"] for r in rows], "hypothesis": "give ten units"}).to_csv(
        file, index=False
    )
    assert main(["evaluate", f"dataset={dataset}", "asr=hypotheses", f"path={file}"]) == 0
    said = capsys.readouterr().out
    assert "There is one speaker" in said
    assert "no claim about accents is made" in said
    assert len(pd.read_csv(dataset / "evaluation" / "gaps.csv")) == 0


def test_ids_that_do_not_fit_are_exit_1_and_allow_missing_shows_the_loss(gap_set, capsys) -> None:
    dataset, file = gap_set
    lines = file.read_text().splitlines()
    file.write_text("\n".join([*lines[5:], lines[9], json.dumps({"sample_id": "zz", "hypothesis": "x"})]))
    words = ["evaluate", f"dataset={dataset}", "asr=hypotheses", f"path={file}"]
    assert main(words) == 1
    said = capsys.readouterr().err
    for part in ("5 samples have no hypothesis", "1 ids are unknown, e.g. 'zz'", "1 ids are duplicates"):
        assert part in said
    assert main([*words, "allow_missing=true"]) == 3
    assert "5 of 144 samples have no hypothesis" in capsys.readouterr().out
    cells = pd.read_csv(dataset / "evaluation" / "cells.csv")
    assert cells["failed"].sum() == 5


def test_too_many_failures_stop_the_evaluation(gap_set) -> None:
    dataset, _ = gap_set
    with pytest.raises(TooManyRejectedError, match=r"144 of 144 samples.*exit status 1"):
        evaluate(dataset, Settings(asr={"recogniser": "command", "command": "false {audio}"}))


def test_a_certificate_is_checked_on_another_set_by_the_command(gap_set, spoilt_set, capsys) -> None:
    dataset, file = gap_set
    main(["evaluate", f"dataset={dataset}", "asr=hypotheses", f"path={file}"])
    certificate = dataset / "evaluation" / "certificate-1.json"
    other, heard = spoilt_set(
        grid(("irish", "scottish", "welsh"), clean=0.05, ward=0.15) | {("scottish", "ward"): 0.5},
        speakers=9,
        name="other",
    )
    capsys.readouterr()
    words = ["evaluate", f"dataset={other}", "asr=hypotheses", f"path={heard}", f"certificate={certificate}"]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert said.startswith("upheld")
    assert "1 of 20 queries" in said
    flat, even = spoilt_set(grid(("irish", "scottish", "welsh"), clean=0.05, ward=0.15), speakers=9, name="flat")
    assert main(["evaluate", f"dataset={flat}", "asr=hypotheses", f"path={even}", f"certificate={certificate}"]) == 2


def test_held_out_speakers_are_a_share_of_each_group_and_stay_the_same() -> None:
    scores = pd.DataFrame({"accent": list("aaaabbbb") * 2, "speaker": [f"s{k}" for k in range(8)] * 2})
    out = held_out(scores, Settings(asr={}, holdout=0.5))
    assert scores[out].groupby("accent")["speaker"].nunique().tolist() == [2, 2]
    shuffled = scores.sample(frac=1, random_state=0).reset_index(drop=True)
    assert set(shuffled[held_out(shuffled, Settings(asr={}, holdout=0.5))]["speaker"]) == set(scores[out]["speaker"])
    with pytest.raises(RoomtoneError, match="holdout"):
        held_out(scores, Settings(asr={}, holdout=50))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["evaluate"], "evaluate needs a set"),
        (["evaluate", "dataset=/no/such"], "no such dataset folder"),
        (["evaluate", "dataset=s3://bucket/set"], "is a URL"),
        (["export", "dataset=s3://bucket/set", "format=csv", "to=/tmp/x"], "is a URL"),
        (["evaluate", "dataset={}", "asr=hypotheses"], "path=FILE"),
        (["evaluate", "dataset={}", "asr=whisper"], "asr: there is no option 'whisper'"),
        (["evaluate", "dataset={}", "normalizer=bsic", "asr=hypotheses", "path={h}"], "did you mean 'basic'"),
        (["evaluate", "dataset={}", "smalest_gap=1"], "did you mean 'smallest_gap'"),
        (["export", "dataset={}"], "export needs format.*kaldi"),
        (["export", "dataset={}", "format=kaldy", "to=/tmp/x"], "did you mean 'kaldi'"),
    ],
)
def test_wrong_input_is_one_line_and_exit_1(gap_set, capsys, words, message) -> None:
    dataset, file = gap_set
    assert main([w.format(dataset, h=file) for w in words]) == 1
    error = capsys.readouterr().err
    assert re.search(message, error), error
    assert len(error.strip().splitlines()) == 1


@pytest.mark.parametrize("name", ["pocketsphinx", "command", "http", "faster_whisper", "transformers", "hypotheses"])
def test_every_recognisers_options_are_its_fields(name, capsys) -> None:
    import dataclasses

    from omegaconf import OmegaConf

    from roomtone.cli.arguments import Arguments
    from roomtone.cli.compose import compose_config
    from roomtone.fairness.recognisers import RECOGNISERS

    options = OmegaConf.to_container(compose_config(Arguments((f"asr={name}",)), "evaluate").asr)
    assert options.pop("recogniser") == name
    if name in RECOGNISERS:
        import importlib

        module, cls = RECOGNISERS[name]
        fields = dataclasses.fields(getattr(importlib.import_module(f"roomtone.fairness.recognisers.{module}"), cls))
        assert set(options) == {f.name for f in fields if f.init}


def test_export_from_the_command_line(gap_set, tmp_path, capsys) -> None:
    dataset, _ = gap_set
    assert main(["export", f"dataset={dataset}", "format=nemo", f"to={tmp_path / 'out'}"]) == 0
    assert "manifest.json" in capsys.readouterr().out
    assert main(["export", f"dataset={dataset}", "format=nemo", f"to={tmp_path / 'out'}"]) == 1


@pytest.mark.slow
@pytest.mark.skipif(not SPHINX.is_dir(), reason="pocketsphinx-testdata is not installed")
def test_recorded_speech_is_heard_worse_the_more_noise_there_is(make_set, capsys) -> None:
    """LibriVox sentences through the general model; noise is white here, at SNRs against the sentence's own power."""
    rows, rng = [], np.random.default_rng(0)
    lines = (SPHINX / "librivox" / "transcription").read_text().splitlines()
    for line in sorted(lines, key=len)[:2]:  # the short ones: the general model takes its time over noise
        text, name = re.fullmatch(r"<s> (.*) </s> \((.*)\)", line).groups()
        speech, rate = soundfile.read(SPHINX / "librivox" / f"{name}.wav", dtype="float64")
        assert rate == 16000
        for condition, snr_db in (("clean", None), ("white@20dB", 20), ("white@10dB", 10), ("white@0dB", 0)):
            noise = rng.standard_normal(len(speech)) * np.sqrt((speech**2).mean())
            mixed = speech if snr_db is None else speech + noise * 10 ** (-snr_db / 20)
            pcm = np.clip(mixed * 20000, -32768, 32767).astype(np.int16)
            rows.append({
                "accent": "american", "speaker": "reader", "condition": condition, "text": text, "utterance_id": name, "samples": pcm,
                "sample_id": f"{name[-4:]}{condition.replace('@', '-')}", "speech_origin": "recorded",
            })  # fmt: skip
    dataset = make_set(rows)
    assert main(["evaluate", f"dataset={dataset}", "asr=pocketsphinx"]) == 0
    cells = pd.read_csv(dataset / "evaluation" / "cells.csv").set_index("condition")["wer"]
    assert cells["clean"] < 0.5
    assert cells["clean"] <= cells["white@20dB"] < cells["white@10dB"] < cells["white@0dB"]
    said = capsys.readouterr().out
    assert "There is one speaker" in said
    assert "synthetic" not in said
    assert read_manifest(dataset)["speaker"].nunique() == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["baseline=quiet"], "no sample is in the condition 'quiet'"),
        (["reference_accent=irsh"], "did you mean 'irish'"),
        (["normalizer=bsic"], "did you mean 'basic'"),
        (["terms=/no/such/terms.txt"], "terms"),
        (["declared=[[irish,mri]]"], "no comparison of 'irish' in 'mri'"),
        (["group=acent"], "no column 'acent'"),
    ],
)
def test_what_is_asked_is_checked_before_the_first_recording_is_transcribed(
    gap_set, tmp_path, capsys, words, message
) -> None:
    """A wrong baseline was refused after 24 minutes of transcribing. The recogniser here leaves a file behind when it is called."""
    dataset, _ = gap_set
    called = tmp_path / "called"
    assert (
        main(["evaluate", f"dataset={dataset}", "asr=command", f"asr.command='touch {called} {{audio}}'", *words]) == 1
    )
    assert message in capsys.readouterr().err
    assert not called.exists()
