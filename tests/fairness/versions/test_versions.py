"""Two evaluations of one set: planted changes, changes for everybody alike, gates, and what is refused."""

import json
import shutil
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from roomtone.cli.main import main
from roomtone.core.errors import RoomtoneError
from roomtone.coverage import write_part
from roomtone.fairness import compare_versions, score
from roomtone.fairness.results import write_scores
from roomtone.fairness.settings import CompareSettings
from roomtone.fairness.versions.changes import compare_scores
from roomtone.fairness.versions.history import find_versions, version_history
from roomtone.fairness.versions.set_layers import with_changes

CHANGED = {"narrowed", "widened", "turned"}
QUICK = CompareSettings(permutations=399, resamples=0)


def two_versions(rng, gap=0.0, *, narrowed_to=None, rescued=0.0, factor=1.0, groups=4, speakers=10, words=8):
    """Scores of two versions that share what is hard: accent a0 has a gap, of which the later version leaves `narrowed_to`."""
    rows = []
    for g in range(groups):
        for s in range(speakers):
            level, drift = 0.15 * np.exp(rng.normal(0, 0.35)), rng.normal(0, 0.01)
            for c, condition in enumerate(("clean", "gsm", "ward")):
                one = level + 0.08 * c + (gap if g == 0 else 0)
                other = one - (gap - narrowed_to if g == 0 and narrowed_to is not None else 0)
                other = (other - rescued) * factor + drift
                for u in range(10):
                    hard = rng.random(words)
                    again = np.where(rng.random(words) < 0.7, hard, rng.random(words))
                    errors = int((hard < one).sum()), int((again < other).sum())
                    rows.append((f"{g}-{s}-{c}-{u}", f"a{g}", condition, f"g{g}s{s}", f"text {u}", words, *errors))
    names = ["sample_id", "accent", "condition", "speaker", "text", "words", "one", "other"]
    frame = pd.DataFrame(rows, columns=names)
    return [frame.assign(errors=frame[k]).drop(columns=["one", "other"]) for k in ("one", "other")]


def by_hand(before, after, accent):
    """The change of a group's gap over all conditions, by pandas: means over conditions of ratios of sums."""
    found = []
    for own in (True, False):
        for frame in (before, after):
            part = frame[(frame["accent"] == accent) == own].groupby("condition")[["errors", "words"]].sum()
            found.append((part["errors"] / part["words"]).mean())
    return found


def test_rates_and_changes_are_those_of_a_count_by_hand():
    before, after = two_versions(np.random.default_rng(1), 0.1, narrowed_to=0.05)
    rows = compare_scores(before, after, QUICK).accents.set_index("accent")
    for accent in ("a0", "a1", "a2", "a3"):
        was, now, other_was, other_now = by_hand(before, after, accent)
        row = rows.loc[accent]
        assert (row["wer_before"], row["wer_after"]) == pytest.approx((was, now))
        assert row["change"] == pytest.approx(now - was)
        assert (row["gap_before"], row["gap_after"]) == pytest.approx((was - other_was, now - other_now))
        assert row["gap_change"] == pytest.approx((now - other_now) - (was - other_was))


def test_errors_that_both_versions_make_say_nothing_about_their_difference():
    """The same errors again in every sample of both versions, of some speakers more than of others: no interval gets wider."""
    before, after = two_versions(np.random.default_rng(7), 0.1, narrowed_to=0.05)
    more = before["speaker"].map(lambda name: int(name[-1]) % 3) + 1
    rows, again = (
        compare_scores(
            *(frame.assign(errors=frame["errors"] + add, words=20) for frame in (before, after)), QUICK
        ).accents
        for add in (0, more)
    )
    for column in ("change", "change_low", "change_high", "gap_change", "gap_change_low", "gap_change_high"):
        assert again.set_index("accent")[column].to_dict() == pytest.approx(rows.set_index("accent")[column].to_dict())


def test_on_ratios_too_intervals_are_as_wide_as_what_the_versions_do_not_share():
    """As counted alone, errors of both versions made intervals of ratios of ratios a third wider, which then held 99.5 % instead of 95 %."""
    before, after = two_versions(np.random.default_rng(8), 0.1, factor=0.7)
    found = compare_scores(before, after, CompareSettings(permutations=199, resamples=0, scale="ratio")).accents
    spread = []
    for _, part in before.assign(later=after["errors"]).groupby("accent"):
        cells = part.groupby(["condition", "speaker"])[["errors", "later"]].sum().groupby("condition")
        each = cells.transform(lambda column: column / column.sum()).eval("later - errors").groupby("speaker").sum() / 3
        spread.append(float((each**2).sum() * 10 / 9))
    usual = 2 * 1.96 * np.sqrt(np.mean(spread) * 4 / 3)  # of one group against the three others
    width = (found["gap_change_high"] - found["gap_change_low"]).mean()
    assert width == pytest.approx(usual, rel=0.2)


@pytest.mark.slow
def test_a_gap_that_was_halved_is_said_with_the_right_size():
    held, first = 0, 0
    for seed in range(8):
        before, after = two_versions(np.random.default_rng([2, seed]), 0.12, narrowed_to=0.06)
        rows = compare_scores(before, after, QUICK).accents.set_index("accent")
        row = rows.loc["a0"]
        held += row["gap_change_low"] <= -0.06 <= row["gap_change_high"]
        first += row["verdict"] == "narrowed" and row["gap_change"] == rows["gap_change"].min()
    assert held >= 7
    assert first >= 7


@pytest.mark.slow
@pytest.mark.parametrize(("scale", "change"), [("difference", {"rescued": 0.05}), ("ratio", {"factor": 0.7})])
def test_what_helps_everybody_alike_changes_no_gap(scale, change):
    """In points on the scale of differences, by a factor on that of ratios; at most one false report in twenty, two errors loose."""
    settings = CompareSettings(permutations=399, resamples=0, scale=scale)
    false, better = 0, 0
    for seed in range(10):
        before, after = two_versions(np.random.default_rng([3, seed]), 0.1, **change)
        found = compare_scores(before, after, settings)
        false += any(set(table["verdict"]) & CHANGED for table in (found.accents, found.levels, found.cells))
        better += (found.accents["change_verdict"] == "better").all()
    assert false <= 1
    assert better >= 7


def test_two_speakers_each_are_not_enough():
    before, after = two_versions(np.random.default_rng(4), 0.1, narrowed_to=0.0, groups=2, speakers=2)
    found = compare_scores(before, after, QUICK)
    assert set(found.accents["verdict"]) <= {"not_enough_data", ""}
    assert "cannot be said" in found.accents["statement"].str.cat()


def test_other_samples_are_refused():
    before, after = two_versions(np.random.default_rng(5), speakers=2)
    with pytest.raises(RoomtoneError, match="the same samples"):
        compare_scores(before, after.iloc[::-1], QUICK)


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory):
    """A set of two accents of eight speakers, evaluated twice from files: the second version treats hindi as it treats irish."""
    rng = np.random.default_rng(6)
    text = "one two three four five six seven eight"
    folder = tmp_path_factory.mktemp("versions") / "set"
    rows = [
        {
            "sample_id": f"{accent}{s}-{condition}-{take}", "utterance_id": f"{accent}{s}-{take}", "accent": accent, "speaker": f"{accent}{s}",
            "condition": condition, "text": text, "audio_path": "audio/none.flac", "replicate": 0, "words": 8, "duration_s": 1.0, "language": "en",
        }
        for accent in ("hindi", "irish")
        for s in range(8)
        for condition in ("clean", "ward")
        for take in range(3)
    ]  # fmt: skip
    write_part(rows, folder / "manifest" / "part-00000.parquet")

    def heard(level):
        return " ".join(word if rng.random() > level else "nine" for word in text.split())

    for name, levels in (
        ("old", {"hindi": 0.45, "irish": 0.1}),
        ("new", {"hindi": 0.1, "irish": 0.1}),
        ("bad", {"hindi": 0.75, "irish": 0.1}),
    ):
        answers = pd.DataFrame(
            [{"sample_id": row["sample_id"], "hypothesis": heard(levels[row["accent"]])} for row in rows]
        )
        answers.to_csv(folder.parent / f"{name}.csv", index=False)
        if name == "old":
            assert main(["evaluate", f"dataset={folder}", *from_file(folder, name)]) == 0
            continue
        there = folder / f"evaluation-{name}"  # what the command leaves, in a fifth of its time
        write_scores(there, score(pd.DataFrame(rows), answers), answers)
        shutil.copy(folder / "evaluation-old" / "evaluation.json", there)
    return folder


def from_file(folder, name):
    """Words of a command that evaluates a set from a file into a folder of that name."""
    answers = f"path={folder.parent}/{name.partition('-')[0]}.csv"
    return [
        "asr=hypotheses",
        answers,
        f"to={folder}/evaluation-{name}",
        "--quiet",
        "resamples=0",
        "permutations=199",
        "subgroups.depth=1",
    ]


def test_the_command_tells_whose_gap_narrowed_and_gates_hold(evaluated, capsys):
    assert not (evaluated / "evaluation").exists()
    assert {p.name for p in evaluated.glob("evaluation-*")} >= {"evaluation-old", "evaluation-new", "evaluation-bad"}
    old, new, bad = (f"{evaluated}/evaluation-{name}" for name in ("old", "new", "bad"))
    capsys.readouterr()
    assert main(["compare", f"a={old}", f"b={new}", "fail_if_gap_grows=0.02", "fail_if_worse=0.01"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("new against old:")
    assert "Better for: hindi." in out
    assert "The gap between irish and hindi over all conditions narrowed" in out
    page = (evaluated / "evaluation-new" / "versus-old" / "index.html").read_text()
    table = pd.read_csv(evaluated / "evaluation-new" / "versus-old" / "accents.csv").set_index("accent")
    assert f"{100 * table.loc['hindi', 'wer_before']:.1f}" in page
    assert str(table.loc["irish", "statement"]) in page.replace("&#43;", "+")
    assert str(evaluated) not in page
    told = json.loads((evaluated / "evaluation-new" / "versus-old" / "changes.json").read_text())
    assert told["headline"] in out
    view = with_changes(None, evaluated, ("accent", "condition"))
    layout = SimpleNamespace(row_names=["hindi", "irish", "welsh"], column_names=["ward", "clean"])
    shown = {layer.id: layer for layer in view.layers(layout)}
    assert shown["gap_change"].label == "change of the gap, new against old"
    cells = pd.read_csv(evaluated / "evaluation-new" / "versus-old" / "cells.csv").set_index(["accent", "condition"])[
        "change"
    ]
    assert shown["change"].fields["value"].cells[0].tolist() == [cells["hindi", "ward"], cells["hindi", "clean"]]
    assert np.isnan(shown["change"].fields["value"].cells[2]).all()  # welsh is in the set, and was not compared
    assert with_changes(None, evaluated, ("speaker", "condition")) is None
    assert main(["compare", f"a={old}", f"b={bad}", "fail_if_gap_grows=0.02"]) == 2
    out = capsys.readouterr().out
    assert "gate not met: fail_if_gap_grows=0.02: The gap between irish and hindi over all conditions widened" in out
    assert main(["compare", f"a={old}", f"b={bad}", "fail_if_gap_grows=0.9"]) == 0
    assert main(["compare", f"a={old}", f"b={bad}", "fail_if_worse=0.1"]) == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["a={set}/evaluation-old"], "compare needs two evaluations of one set"),
        (["a={set}/evaluation-old", "b={set}/evaluation-odl"], "no evaluation lies there"),
        (["a={set}/evaluation-old", "b={set}/evaluation-old"], "the same evaluation"),
        (["a={set}/evaluation-old", "b={set}/evaluation-new", "fail_if_worse=2"], "(in points?)"),
        (["a={set}/evaluation-old", "b={set}/evaluation-new", "scale=odds"], "scale: 'odds' is not allowed"),
    ],
)
def test_a_mistake_is_one_line(evaluated, words, said, capsys):
    capsys.readouterr()
    assert main(["compare", *(word.format(set=evaluated) for word in words)]) == 1
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


def test_an_evaluation_goes_nowhere_but_into_its_set(evaluated, tmp_path, capsys):
    for to in (tmp_path / "evaluation-x", evaluated / "audio", evaluated / ".." / "evaluation-x"):
        assert (
            main(["evaluate", f"dataset={evaluated}", "asr=hypotheses", f"path={evaluated.parent}/new.csv", f"to={to}"])
            == 1
        )
        assert "is no folder of the set's evaluations" in capsys.readouterr().err


def test_one_evaluation_or_other_words_are_refused(evaluated):
    with pytest.raises(RoomtoneError, match="the same evaluation"):
        compare_versions(evaluated / "evaluation-old", evaluated / "evaluation-old")
    assert main(["evaluate", f"dataset={evaluated}", *from_file(evaluated, "new-folded"), "normalizer=casefold"]) == 0
    with pytest.raises(RoomtoneError, match="with the same normalizer="):
        compare_versions(evaluated / "evaluation-old", evaluated / "evaluation-new-folded")
    shutil.rmtree(evaluated / "evaluation-new-folded")


def test_a_history_tells_whose_gap_grows(evaluated, capsys):
    """hindi loses 45, then 75 of a hundred words, irish always 10: two versions on a line, in an order that is given."""
    capsys.readouterr()
    places = f"[{evaluated}/evaluation-new,{evaluated}/evaluation-old,{evaluated}/evaluation-bad]"
    assert main(["compare", f"history={places}"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(
        "3 evaluations of one set, new to bad. The gap between hindi and all others grows over the versions: "
    )
    folder = evaluated / "evaluation-bad" / "history"
    assert {p.name for p in folder.iterdir()} == {
        "index.html",
        "versions.csv",
        "trends.csv",
        "history.json",
        "history.png",
        "history.svg",
    }
    versions = pd.read_csv(folder / "versions.csv").set_index(["accent", "version"])
    trends = pd.read_csv(folder / "trends.csv").set_index("accent")
    gaps = [versions.loc[("hindi", name), "gap"] for name in ("new", "old", "bad")]
    assert trends.loc["hindi", "slope"] == pytest.approx(np.polyfit(range(3), gaps, 1)[0])
    assert gaps[1] == pytest.approx(versions.loc[("hindi", "old"), "wer"] - versions.loc[("irish", "old"), "wer"])
    assert trends.loc["hindi", "slope_low"] < 0.325 < trends.loc["hindi", "slope_high"]  # planted: 0, 35, 65 points
    assert trends.loc["hindi", "statement"] in out
    page = (folder / "index.html").read_text()
    assert "<svg" in page
    assert str(evaluated) not in page


def test_versions_of_a_set_are_taken_in_the_order_of_their_names(tmp_path):
    for name in ("1.10", "1.9", "beta"):
        (tmp_path / f"evaluation-{name}").mkdir()
        (tmp_path / f"evaluation-{name}" / "evaluation.json").write_text("{}")
    assert [path.name for path in find_versions(tmp_path)] == ["evaluation-1.9", "evaluation-1.10", "evaluation-beta"]
    with pytest.raises(RoomtoneError, match="0 evaluations lie in it"):
        find_versions(tmp_path / "evaluation-beta")


def test_a_history_of_one_version_is_refused(evaluated):
    with pytest.raises(RoomtoneError, match="two different evaluations or more"):
        version_history([evaluated / "evaluation-old", evaluated / "evaluation-old"])
