"""Counts against NIST's sclite, jiwer and their documentation; failures, ids and normalisation."""

from pathlib import Path

import jiwer
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from roomtone.core.errors import RoomtoneError
from roomtone.fairness.scoring.alignment import align, align_network, count_errors
from roomtone.fairness.scoring.edits import lost_words
from roomtone.fairness.scoring.english import words
from roomtone.fairness.scoring.hypotheses import read_hypotheses
from roomtone.fairness.scoring.normalize import NORMALIZERS, normalizer
from roomtone.fairness.scoring.sclite import network, read_trn, score_trn
from roomtone.fairness.scoring.score import score, with_labels
from roomtone.fairness.settings import Settings

DATA = Path(__file__).parents[4] / "shared" / "reference" / "data"

# SCTK testdata, base/test1.raw: sentences, words, correct, S, D, I, sentences with errors
CSRNAB = {
    "4t0": (15, 458, 385, 64, 9, 12, 13),
    "4t1": (21, 544, 509, 32, 3, 4, 12),
    "4t2": (15, 404, 369, 35, 0, 10, 13),
}


def manifest(texts: dict[str, str]) -> pd.DataFrame:
    return pd.DataFrame({"sample_id": list(texts), "text": list(texts.values())})


@pytest.mark.skipif(not DATA.is_dir(), reason="NIST's test pair is not beside the repository")
def test_every_speaker_row_of_sclites_csrnab_report() -> None:
    reference, hypothesis = read_trn(DATA / "sctk_csrnab.ref"), read_trn(DATA / "sctk_csrnab.hyp")
    rows = dict.fromkeys(CSRNAB, (0,) * 7)
    for name, text in reference.items():
        s, d, i, c = score_trn(text, hypothesis[name]).counts
        rows[name[:3]] = tuple(a + b for a, b in zip(rows[name[:3]], (1, s + d + c, c, s, d, i, int(s + d + i > 0))))
    assert rows == CSRNAB
    total = [sum(column) for column in zip(*rows.values())]
    assert total == [51, 1406, 1263, 131, 12, 26, 38]


@pytest.mark.skipif(not DATA.is_dir(), reason="NIST's test pair is not beside the repository")
def test_the_compiled_kernel_and_the_network_agree_where_there_are_no_alternatives() -> None:
    reference, hypothesis = read_trn(DATA / "sctk_csrnab.ref"), read_trn(DATA / "sctk_csrnab.hyp")
    plain = [name for name, text in reference.items() if "{" not in text]
    assert len(plain) > 40
    for name in plain:
        assert (
            align(reference[name].split(), hypothesis[name].split()).counts
            == score_trn(reference[name], hypothesis[name]).counts
        )


@pytest.mark.parametrize(
    ("references", "hypotheses", "expected"),
    [
        (["hello world"], ["hello duck"], 1 / 2),
        (["hello world", "i like monthy python"], ["hello duck", "i like python"], 1 / 3),
        (
            ["short one here", "quite a bit of longer sentence"],
            ["shoe order one", "quite bit of an even longest sentence here"],
            8 / 9,
        ),
        (["X"], ["X X Y Y"], 3.0),
        (["X Y X"], ["X Z"], 2 / 3),
        (["hello world", ""], ["hello world", "done"], 1 / 2),
    ],
)
def test_jiwers_documented_rates(references: list[str], hypotheses: list[str], expected: float) -> None:
    ids = [str(i) for i in range(len(references))]
    counts = score(manifest(dict(zip(ids, references))), dict(zip(ids, hypotheses)), "none")
    errors = counts[["substitutions", "deletions", "insertions"]].sum().sum()
    assert errors / counts["words"].sum() == pytest.approx(expected)
    assert jiwer.wer(references, hypotheses) == pytest.approx(expected)


sentences = st.lists(st.sampled_from("abcd"), max_size=9)


@settings(max_examples=300, deadline=None)
@given(sentences, sentences)
def test_any_pair_is_aligned_at_the_lowest_weighted_cost(reference: list[str], hypothesis: list[str]) -> None:
    found = align(reference, hypothesis)
    s, d, i, c = found.counts
    assert (s + d + c, s + i + c) == (len(reference), len(hypothesis))
    assert [w for w in found.reference if w is not None] == reference
    assert [w for w in found.hypothesis if w is not None] == hypothesis
    other = align_network([(k, k + 1, word) for k, word in enumerate(reference)], hypothesis)
    so, do, io, _ = other.counts
    assert 4 * s + 3 * (d + i) == 4 * so + 3 * (do + io)
    if reference:
        least = jiwer.process_words(" ".join(reference), " ".join(hypothesis))
        # Levenshtein's is the least number of errors; the weights may take more, never fewer
        assert s + d + i >= least.substitutions + least.deletions + least.insertions


def test_optional_words_and_alternatives_cost_nothing_when_taken() -> None:
    assert score_trn("a (uh) b", "a b").counts == (0, 0, 0, 2)
    assert score_trn("a (uh) b", "a uh b").counts == (0, 0, 0, 3)
    assert score_trn("{ @ / the } cat { sat down / sits }", "cat sits").counts == (0, 0, 0, 2)
    assert score_trn("{ @ / the } cat", "a cat").counts == (0, 0, 1, 1)
    with pytest.raises(RoomtoneError, match="not closed"):
        network("a { b")


def test_a_failure_is_not_an_empty_answer() -> None:
    given_ = pd.DataFrame({"sample_id": ["a", "b"], "hypothesis": ["", None], "reason": [None, "timed out after 30 s"]})
    counts = score(manifest({"a": "one two", "b": "one two"}), given_).set_index("sample_id")
    assert counts.loc["a", ["deletions", "hits", "words"]].tolist() == [2, 0, 2]
    assert counts.loc["b", ["substitutions", "deletions", "insertions", "hits"]].isna().all()
    assert counts.loc["b", "words"] == 2
    assert counts.loc["b", "reason"] == "timed out after 30 s"
    assert counts.loc["a", "reason"] is None


def test_an_empty_reference_is_defined_and_its_rates_are_null() -> None:
    counts = score(manifest({"a": "", "b": ""}), {"a": "", "b": "x y"})
    assert counts["insertions"].tolist() == [0, 2]
    assert counts["words"].tolist() == [0, 0]
    assert counts["insertion_rate"].isna().all()


def test_a_loop_is_counted_beyond_what_the_reference_repeats() -> None:
    texts = {"a": "thank you", "b": "no no no", "c": "very very good"}
    heard = {"a": "thank you thank you thank you", "b": "no no no", "c": "very good"}
    counts = score(manifest(texts), heard)
    assert counts["repeated_words"].tolist() == [4, 0, 0]
    assert counts["repetition_rate"].tolist() == [pytest.approx(4 / 6), 0, 0]


def test_one_normaliser_reads_both_sides_and_is_named() -> None:
    counts = score(manifest({"a": "Don't stop, Dr. No!"}), {"a": "don\u2019t STOP dr no"}, "basic")
    assert counts[["substitutions", "deletions", "insertions"]].sum().sum() == 0
    assert counts["normalizer"].unique().tolist() == ["basic/2"]
    assert score(manifest({"a": "A b"}), {"a": "a b"}, "none")["substitutions"].tolist() == [1]
    assert normalizer("basic").words("caf\u00e9 \u0928\u092e\u0938\u094d\u0924\u0947 well-known 'tis") == [
        "caf\u00e9", "\u0928\u092e\u0938\u094d\u0924\u0947", "well", "known", "tis",
    ]  # fmt: skip
    with pytest.raises(RoomtoneError, match="did you mean 'basic'"):
        normalizer("bsic")


@example("10O")
@given(st.text(max_size=30))
@example("a:ML")
@example("0`_")
def test_normalising_twice_changes_nothing(text: str) -> None:
    for each in NORMALIZERS.values():
        if each.name == "whisper_english":
            continue  # the library's own is not idempotent: it reads its own figures once more
        once = each.words(text)
        assert each.words(" ".join(once)) == once


def test_the_words_of_the_lists_are_read_once_in_capitals_and_beside_others_too() -> None:
    """`a ML` was milliliters at the second reading only, DUNNO went from "don't know" to "do not know"."""
    spoken = normalizer("spoken_english")
    for word in (*words.CONTRACTIONS, *words.UNITS, *words.FILLERS):
        for text in (word.upper(), f"a {word}", f"a {word.upper()} b", f"5 {word}"):
            once = spoken.words(text)
            assert spoken.words(" ".join(once)) == once


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("a", "x")], r"1 samples have no hypothesis, e.g. 'b'"),
        ([("a", "x"), ("b", "y"), ("z", "q")], r"1 ids are unknown, e.g. 'z'"),
        ([("a", "x"), ("b", "y"), ("b", "w")], r"1 ids are duplicates, e.g. 'b'"),
        ([("q", "x"), ("r", "y")], r"none of its 2 samples has one.*the ids of the hypotheses are 'q', 'r'"),
    ],
)
def test_ids_that_do_not_fit_are_named_and_counted(rows: list[tuple[str, str]], message: str) -> None:
    heard = pd.DataFrame(rows, columns=["sample_id", "hypothesis"])
    with pytest.raises(RoomtoneError, match=message):
        score(manifest({"a": "x", "b": "y"}), heard)


def test_allow_missing_shows_the_loss_and_still_refuses_another_sets_ids() -> None:
    heard = pd.DataFrame([("a", "x"), ("c", "u"), ("c", "v"), ("zz", "q")], columns=["sample_id", "hypothesis"])
    counts = score(manifest({"a": "x", "b": "y", "c": "u"}), heard, allow_missing=True)
    assert counts["reason"].tolist() == [None, "no hypothesis", "two different hypotheses"]
    assert counts["hits"].isna().tolist() == [False, True, True]
    with pytest.raises(RoomtoneError, match="the ids of the hypotheses are"):
        score(manifest({"a": "x"}), {"q": "x"}, allow_missing=True)


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_files_of_every_kind_hold_the_same_hypotheses(tmp_path: Path, suffix: str) -> None:
    frame = pd.DataFrame({"sample_id": ["001", "b"], "hypothesis": ["NA", "null and void"]})
    file = tmp_path / f"h{suffix}"
    if suffix == ".parquet":
        frame.to_parquet(file)
    elif suffix == ".jsonl":
        frame.to_json(file, orient="records", lines=True)
    else:
        frame.to_csv(file, sep="\t" if suffix == ".tsv" else ",", index=False)
    read = read_hypotheses(file)
    assert read["sample_id"].tolist() == ["001", "b"]
    assert read["hypothesis"].tolist() == ["NA", "null and void"]


def test_a_file_without_the_columns_says_which_is_near(tmp_path: Path) -> None:
    (tmp_path / "h.csv").write_text("sampel_id,hypothesis\na,b\n")
    with pytest.raises(RoomtoneError, match="no column 'sample_id'; did you mean 'sampel_id'"):
        read_hypotheses(tmp_path / "h.csv")
    with pytest.raises(RoomtoneError, match="no such file"):
        read_hypotheses(tmp_path / "none.csv")


def test_labels_stand_beside_the_counts_without_replacing_them() -> None:
    rows = manifest({"a": "x y"}).assign(words=9, accent="scottish")
    both = with_labels(score(rows, {"a": "x y"}), rows)
    assert both[["words", "accent"]].iloc[0].tolist() == [2, "scottish"]


def test_a_hundred_thousand_sentences_take_seconds() -> None:
    import time

    count_errors([["a"]], [["a"]])  # compiled before the clock starts
    references = [[f"w{i % 17}" for i in range(12)]] * 100_000
    start = time.process_time()  # the processor's own time: other programs may be busy
    counts = count_errors(references, [words[1:] for words in references])
    assert counts[:, 2].sum() == 100_000
    assert time.process_time() - start < 10  # about 1 s


def test_greek_words_end_as_they_are_written() -> None:
    """Folding makes of the sigma at a word's end the one within words; the report showed "λόγοσ" for "λόγος"."""
    frame = pd.DataFrame(
        {
            "sample_id": ["a"],
            "text": ["Ο ΛΌΓΟΣ σώζει"],
            "language": "el",
            "accent": "x",
            "condition": "clean",
            "speaker": "p",
        }
    )
    scores = with_labels(score(frame, {"a": "ο λόφος σώζει"}), frame).assign(hypothesis="ο λόφος σώζει")
    found = lost_words(scores, Settings(asr={"recogniser": "hypotheses"}))
    assert set(zip(found["lost"], found["heard_as"])) == {("λόγος", "λόφος")}
