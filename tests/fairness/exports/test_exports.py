"""Each format is read back by its own reader where one installs, row for row and label for label."""

import gzip
import io
import json
import subprocess
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from roomtone.core.errors import RoomtoneError
from roomtone.coverage import read_manifest
from roomtone.fairness import score
from roomtone.fairness.exports import FORMATS, export
from roomtone.fairness.results import evaluation_dir, write_scores

SCLITE = Path("/usr/lib/sctk/bin/sclite")
TEXTS = ("Hold the scan, please.", "don't stop", "give ten units of saline")


@pytest.fixture
def dataset(make_set) -> Path:
    """Twelve samples of four speakers, one unknown, with labels that formats must not trip over."""
    rows = [
        {
            "accent": accent, "speaker": speaker, "condition": condition, "text": TEXTS[k % 3], "noise": None if condition == "clean" else "x",
            "attr_gender": "female", "snr_db": None if condition == "clean" else 5.0,
        }
        for k, (accent, speaker, condition) in enumerate(
            (a, s, c)
            for a, s in (("scottish", "sp 1"), ("scottish", "sp_1"), ("=cmd|calc", "b"), (None, None))
            for c in ("clean", "ward+babble@5dB", "gsm")
        )
    ]  # fmt: skip
    return make_set(rows)


@pytest.fixture
def evaluated(dataset: Path) -> Path:
    manifest = read_manifest(dataset)
    heard = {row.sample_id: row.text.lower().replace("units", "unit of") for row in manifest.itertuples()}
    answers = pd.DataFrame({"sample_id": list(heard), "hypothesis": list(heard.values()), "reason": None}, dtype=object)
    answers.loc[11, ["hypothesis", "reason"]] = [None, "timed out"]
    write_scores(evaluation_dir(dataset), score(manifest, answers), answers)
    return dataset


def test_csv_runs_nothing_in_a_spreadsheet_and_changes_nothing_else(dataset, tmp_path) -> None:
    (path,) = export(dataset, "csv", tmp_path / "out")
    read = pd.read_csv(path)
    manifest = read_manifest(dataset)
    assert len(read) == 12
    assert read["accent"].dropna().unique().tolist() == ["scottish", "'=cmd|calc"]
    assert read["snr_db"].tolist() == pytest.approx(manifest["snr_db"].tolist(), nan_ok=True)


def test_fairlearn_groups_by_accent_within_condition(evaluated, tmp_path) -> None:
    from fairlearn.metrics import MetricFrame

    frame = pd.read_parquet(export(evaluated, "fairlearn", tmp_path / "out")[0])
    assert len(frame) == 11  # the failure has no errors to count
    known = frame[frame["accent"].notna()]
    by_cell = MetricFrame(
        metrics={"wer": lambda t, p, errors, words: errors.sum() / words.sum()},
        y_true=known["reference"], y_pred=known["hypothesis"], sensitive_features=known[["accent"]], control_features=known[["condition"]],
        sample_params={"wer": {"errors": known["errors"], "words": known["words"]}},
    ).by_group["wer"]  # fmt: skip
    sums = known.groupby(["condition", "accent"])[["errors", "words"]].sum()
    assert by_cell.sort_index().tolist() == pytest.approx((sums["errors"] / sums["words"]).sort_index().tolist())


def test_fairlearns_documented_wer_frame() -> None:
    from fairlearn.metrics import MetricFrame

    frame = pd.DataFrame(
        {
            "e": [1, 0, 2, 3, 1, 4, 0, 2],
            "n": [10, 5, 20, 10, 10, 10, 5, 20],
            "a": list("AAAABBBB"),
            "c": list("ccnn") * 2,
        }
    )
    found = MetricFrame(
        metrics={"wer": lambda t, p, e, n: e.sum() / n.sum()}, y_true=frame["e"], y_pred=frame["e"],
        sensitive_features=frame[["a"]], control_features=frame[["c"]], sample_params={"wer": {"e": frame["e"], "n": frame["n"]}},
    )  # fmt: skip
    assert found.by_group["wer"].loc["c"].tolist() == pytest.approx([0.066667, 0.25], abs=1e-6)
    assert found.difference()["wer"].tolist() == pytest.approx([0.183333, 0.086667], abs=1e-6)
    assert found.ratio()["wer"].tolist() == pytest.approx([0.266667, 0.48], abs=1e-6)
    from roomtone.fairness import compare

    own = compare(
        frame.assign(speaker=range(8)).rename(columns={"e": "errors", "n": "words", "a": "accent", "c": "condition"}),
        baseline="c",
    )
    assert own.cells.set_index(["condition", "accent"])["wer"].to_dict() == pytest.approx(
        {k: v for k, v in found.by_group["wer"].items()}
    )


def test_fairlearns_documented_intersections_are_our_ratios_of_sums() -> None:
    """The user guide's recall and selection rates, once by fairlearn and once as counts over words in `compare`'s own cells."""
    from fairlearn.metrics import MetricFrame, selection_rate
    from sklearn.metrics import recall_score

    from roomtone.fairness import compare

    truth = [0, 1, 1, 1, 1, 0, 1, 0, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1]
    guess = [0, 0, 1, 0, 1, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 1, 1, 0]
    letter = list("bbabbcccaacabccbcc")
    number = [8, 6, 8, 8, 8, 8, 6, 6, 6, 8, 6, 6, 6, 6, 8, 6, 6, 6]
    metrics = {"recall": recall_score, "selection": selection_rate}
    frame = MetricFrame(
        metrics=metrics, y_true=truth, y_pred=guess, sensitive_features={"letter": letter, "number": number}
    )
    assert frame.overall.to_dict() == pytest.approx({"recall": 0.5, "selection": 0.555556}, abs=1e-6)
    documented = {("a", 6): 0, ("a", 8): 1, ("b", 6): 2 / 3, ("b", 8): 0.5, ("c", 6): 0.5, ("c", 8): 0}
    assert frame.by_group["recall"].to_dict() == pytest.approx(documented)

    rows = pd.DataFrame({"errors": guess, "words": 1, "accent": letter, "condition": [f"n{n}" for n in number]})
    positives = rows[[t == 1 for t in truth]].assign(speaker=lambda r: range(len(r)))
    own = compare(positives, baseline="n6").cells.set_index(["accent", "condition"])["wer"]
    assert {(a, int(c[1])): value for (a, c), value in own.items()} == pytest.approx(documented)


def test_fairlearn_without_an_evaluation_says_what_is_missing(dataset, tmp_path) -> None:
    with pytest.raises(RoomtoneError, match="run `roomtone evaluate`"):
        export(dataset, "fairlearn", tmp_path / "out")


def test_hugging_face_parquet_declares_its_features_and_holds_the_audio(dataset, tmp_path) -> None:
    import pyarrow.parquet as pq

    path = export(dataset, "hf", tmp_path / "out")[0]
    assert path.name == "test-00000-of-00001.parquet"
    table = pq.read_table(path)
    features = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]
    assert features["audio"] == {"sampling_rate": 16000, "_type": "Audio"}
    assert features["accent"] == {"dtype": "string", "_type": "Value"}
    assert features["replicate"] == {"dtype": "int32", "_type": "Value"}
    assert list(features) == table.column_names
    manifest = read_manifest(dataset).set_index("sample_id")
    for row in table.to_pylist():
        samples, _ = soundfile.read(io.BytesIO(row["audio"]["bytes"]), dtype="int16")
        assert len(samples) == row["num_samples"]
        expected = manifest.loc[row["sample_id"]]
        assert (row["condition"], row["text"]) == (expected["condition"], expected["text"])


def test_nemo_has_its_three_keys_and_the_labels_beside_them(evaluated, tmp_path) -> None:
    (path,) = export(evaluated, "nemo", tmp_path / "out")
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(entries) == 12
    for entry in entries:
        samples, rate = soundfile.read(entry["audio_filepath"])
        assert entry["duration"] == pytest.approx(len(samples) / rate)
    assert (
        entries[0] | {"accent": "scottish", "condition": "clean", "speaker": "sp 1", "attr_gender": "female"}
        == entries[0]
    )
    assert "pred_text" in entries[0]
    assert "pred_text" not in entries[11]


def test_lhotse_manifests_keep_its_invariants(dataset, tmp_path) -> None:
    paths = export(dataset, "lhotse", tmp_path / "out")
    recordings, supervisions, cuts = (
        [json.loads(x) for x in gzip.decompress(p.read_bytes()).splitlines()] for p in paths
    )
    assert len(recordings) == len(supervisions) == len(cuts) == 12
    for recording, supervision in zip(recordings, supervisions):
        assert recording["duration"] == recording["num_samples"] / recording["sampling_rate"]
        assert supervision["recording_id"] == recording["id"]
    assert supervisions[1]["custom"]["condition"] == "ward+babble@5dB"
    assert supervisions[1]["speaker"] == "sp 1"


def test_lhotse_itself_reads_them(dataset, tmp_path) -> None:
    lhotse = pytest.importorskip("lhotse")
    paths = export(dataset, "lhotse", tmp_path / "out")
    cuts = lhotse.CutSet.from_jsonl(paths[2])
    lhotse.validate_recordings_and_supervisions(
        lhotse.RecordingSet.from_jsonl(paths[0]), lhotse.SupervisionSet.from_jsonl(paths[1])
    )
    for cut in cuts:
        assert cut.load_audio().shape == (1, cut.num_samples)
        assert cut.custom["condition"]


def test_kaldi_tables_pass_the_documented_checks(dataset, tmp_path) -> None:
    export(dataset, "kaldi", tmp_path / "out")
    tables = {p.name: p.read_text().splitlines() for p in (tmp_path / "out").iterdir() if p.is_file()}
    for name, lines in tables.items():
        keys = [line.split(" ", 1)[0] for line in lines]
        assert keys == sorted(keys, key=str.encode), name
        assert len(set(keys)) == len(keys), name
    utterances = [line.split()[0] for line in tables["utt2spk"]]
    assert len(utterances) == 12
    for name in ("wav.scp", "text", "utt2dur", "utt2accent", "utt2condition"):
        assert [line.split(" ", 1)[0] for line in tables[name]] == utterances
    speakers = [line.split()[1] for line in tables["utt2spk"]]
    assert speakers == sorted(speakers, key=str.encode)  # validate_data_dir.sh: sorted by speaker as well
    assert all(u.startswith(f"{s}-") for u, s in (line.split() for line in tables["utt2spk"]))
    assert len(set(speakers)) == 3 + 3  # "sp 1" and "sp_1" stay two; each unknown sample is one of its own
    mapped = {u: s for s, *us in (line.split() for line in tables["spk2utt"]) for u in us}
    assert mapped == dict(line.split() for line in tables["utt2spk"])
    assert {line.split()[1] for line in tables["spk2gender"]} == {"f"}
    manifest = read_manifest(dataset).set_index("sample_id")
    conditions = dict(line.split(" ", 1) for line in tables["utt2condition"])
    for line in tables["wav.scp"]:
        utterance, path = line.split(" ", 1)
        original = manifest.loc[utterance.rsplit("-", 1)[1]]
        assert conditions[utterance] == original["condition"]
        assert np.array_equal(
            soundfile.read(path, dtype="int16")[0], soundfile.read(dataset / original["audio_path"], dtype="int16")[0]
        )


def test_stm_is_sorted_and_names_its_groups(evaluated, tmp_path) -> None:
    export(evaluated, "stm", tmp_path / "out")
    manifest = read_manifest(evaluated).set_index("sample_id")
    assert sorted(p.name for p in (tmp_path / "out").glob("*.stm")) == ["ref.noise.stm", "ref.stm"]
    for file, column, missing in (("ref.stm", "accent", "unknown"), ("ref.noise.stm", "noise", "none")):
        lines = (tmp_path / "out" / file).read_text().splitlines()
        rows = [line.split(maxsplit=6) for line in lines if not line.startswith(";;")]
        assert len(rows) == 12
        assert [row[0] for row in rows] == sorted(row[0] for row in rows)
        labels = {line.split('"')[1]: line.split('"')[3] for line in lines if line.startswith(";; LABEL")}
        for name, channel, _, start, _, groups, text in rows:
            expected = manifest.loc[name, column]
            overall, label = (labels[g] for g in groups.strip("<>").split(","))
            assert (channel, start, overall) == ("A", "0.000", "Overall")
            assert label == (expected if isinstance(expected, str) else missing)
            assert "," not in text


@pytest.mark.skipif(not SCLITE.is_file(), reason="Debian's sctk is not installed")
def test_sclite_itself_counts_what_we_count(evaluated, tmp_path) -> None:
    export(evaluated, "stm", tmp_path / "out")
    counts = pd.read_parquet(evaluated / "evaluation" / "scores" / "part-00000.parquet").dropna(subset="hits")
    command = [SCLITE, "-r", "ref.trn", "trn", "-h", "hyp.trn", "trn", "-i", "spu_id", "-o", "rsum", "stdout"]
    said = subprocess.run(command, cwd=tmp_path / "out", capture_output=True, text=True, check=True).stdout
    total = next(line for line in said.splitlines() if "| Sum" in line)
    numbers = [int(x) for x in total.replace("|", " ").split()[1:8]]
    names = ("hits", "substitutions", "deletions", "insertions")
    assert numbers[1:6] == [
        int(counts["words"].sum()),
        *(int(counts[n].sum()) for n in names),
    ]


def lur(folder: Path, reference: str) -> str:
    """sclite's report by labels; it aborts where a file has too many."""
    command = [SCLITE, "-r", reference, "stm", "-h", "hyp.ctm", "ctm", "-o", "lur", "stdout", "-f", "0"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.mark.skipif(not SCLITE.is_file(), reason="Debian's sctk is not installed")
def test_sclite_reports_our_groups_from_the_stm(evaluated, tmp_path) -> None:
    export(evaluated, "stm", tmp_path / "out")
    assert "scottish" in lur(tmp_path / "out", "ref.stm")
    assert "none" in lur(tmp_path / "out", "ref.noise.stm")


@pytest.mark.skipif(not SCLITE.is_file(), reason="Debian's sctk is not installed")
@pytest.mark.parametrize("count", [12, 13, 14, 20])
def test_sclites_report_holds_for_any_number_of_labels(make_set, tmp_path, count) -> None:
    """sclite aborted ("buffer overflow detected") on the demo: 12 accents, 10 conditions and the overall label in one file."""
    rows = [
        {"accent": f"accent {k:02d}", "speaker": f"s{k}", "condition": f"c{k}", "text": TEXTS[0], "noise": f"n{k}@5dB"}
        for k in range(count)
        for _ in range(2 if k < 11 else 1)
    ]
    for k, row in enumerate(rows):
        row["sample_id"] = f"s{k:03d}"
    folder = make_set(rows)
    manifest = read_manifest(folder)
    answers = pd.DataFrame({"sample_id": manifest["sample_id"], "hypothesis": "hold the scan", "reason": None})
    write_scores(evaluation_dir(folder), score(manifest, answers), answers)
    export(folder, "stm", tmp_path / "out")
    for reference, first in (("ref.stm", "accent 00"), ("ref.noise.stm", "n0@5dB")):
        labels = [x for x in (tmp_path / "out" / reference).read_text().splitlines() if x.startswith(";; LABEL")]
        assert len(labels) == min(count + 1, 14)
        assert ('"other"' in labels[-1]) == (count > 13)
        assert first in lur(tmp_path / "out", reference)


def test_an_answer_of_silence_is_no_failure_in_readers_of_csv(dataset, tmp_path) -> None:
    import duckdb
    import pyarrow.csv as arrow_csv

    manifest = read_manifest(dataset)
    answers = pd.DataFrame({"sample_id": manifest["sample_id"], "hypothesis": 'a, "b"', "reason": None}, dtype=object)
    answers.loc[0, "hypothesis"] = ""
    answers.loc[1, ["hypothesis", "reason"]] = [None, "timed out"]
    write_scores(evaluation_dir(dataset), score(manifest, answers), answers)
    (path,) = export(dataset, "csv", tmp_path / "out")
    expected = ["", None, *['a, "b"'] * 10]
    found = duckdb.sql(
        f"SELECT hypothesis FROM read_csv('{path}', allow_quoted_nulls=false) ORDER BY sample_id"
    ).fetchall()
    assert [row[0] for row in found] == expected
    options = arrow_csv.ConvertOptions(strings_can_be_null=True, quoted_strings_can_be_null=False)
    assert arrow_csv.read_csv(path, convert_options=options)["hypothesis"].to_pylist() == expected
    pandas = pd.read_csv(path, keep_default_na=False, na_values={"substitutions": [""]})
    assert pandas["hypothesis"].tolist()[:2] == ["", ""]
    assert pandas["substitutions"].isna().tolist()[:2] == [False, True]


def test_two_exports_concatenate_whatever_is_null_in_one(make_set, tmp_path) -> None:
    """A column without a value was of type null, or a float for an int32: two exports had two schemas."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    row = {"accent": "a", "speaker": "s", "condition": "clean", "text": "x"}
    full = {"snr_db": 5.0, "delay_samples": 3, "room_asset": "r", "accent_raw": "A", "unmeasured": "{}"}
    sets = [make_set([row], "bare"), make_set([row | full, row | {"sample_id": "second"}], "full")]
    for folder in sets:
        manifest = read_manifest(folder)
        answers = pd.DataFrame({"sample_id": manifest["sample_id"], "hypothesis": "x", "reason": None})
        write_scores(evaluation_dir(folder), score(manifest, answers), answers)
    for name, place in (("hf", 0), ("fairlearn", 0)):
        tables = [pq.read_table(export(s, name, tmp_path / f"{name}-{s.name}")[place]) for s in sets]
        assert pa.concat_tables(tables).num_rows == 3
        assert str(tables[0].schema.field("delay_samples").type) == "int32"
        assert str(tables[0].schema.field("accent_raw").type) == "string"


def test_the_hub_reads_the_card_of_an_export(dataset, tmp_path) -> None:
    hub = pytest.importorskip("huggingface_hub")
    export(dataset, "hf", tmp_path / "out")
    data = hub.DatasetCard.load(tmp_path / "out" / "README.md").data.to_dict()
    assert data == hub.metadata_load(tmp_path / "out" / "README.md")
    assert (data["license"], data["language"], data["pretty_name"]) == ("unknown", ["en"], "set")
    (config,) = data["configs"]
    assert config["data_files"] == [{"split": "test", "path": ["data/test-*.parquet"]}]
    assert list((tmp_path / "out").glob("data/test-*.parquet"))


# webdataset leaves its tar open until the collector comes
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_webdataset_shards_are_read_by_webdataset(dataset, tmp_path) -> None:
    wds = pytest.importorskip("webdataset")
    (path,) = export(dataset, "webdataset", tmp_path / "out")
    samples = list(wds.WebDataset(str(path), shardshuffle=False))
    manifest = read_manifest(dataset).set_index("sample_id")
    assert [s["__key__"] for s in samples] == sorted(manifest.index)
    for sample in samples:
        row = json.loads(sample["json"])
        assert row["condition"] == manifest.loc[sample["__key__"], "condition"]
        assert sample["txt"].decode() == row["text"]
        assert len(soundfile.read(io.BytesIO(sample["flac"]))[0]) == row["num_samples"]


def test_two_exports_of_one_set_are_the_same_bytes(dataset, tmp_path) -> None:
    for name in ("webdataset", "lhotse", "nemo", "stm", "csv", "hf"):
        first, second = (export(dataset, name, tmp_path / f"{name}{k}") for k in range(2))
        assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second], name


def test_no_format_names_a_pipe_or_an_absolute_member(dataset, tmp_path) -> None:
    export(dataset, "kaldi", tmp_path / "k")
    assert "|" not in (tmp_path / "k" / "wav.scp").read_text()
    (path,) = export(dataset, "webdataset", tmp_path / "w")
    with tarfile.open(path) as tar:
        assert not any(n.startswith("/") or ".." in n for n in tar.getnames())


def test_audio_outside_the_set_is_refused(make_set, tmp_path) -> None:
    folder = make_set(
        [{"accent": "a", "speaker": "s", "condition": "clean", "text": "x", "audio_path": "../../etc/hostname"}]
    )
    with pytest.raises(RoomtoneError, match="leaves the dataset folder"):
        export(folder, "nemo", tmp_path / "out")


def test_a_set_in_tar_shards_goes_out_like_one_in_files(dataset, tmp_path) -> None:
    from roomtone.coverage import write_part

    rows = read_manifest(dataset)
    shards = tmp_path / "sharded"
    (shards / "shards").mkdir(parents=True)
    with tarfile.open(shards / "shards" / "part-00000.tar", "w") as tar:
        for path in rows["audio_path"]:
            tar.add(dataset / path, arcname=Path(path).name)
    rows["audio_path"] = ["shards/part-00000.tar#" + Path(path).name for path in rows["audio_path"]]
    records = [{k: None if pd.isna(v) else v for k, v in row.items()} for row in rows.to_dict("records")]
    write_part(records, shards / "manifest" / "part-00000.parquet")
    for name in ("hf", "kaldi"):
        export(dataset, name, tmp_path / f"{name}-files")
        export(shards, name, tmp_path / f"{name}-shards")
    wavs = sorted((tmp_path / "kaldi-files" / "wav").iterdir())
    assert len(wavs) == 12
    for wav in wavs:
        assert wav.read_bytes() == (tmp_path / "kaldi-shards" / "wav" / wav.name).read_bytes()
    for line in export(shards, "nemo", tmp_path / "nemo")[0].read_text().splitlines():
        entry = json.loads(line)
        assert soundfile.info(entry["audio_filepath"]).duration == pytest.approx(entry["duration"])


def test_a_full_folder_and_an_unknown_format_are_refused(dataset, tmp_path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("x")
    with pytest.raises(RoomtoneError, match="holds something already"):
        export(dataset, "csv", tmp_path / "full")
    with pytest.raises(RoomtoneError, match="did you mean 'kaldi'"):
        export(dataset, "kaldy", tmp_path / "out")
    assert set(FORMATS) == {"csv", "fairlearn", "hf", "kaldi", "lhotse", "nemo", "stm", "webdataset"}
