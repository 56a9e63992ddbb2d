"""What a set of few speakers is told: which rate is which, what could not be tested and why, and the rates themselves."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from roomtone.cli.main import main
from roomtone.fairness import compare
from roomtone.fairness.evaluation import Evaluation, Settings, evaluate
from roomtone.fairness.report.content import gather
from roomtone.fairness.report.formatting import counted
from roomtone.fairness.report.headline import headline
from roomtone.fairness.report.method import family_text
from roomtone.fairness.report.page import summary_lines, write_report
from roomtone.fairness.report.samples import page_samples
from roomtone.fairness.report.wording import condition_columns, invented_text, shared_level

TEXT = "give ten units of saline every hour before noon please"
#: Accent -> speakers.
PEOPLE = {"irish": ("i1", "i2"), "scots": ("s1",), "welsh": ("w1",)}
#: Accent and condition -> what is heard of each text; ten words each.
HEARD = {
    ("irish", "clean"): TEXT.replace("ten", "10"),  # no error: written otherwise
    ("scots", "clean"): TEXT.replace("saline", "sand"),  # 10 %
    ("welsh", "clean"): TEXT.replace("saline every", "sand very"),  # 20 %
    ("irish", "ward"): TEXT.replace("saline every hour", "sand very our"),  # 30 %
    (
        "scots",
        "ward",
    ): f"{TEXT} and then he went home with his own two brown dogs again",  # 12 inserted: 120 %, without them 0 %
    ("welsh", "ward"): TEXT.replace("saline every hour before", "sand very our for"),  # 40 %
}


@pytest.fixture
def small(make_set, tmp_path) -> tuple[Path, Path]:
    """Return a set of four speakers and its hypotheses."""
    rows, heard = [], []
    for (accent, condition), text in HEARD.items():
        for speaker in PEOPLE[accent]:
            sample_id = f"{speaker}-{condition}"
            rows.append({
                "sample_id": sample_id, "utterance_id": f"u-{speaker}", "accent": accent, "speaker": speaker, "condition": condition,
                "text": TEXT, "speech_origin": "recorded", "duration_s": 10.0,
            })  # fmt: skip
            heard.append({"sample_id": sample_id, "hypothesis": text})
    file = tmp_path / "heard.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in heard))
    return make_set(rows), file


@pytest.fixture
def result(small) -> Evaluation:
    dataset, file = small
    return evaluate(dataset, Settings(asr={"recogniser": "hypotheses", "path": str(file)}))


def test_where_nothing_could_be_tested_the_headline_says_too_little_data_and_what_would_do(result) -> None:
    assert result.comparison.facts["tests"] == 0
    said = headline(gather(result))
    assert said.startswith(
        "There is too little data to say whether any accent is worse off: 4 speakers, 1 to 2 for each accent"
    )
    needed = result.comparison.accents["speakers_needed"].max()
    assert f"About {needed} speakers and " in said
    page, text, card = (path.read_text(encoding="utf-8") for path in write_report(result))
    for shown in (page, text, card):
        assert "too little data" in shown
        assert "is found to be worse off" not in shown
    assert "family of 0 tests" not in text


def test_too_few_speakers_is_the_reason_that_is_given_and_no_other(result) -> None:
    accents = result.comparison.accents.set_index("accent")["statement"]
    assert "there are too few speakers" in accents["irish"]  # two speakers against one each
    assert "there are not two speakers on each side" in accents["scots"]
    every = pd.concat([result.comparison.gaps["statement"], accents, result.comparison.hallucination["statement"]])
    assert not every.str.contains("no errors to compare|in both conditions").any()


def test_each_rate_says_which_one_it_is(result) -> None:
    page, text, card = (path.read_text(encoding="utf-8") for path in write_report(result))
    accents = result.comparison.accents.set_index("accent")["wer"]
    assert accents.to_dict() == pytest.approx({"irish": 0.15, "scots": 0.05, "welsh": 0.3})
    mean = "mean over all conditions, each weighing the same, without the inserted words of samples that hallucinate"
    pooled = "pooled over all samples of this speaker"  # of scots (10 + 120) / 2 = 65 %
    assert mean in page.split('id="ranked"')[0]
    assert pooled in page.split("<h2>Speakers")[1].split('id="speakers"')[0]
    assert "65.0 to 65.0" in page
    assert mean in text
    for shown in (page, text):  # what is easily misread in a table of gaps, beside it
        assert "interval can leave out 0 where p is above 0.05 and no gap is claimed" in shown
        assert "Detectable is for the comparison of its own row" in shown
        assert "so the cost can be the larger of the two" in shown
    for shown in (page, text, card):
        assert "pooled over all samples of a condition, whoever said them" in shown


def test_the_pooled_rate_of_a_condition_is_in_page_markdown_and_card(result) -> None:
    page, text, card = (path.read_text(encoding="utf-8") for path in write_report(result))
    pooled = {"clean": (0 + 0 + 1 + 2) / 40, "ward": (3 + 3 + 12 + 4) / 40}  # two irish speakers, then scots and welsh
    mean = {"clean": (0 + 10 + 20) / 3, "ward": (30 + 0 + 40) / 3}  # per cent, each accent alike
    overall = re.search(r'<table id="overall">.*?</table>', page, re.S)[0]
    for name in pooled:
        for shown in (text.split("## Words lost and words invented by condition")[1].split("##")[0], card, overall):
            row = next(line for line in shown.splitlines() if name in line)
            assert f"{100 * pooled[name]:.1f}" in row
        by_accent = text.split("## Each condition")[1].split("##")[0]
        assert f"| {name} | {mean[name]:.1f} |" in by_accent
        assert f"<td>{mean[name]:.1f}</td>" in re.search(r'<table id="conditions">.*?</table>', page, re.S)[0]


def test_the_highest_rate_of_a_condition_is_told_apart_from_who_falls_behind_most(result) -> None:
    text = write_report(result)[1].read_text(encoding="utf-8")
    row = next(line for line in text.split("## Each condition")[1].splitlines() if line.startswith("| ward"))
    cells = result.comparison.cells.set_index(["accent", "condition"])["wer"]
    assert cells["scots", "ward"] == pytest.approx(1.2)
    assert "| scots (120.0 %) | irish |" in row  # 30 points more than in clean: the most


def test_every_sign_of_invented_text_is_named_with_its_count(result) -> None:
    said = gather(result)["invented_text"]
    assert said.startswith(
        "1 of 8 samples is counted as text that nobody spoke: 1 with as many inserted words as were spoken or more"
    )
    for path in write_report(result)[:2]:
        assert said in path.read_text(encoding="utf-8")


def test_how_accents_are_written_is_told_with_counts_and_first_only_of_enough_speakers(
    result, make_set, tmp_path
) -> None:
    assert not [note for note in result.notes if "written otherwise" in note]
    written = gather(result)["normalizers"][0]["written"]
    assert "in 2 of 4 samples of irish (2 speakers), against 0 of 2 samples of" in written
    assert "counts digits and the words for them as equal" in written
    rows = [
        {"sample_id": f"{a}{s}", "accent": a, "speaker": f"{a}{s}", "condition": "clean", "text": TEXT} for a in "ab" for s in range(3)
    ]  # fmt: skip
    file = tmp_path / "many.csv"
    heard = [TEXT.replace("ten", "10") if row["accent"] == "a" else TEXT for row in rows]
    pd.DataFrame({"sample_id": [row["sample_id"] for row in rows], "hypothesis": heard}).to_csv(file, index=False)
    more = evaluate(make_set(rows, "more"), Settings(asr={"recogniser": "hypotheses", "path": str(file)}))
    assert "in 3 of 3 samples of a (3 speakers), against 0 of 3 samples of b (3 speakers)" in more.notes[-1]
    assert len(more.notes) > 1  # never the first of several


def test_the_terminal_shows_the_rates_before_any_statement(result) -> None:
    lines = list(summary_lines(result))
    at = next(k for k, line in enumerate(lines) if line.startswith("There is too little data"))
    assert [line.split() for line in lines[1:4]] == [["scots", "5.0"], ["irish", "15.0"], ["welsh", "30.0"]]
    assert [line.split() for line in lines[5:at]] == [["clean", "10.0"], ["ward", "23.3"]]


def test_a_report_that_is_replaced_is_named(small, capsys) -> None:
    dataset, file = small
    words = ["evaluate", f"dataset={dataset}", "asr=hypotheses", f"path={file}"]
    assert main(words) == 0
    assert main(words) == 0
    assert "replaces" not in capsys.readouterr().out  # the same recogniser once more
    stored = dataset / "evaluation" / "evaluation.json"
    summary = json.loads(stored.read_text())
    stored.write_text(json.dumps(summary | {"recogniser": {"recogniser": "faster_whisper", "model": "tiny.en"}}))
    assert main(words) == 0
    assert "replaces the report of faster_whisper\n" in capsys.readouterr().out
    stored.write_text(json.dumps(summary | {"recogniser": {"recogniser": "hypotheses", "model": "tiny"}}))
    assert main(words) == 0
    assert "replaces the report of hypotheses asr.model=tiny\n" in capsys.readouterr().out


def test_the_group_that_others_are_compared_with_has_the_same_kind_of_mean(small) -> None:
    dataset, file = small
    result = evaluate(dataset, Settings(asr={"recogniser": "hypotheses", "path": str(file)}, reference="scots"))
    assert "scots" not in set(result.comparison.accents["accent"])
    lines = [line.split() for line in summary_lines(result)]
    assert ["scots", "5.0"] in lines  # 65.0 with what nobody spoke


def test_the_matrix_says_that_its_margins_leave_out_what_nobody_spoke(result) -> None:
    page = write_report(result)[0].read_text(encoding="utf-8")
    data = json.loads(re.search(r'<script type="application/json">(.*?)</script>', page, re.S)[1])
    margins = {layer["id"]: layer["margin_help"] for layer in data["layers"] if "margin_help" in layer}
    assert "without the inserted words" in margins["wer"]
    assert "without the inserted words" in margins["cost"]
    assert "without the inserted words" not in margins["lost"]


def test_a_column_that_says_the_same_in_every_row_is_a_sentence() -> None:
    rows = [
        {"wer": wer, "lost": wer, "invented": 0.0, "words": 20, "samples": count, "failed": 0}
        for wer, count in ((0.1, 4), (0.3, 5))
    ]
    head, cells, said = condition_columns(rows)
    assert (head, cells) == (["WER %", "samples"], [["10.0", "4"], ["30.0", "5"]])
    assert said == "In every row: lost as much as WER, invented 0.0 %, words 20, failed 0."
    assert len(condition_columns(rows[:1])[0]) == 6  # one row alone keeps all its figures


def test_only_signs_of_invented_text_that_occur_are_named() -> None:
    said = invented_text(3072, 3, 2, 0, 1, single=1)
    assert "2 with a repetition loop, 1 with as many" in said
    assert "could be spoken" not in said
    assert "Cells with a single such sample (1) are not listed." in said


def test_that_tests_share_a_level_is_said_where_something_is_undecided() -> None:
    settings = {"declared": None, "alpha": 0.05}
    assert shared_level(352, 187, settings).startswith("Each cell is one of 352 comparisons that are tested together")
    assert shared_level(352, 0, settings) == shared_level(1, 1, settings) == ""


def test_the_worst_samples_are_in_the_order_of_their_wer(result) -> None:
    rates = [sample["wer"] for sample in page_samples(result)["worst"]]
    assert len(rates) == 5  # of six cells one has no error, and nothing to listen to
    assert min(rates) > 0
    assert rates == sorted(rates, reverse=True)


def test_characters_and_words_are_not_compared_in_silence(make_set, tmp_path) -> None:
    """Greek in words beside Chinese in characters: the report led with a gap between the two units."""
    texts = {"crete": ("el", "ο γιατρός δεν είναι εδώ"), "beijing": ("zh", "医生不在这里")}
    rows = [
        {"sample_id": f"{accent}{k}", "utterance_id": f"u{accent}{k}", "accent": accent, "speaker": f"{accent}{k}", "condition": "clean",
         "text": text, "language": language, "speech_origin": "recorded"}
        for accent, (language, text) in texts.items() for k in range(3)
    ]  # fmt: skip
    heard = tmp_path / "heard.jsonl"
    heard.write_text("".join(json.dumps({"sample_id": r["sample_id"], "hypothesis": r["text"]}) + "\n" for r in rows))
    dataset = make_set(rows)
    result = evaluate(dataset, Settings(asr={"recogniser": "hypotheses", "path": str(heard)}, resamples=0))
    assert "gap" not in set(result.comparison.gaps["verdict"])
    assert any("compares two units and does not say who is worse off" in note for note in result.notes)
    text = write_report(result)[1].read_text(encoding="utf-8")
    assert "No attribute was crossed with accent" in text.split("## Intersections")[1].split("##")[0]
    assert "– to –" not in text
    assert "0.0 to –" not in text


def test_the_largest_gap_that_is_not_shown_is_named_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("roomtone.fairness.report.headline.too_little", lambda _: None)
    row = {
        "reference": "all others",
        "gap_low": -0.02,
        "gap_high": 0.3,
        "p_adjusted": 0.061,
        "detectable": 0.35,
        "verdict": "not_enough_data",
        "units_differ": False,
    }
    rows = [
        row | {"accent": "hindi", "gap": 0.245},
        row | {"accent": "irish", "gap": 0.1},
        row | {"accent": "welsh", "gap": None},
    ]
    report = {
        "findings": [],
        "other_findings": [],
        "failed_of": "",
        "accents": rows,
        "group": "accent",
        "settings": {"scale": "difference", "alpha": 0.05},
    }
    said = headline(report)
    assert said.startswith(
        "No accent is found to be worse off. The largest measured gap over all conditions, that of hindi, is not shown: 24.5 points"
    )
    assert "-2.0 to 30.0 points; p = 0.061" in said
    assert said.endswith("these data would show 35.0 points.")
    better = [row | {"accent": "hindi", "gap": -0.2}]
    assert "largest" not in headline(report | {"accents": better})
    named = row | {"accent": "hindi", "gap": -0.2, "gap_low": -0.3, "gap_high": 0.02, "reference": "american"}
    assert "that of american, is not shown: 20.0 points more than hindi" in headline(report | {"accents": [named]})
    lost = "Over all conditions, hindi has 88.9 % critical terms lost and all others 0.0 %: 88.9 points more."
    assert headline(report | {"other_findings": [lost]}) == f"By WER alone no accent is found to be worse off. {lost}"
    gone = [one | {"verdict": "saturated", "lost": 0.97, "reference_lost": 0.953} for one in rows]
    assert headline(report | {"accents": gone}) == (
        "So many words are lost that it cannot be told whether any accent is worse off: 97 % over all conditions, and so near the top differences"
        " shrink or cannot show."
    )
    apart = headline(report | {"accents": [one | {"units_differ": True} for one in rows]})
    assert apart.startswith("No accent can be compared with the others: some are counted in characters and others in")
    mixed = [rows[0] | {"units_differ": True}, *rows[1:]]
    assert "that of irish, is not shown: 10.0 points" in headline(report | {"accents": mixed})


def test_a_gap_counts_as_worse_off_or_better_off_and_context_is_explained(study) -> None:
    """One bad accent of three made "3 of 3 cells: gap": the other two had less than a pool that held it."""
    rates = {(a, "clean"): 0.6 if a == "a" else 0.1 for a in "abc"}
    gaps = compare(study(np.random.default_rng(0), rates, 8), resamples=0, permutations=199).gaps
    assert gaps["verdict"].tolist() == ["gap"] * 3
    assert counted(gaps, "gap", "gap") == "gap (worse off in 1, better off in 2)"
    assert counted(gaps, "no_gap", "no gap") == "no gap"


def test_the_chance_of_a_false_gap_is_told_with_its_condition() -> None:
    facts = {"tests": 6, "permutations": 999}
    said = family_text(facts, {"alpha": 0.05, "declared": None})
    assert (
        "is at most 5 % (999 permutations) where the speakers of all groups spread alike; where they do not it was 6 to 8 %"
        in said
    )
    assert "up to a quarter where a group of four" in said


def test_groups_that_are_too_small_to_be_searched_are_said_not_to_have_been() -> None:
    from roomtone.fairness.report.content import NO_SLICE, no_slice

    people = [{"speakers": 2}, {"speakers": 2}]
    assert no_slice(people, "accent", 3).endswith(
        "Slices of any accents were not searched: they have under 3 speakers."
    )
    assert "1 of 2 accents were not" in no_slice([{"speakers": 2}, {"speakers": 9}], "accent", 3)
    assert no_slice([{"speakers": 3}], "accent", 3) == NO_SLICE
