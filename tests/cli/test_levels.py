"""Short forms of the command line."""

import pytest

from roomtone.cli.arguments import Arguments
from roomtone.cli.compose import compose_config
from roomtone.cli.levels import with_short_forms
from roomtone.cli.main import main


@pytest.mark.parametrize(
    ("word", "levels"),
    [
        ("noise=[none,babble@5dB]", ["none", "babble@5dB"]),
        ("noise=none", ["none"]),
        ("scenario.factors.noise=[none,babble@0..10dB]", ["none", "babble@0..10dB"]),
        ("noise=[none,mine=folder:/data/my noise/x@5dB]", ["none", "mine=folder:/data/my noise/x@5dB"]),
        ("noise=['a,b=folder:/it\\'s@5dB']", ["a,b=folder:/it\\'s@5dB"]),
    ],
)
def test_a_factor_is_written_by_its_name(word, levels):
    cfg = compose_config(Arguments((word,)), "generate")
    assert [str(level) for level in cfg.scenario.factors.noise] == [level.replace("\\'", "\\'") for level in levels]


def test_factors_given_as_a_mapping_replace_the_scenarios_own():
    cfg = compose_config(Arguments(("scenario.factors={room:[none,ward]}",)), "generate")
    assert dict(cfg.scenario.factors) == {"room": ["none", "ward"]}


def test_goals_are_given_whole_or_one_by_one():
    assert with_short_forms(["scenario.goals={default:{renders:6}}"]) == (
        "~scenario.goals",
        "+scenario.goals={default:{renders:6}}",
    )
    assert with_short_forms(["scenario.goals.default.renders=6"]) == ("++scenario.goals.default.renders=6",)


@pytest.mark.parametrize(
    "path",
    ["takes/Übung.wav", "a #2.wav", "take (2).wav", "x=y.wav", "a,b.wav", "it's.wav", "{a}.wav", "back\\slash.wav"],
)
def test_a_path_is_taken_as_it_is_typed(path):
    words = [f"audio=d/{path}", "to=t.wav"]
    assert compose_config(Arguments(("condition=ward", *words)), "listen").audio == f"d/{path}"


def test_a_path_for_the_bundled_corpus_is_another_corpus(tmp_path, capsys):
    assert main(["plan", f"corpus.path={tmp_path / 'speech.csv'}"]) == 1
    assert "corpus=demo is the bundled corpus and reads no path; for" in capsys.readouterr().err
