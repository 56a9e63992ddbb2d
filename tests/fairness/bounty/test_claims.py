"""Claims as they are typed, sets that can decide them, budgets that runs and kills share, and what counts say."""

import dataclasses
import json
import re

import numpy as np
import pandas as pd
import pytest

from roomtone.core.errors import RoomtoneError
from roomtone.fairness.bounty import sending
from roomtone.fairness.bounty.checking import AskedAgain
from roomtone.fairness.bounty.choosing import Goal, choose, what_would_do
from roomtone.fairness.bounty.claim import Claim, Terms, parse_claim, read_terms, write_terms
from roomtone.fairness.bounty.ruling import rule, scores_of
from roomtone.fairness.recognisers.transcription import transcribe

CLAIM = parse_claim("accent=hindi_l1 equipment=scanner_800hz@5dB points=5")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected key=value"),
        ("accent=hindi_l1", "one group, its condition and points"),
        ("accent=a attr_gender=f points=5", "one group"),
        ("accent=a points=many", "points is a number"),
        ("accent=a points=nan", "between 0 and 100"),
        ("accent=a points=5 points=6", "each once"),
        ("accent='a points=5", "a quote is missing"),
    ],
)
def test_what_is_no_claim_is_said_with_what_to_type(text, said):
    with pytest.raises(RoomtoneError, match=said):
        parse_claim(text)


def test_a_claim_finds_its_rows_in_a_manifest():
    rows = pd.DataFrame({
        "accent": ["hindi_l1", "irish|hindi_l1", "scottish", None],
        "equipment": ["scanner_800hz@5dB"] * 3 + [None],
        "noise": [None, None, "hum@5dB", None],
    })  # fmt: skip
    assert CLAIM.in_condition(rows).tolist() == [True, True, False, False]
    assert CLAIM.of_group(rows).tolist() == [True, True, False, False]
    assert Claim("accent", "a", {}, 5.0).in_condition(rows).tolist() == [False, False, False, True]


@pytest.fixture
def terms():
    return Terms(
        CLAIM,
        {"recogniser": "http", "model": "m"},
        "auto",
        0.05,
        3,
        30.0,
        None,
        0,
        ("u1", "u2"),
        {"wer": 0.2},
        "roomtone 1",
    )


def test_the_hash_survives_a_file_and_changes_with_every_term(terms, tmp_path):
    assert read_terms(write_terms(terms, tmp_path / "claim.json")).sha256 == terms.sha256
    others = [
        dataclasses.replace(terms, claim=dataclasses.replace(CLAIM, points=4.0)), dataclasses.replace(terms, utterances=("u2", "u1")),
        dataclasses.replace(terms, alpha=0.1), dataclasses.replace(terms, seed=1), dataclasses.replace(terms, recogniser={"recogniser": "http"}),
    ]  # fmt: skip
    assert len({terms.sha256, *(other.sha256 for other in others)}) == 6


@pytest.mark.parametrize(
    "change", [{"claim": {}}, {"points": 5}, {"alpha": "small"}, {"utterances": "u1"}, {"format": "x"}]
)
def test_terms_of_another_form_are_refused(terms, tmp_path, change):
    data = json.loads(write_terms(terms, tmp_path / "claim.json").read_text()) | change
    (tmp_path / "claim.json").write_text(json.dumps(data))
    with pytest.raises(RoomtoneError, match=r"claim\.json"):
        read_terms(tmp_path / "claim.json")


def speech(people=(30, 90), each=6):
    rows = [
        {"utterance_id": f"{accent}/{s}-{k}", "speaker": f"{accent}/{s}", "accent": accent, "words": 12, "duration_s": 6.0}
        for accent, count in zip(("hindi_l1", "irish", "welsh"), (people[0], people[1] // 2, people[1] // 2))
        for s in range(count) for k in range(each)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def chosen(table, *, minutes=1e9, requests=1e9, points=0.1, **more):
    return choose(
        table, CLAIM.of_group(table), Goal(points, 2 * points, **more), minutes=minutes, requests=requests, seed=0
    )


def test_the_smallest_set_that_decides_is_chosen_and_a_budget_gives_the_best_that_it_holds():
    table = speech()
    free = chosen(table)
    assert free.chance >= 0.8
    assert free.minutes == pytest.approx(len(free.utterances) / 10)
    accents = [name.split("/")[0] for name in free.utterances]
    assert abs(accents.count("irish") - accents.count("welsh")) <= 6  # others in turn
    half = accents[: len(accents) // 2]
    assert half.count("hindi_l1") == pytest.approx(
        accents.count("hindi_l1") / 2, abs=1
    )  # wherever one stops, both sides came as far
    fewer = chosen(table, minutes=free.minutes * 0.9)
    assert fewer.chance < 0.8
    assert fewer.minutes <= free.minutes * 0.9
    assert len(chosen(table, requests=40).utterances) <= 40
    with pytest.raises(RoomtoneError, match="two or more"):
        chosen(table[table["speaker"].isin(["hindi_l1/0", "irish/0"])])
    with pytest.raises(RoomtoneError, match="does not hold"):
        chosen(table, requests=3)


def test_what_would_do_is_minutes_where_the_corpus_holds_them_and_else_speakers():
    """Thirteen of thirty minutes were used, all speakers were in, and the advice was more minutes."""
    table = speech()
    of_group, goal = CLAIM.of_group(table), Goal(0.1, 0.2)
    small = chosen(table, minutes=chosen(table).minutes * 0.8)
    said = what_would_do(table, of_group, goal, small, repeat=0.1, seed=0)
    assert f"a budget of {1.1 * chosen(table).minutes:.1f} minutes" in said
    few = speech(people=(6, 6))
    said = what_would_do(few, CLAIM.of_group(few), goal, chosen(few), repeat=0.1, seed=0)
    needed = int(re.search(r"about (\d+) speakers on each side would do", said)[1])
    more = speech(people=(needed, needed))
    assert chosen(more).chance >= 0.8
    assert chosen(speech(people=(needed - 6, needed - 6))).chance < 0.8
    assert "with all of this corpus" in what_would_do(
        few, CLAIM.of_group(few), goal, chosen(few, requests=20), repeat=0.1, seed=0
    )


def simulated(rng, choice, gap, sd=0.1, wer=0.2):
    """Recordings of a choice with the gap that is planted, speakers' rates spread with standard deviation `sd`."""
    rates, rows, heard = {}, [], {}
    for name in choice.utterances:
        speaker = name.split("-")[0]
        accent = speaker.split("/")[0]
        mean = wer + gap * (accent == "hindi_l1")
        shape = mean * (1 - mean) / sd**2 - 1
        rate = rates.setdefault(speaker, rng.beta(mean * shape, (1 - mean) * shape))
        words = [f"w{k}" for k in range(12)]
        rows.append(
            {
                "sample_id": name,
                "utterance_id": name,
                "speaker": speaker,
                "accent": accent,
                "text": f"{name} " + " ".join(words[1:]),
            }
        )
        heard[name] = " ".join(word for word in rows[-1]["text"].split() if rng.random() >= rate)
    return pd.DataFrame(rows), heard


def test_the_plan_keeps_its_word():
    """No gap and twice the claimed one are decided about as often as the plan says (80 %), and hardly ever wrongly."""
    choice, claim = chosen(speech()), dataclasses.replace(CLAIM, points=10.0)
    found = {}
    for gap in (0.0, 0.2):
        studies = [simulated(np.random.default_rng((7, k)), choice, gap) for k in range(10)]
        found[gap] = [rule(claim, scores_of(rows, heard, "basic")).verdict for rows, heard in studies]
    assert found[0.0].count("not upheld") >= 5
    assert found[0.0].count("upheld") == 0
    assert found[0.2].count("upheld") >= 5
    assert found[0.2].count("not upheld") == 0


def test_missing_answers_leave_a_claim_open():
    rows, heard = simulated(np.random.default_rng(0), chosen(speech()), 0.6)
    claim = dataclasses.replace(CLAIM, points=10.0)
    assert rule(claim, scores_of(rows, heard, "basic")).verdict == "upheld"
    assert rule(claim, scores_of(rows, heard, "basic"), missing=len(rows)).verdict == "cannot be told"
    lost = dict(list(heard.items())[: int(0.85 * len(heard))])
    assert rule(claim, scores_of(rows, lost, "basic")).verdict == "cannot be told"


@pytest.fixture
def recordings(make_set):
    """Eight recordings of about a quarter of a second, a program that counts how often it is asked, and where answers go."""
    from roomtone.core.dataset.manifest import read_manifest

    folder = make_set([{"speaker": f"s{k}", "accent": "a", "condition": "clean", "text": f"one {k}"} for k in range(8)])
    log = folder / "asked.txt"
    asr = {"recogniser": "command", "command": f"sh -c 'echo x >> {log}; echo heard' {{audio}}", "workers": 2}
    return read_manifest(folder), folder, asr, log


def asked(log):
    return len(log.read_text().splitlines()) if log.exists() else 0


def test_a_budget_is_for_all_runs_together_and_answers_are_paid_once(recordings):
    rows, folder, asr, log = recordings
    seconds = rows["duration_s"].sum()
    few = sending.send(rows, folder, asr, folder / "answers", repeats=2, budget=sending.Budget(requests=5))
    assert (len(few.first), len(few.repeat), few.requests, few.unsent, asked(log)) == (5, 0, 5, 5, 5)
    all_of_it = sending.send(rows, folder, asr, folder / "answers", repeats=2, budget=sending.Budget(minutes=1))
    assert (len(all_of_it.first), len(all_of_it.repeat), all_of_it.unsent, asked(log)) == (8, 2, 0, 10)
    assert all_of_it.minutes * 60 == pytest.approx(
        seconds + all_of_it.repeat.merge(rows, on="sample_id")["duration_s"].sum()
    )
    sending.send(rows, folder, asr, folder / "answers", repeats=2, budget=sending.Budget(0, 0))
    assert asked(log) == 10


def test_requests_under_way_at_a_kill_are_charged(recordings, monkeypatch):
    rows, folder, asr, log = recordings

    def killed(*args, **more):
        transcribe(args[0].iloc[:3], *args[1:], **more)
        raise KeyboardInterrupt

    monkeypatch.setattr(sending, "transcribe", killed)
    with pytest.raises(KeyboardInterrupt):
        sending.send(rows, folder, asr, folder / "answers", repeats=0, budget=sending.Budget(requests=8))
    monkeypatch.undo()
    after = sending.send(rows, folder, asr, folder / "answers", repeats=0, budget=sending.Budget(requests=8))
    assert (after.in_flight, after.requests, after.unsent, asked(log)) == (
        2,
        8,
        2,
        6,
    )  # 3 before, 2 perhaps lost, 3 more


def test_a_forged_folder_is_told_from_a_recogniser_that_varies():
    assert AskedAgain(20, 7, 0).p == pytest.approx(3**-7)
    assert AskedAgain(20, 7, 0).forged
    assert AskedAgain(40, 18, 4).forged
    assert not AskedAgain(20, 0, 0).forged
    assert not AskedAgain(20, 6, 0).forged
    assert not AskedAgain(40, 10, 20).forged
