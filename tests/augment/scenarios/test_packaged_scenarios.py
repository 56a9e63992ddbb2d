"""Every packaged scenario can be planned, and those from the literature have the levels of their source."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from roomtone.augment.scenarios.conditions import preset_of, split_level
from roomtone.augment.scenarios.presets import packaged_dir, preset_names
from roomtone.cli.main import main
from roomtone.core.vocabulary import FACTORS

SCENARIOS = sorted(path.stem for path in (packaged_dir() / "scenario").glob("*.yaml"))


def levels(name: str) -> dict[str, list[str]]:
    text = (Path(packaged_dir()) / "scenario" / f"{name}.yaml").read_text()
    assert text.startswith(f"# roomtone generate scenario={name}")
    return yaml.safe_load(text)["factors"]


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_level_is_a_packaged_preset(name: str) -> None:
    factors = levels(name)
    assert set(factors) == set(FACTORS)
    for factor, names in factors.items():
        assert {preset_of(factor, level) for level in names} - {"none"} <= set(preset_names(factor))


@pytest.mark.parametrize("name", sorted(set(SCENARIOS) - {"hospital_imaging_floor"}))
def test_every_scenario_is_planned(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", f"scenario={name}", "corpus.select.max_per_accent=2"]) == 0
    assert "samples" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "preset", "snrs_db"),
    [
        ("ms_snsd", "babble", {0, 5, 10, 15, 20}),
        ("speech_robust_bench", "white", {40, 30, 20, 10, 0}),
        ("listen_fairly", "traffic", {20, 10, 0}),
    ],
)
def test_snrs_are_those_of_the_source(name: str, preset: str, snrs_db: set[int]) -> None:
    found = [split_level("noise", level) for level in levels(name)["noise"] if level != "none"]
    assert {float(level["low"]) for level in found if level["preset"] == preset} == snrs_db
