"""Short forms of the command line."""

import pytest

from roomtone.cli.arguments import Arguments
from roomtone.cli.compose import compose_config
from roomtone.cli.levels import with_short_forms


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
