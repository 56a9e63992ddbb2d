"""A raised voice has the spectrum of the standard, at the level of the label and without delay."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy.signal import butter, sosfiltfilt

from roomtone.augment import Condition
from roomtone.augment.ops.vocal_effort import RISES_DB, effort_notes, tilt_db
from roomtone.cli.main import main
from roomtone.core.errors import RoomtoneError

RATE = 16000


def band_db(samples: np.ndarray, centre_hz: float) -> float:
    """Level of a third of an octave about a centre, by a Butterworth filter, dB."""
    edges = [centre_hz / 2 ** (1 / 6), centre_hz * 2 ** (1 / 6)]
    return 10 * np.log10((sosfiltfilt(butter(6, edges, "band", fs=RATE, output="sos"), samples) ** 2).mean())


def test_the_overall_levels_are_those_of_the_standard() -> None:
    """ANSI S3.5-1997 gives 62.35, 68.34, 74.85 and 82.30 dB SPL, over bands finer than the octaves here."""
    assert pytest.approx({"normal": 0, "raised": 5.99, "loud": 12.5, "shout": 19.95}, abs=0.4) == RISES_DB


@pytest.mark.parametrize("effort", ["raised", "loud", "shout"])
def test_a_raised_voice_has_its_tilt_its_level_and_its_time(effort, speech, active_level) -> None:
    plain = Condition().render(speech, RATE, key=0)
    raised = Condition(effort=effort).render(speech, RATE, key=0)
    rises = [band_db(raised.stems.speech, hz) - band_db(plain.stems.speech, hz) for hz in (500, 1000, 2000, 4000)]
    expected = tilt_db(RISES_DB[effort])[1:5]
    assert np.array(rises) - rises[0] == pytest.approx(
        expected - expected[0], abs=0.8
    )  # a band is not all at its centre
    assert active_level(raised.pcm / 32768, RATE)[0] == pytest.approx(-26, abs=0.1)
    whole = np.correlate(raised.stems.speech[:RATE], plain.stems.speech[:RATE], "full")
    assert abs(int(whole.argmax()) - (RATE - 1)) == 0


def test_an_environment_raises_the_voice_and_not_only_the_number() -> None:
    for dba, rise_db in ((40, None), (65, 10.25), (74, 13.94)):
        condition = Condition(noise=f"white@env{dba}dBA")
        assert condition.recipe(RATE, RATE, key=0).effort_db == rise_db
    assert Condition(noise="white@env65dBA", effort="shout").recipe(RATE, RATE, key=0).effort_db > 19  # the larger one
    assert Condition(noise="white@10dB").recipe(RATE, RATE, key=0).effort_db is None


def test_another_effort_is_refused_with_the_nearest() -> None:
    with pytest.raises(RoomtoneError, match="effort: 'lout' is none of .*did you mean 'loud'"):
        Condition(effort="lout")


def test_a_set_says_its_effort_and_comes_back(write_corpus, tmp_path, capsys) -> None:
    table, dataset = write_corpus(tmp_path / "corpus", 2), tmp_path / "set"
    words = ["generate", "corpus=table", f"corpus.path={table}", "noise=[none,white@env60dBA]", "equipment=none"]
    words += ["room=none", "handset=none", "design=full", "executor=serial", f"output.dir={dataset}"]
    assert main([*words, "effort=lowd"]) == 1
    assert "effort" in capsys.readouterr().err
    assert main([*words, "effort=raised"]) == 0
    rows = pd.read_parquet(dataset / "manifest")
    assert set(rows["effort_db"]) == {round(RISES_DB["raised"], 3), 8.2}
    assert {json.loads(recipe)["effort_db"] for recipe in rows["recipe"]} == set(rows["effort_db"])
    assert main(["verify", f"dataset={dataset}", "share=1"]) == 0
    part = next((dataset / "manifest").glob("*.parquet"))
    pd.read_parquet(part).assign(effort_db=3.0).to_parquet(part)
    assert main(["verify", f"dataset={dataset}", "share=0"]) == 2
    assert "effort_db says 3.0, the recipe asks" in capsys.readouterr().out


def test_an_effort_that_contradicts_an_environment_is_said_at_planning(write_corpus, tmp_path, caplog) -> None:
    """`effort=shout` with `white@env50dBA` rendered shouts at the SNR of a conversation, without a word."""
    words = [
        "plan",
        "corpus=table",
        f"corpus.path={write_corpus(tmp_path / 'corpus', 2)}",
        "noise=[none,white@env50dBA]",
    ]
    words += ["equipment=none", "room=none", "handset=none", "design=full"]
    assert main([*words, "effort=shout"]) == 0
    said = caplog.text
    assert (
        said.count("effort=shout is 19.9 dB above normal speech, and white@env50dBA draws the SNR of people who raise")
        == 1
    )
    assert "by 4.1 dB there: it is about 16 dB too low for this voice" in said
    caplog.clear()
    assert main(words) == 0
    assert "effort" not in caplog.text
    (note,) = effort_notes({"babble@env74dBA": 74.0}, "raised")
    assert "people raise their voices by 13.9 dB, and that is rendered" in note
    assert effort_notes({"babble@env70dBA": 70.0}, "loud") == []
