"""Levels, conditions and scenarios: what YAML may say, and what it is told when it may not."""

import pytest

from roomtone.augment.scenarios.conditions import (
    CLEAN,
    condition_name,
    parse_condition,
    parse_condition_name,
    split_level,
)
from roomtone.augment.scenarios.presets import load_preset, preset_names
from roomtone.augment.scenarios.scenario import inline_presets, lookup, parse_scenario
from roomtone.core.errors import RoomtoneError
from roomtone.core.vocabulary import FACTORS


def find(factor, name):
    return load_preset(factor, name)


@pytest.mark.parametrize(
    ("factor", "text", "low", "high"),
    [
        ("noise", "babble@5dB", "5", None),
        ("noise", "babble@-5dB", "-5", None),
        ("noise", "babble@0..10dB", "0", "10"),
        ("equipment", "mri_epi@2.5dB", "2.5", None),
    ],
)
def test_snr_is_read_from_a_level(factor, text, low, high):
    match = split_level(factor, text)
    assert (match["low"], match["high"]) == (low, high)


@pytest.mark.parametrize(
    ("factor", "text", "message"),
    [
        ("noise", "babble", "says no SNR; write for instance babble@10dB"),
        ("noise", "babble@5", "not of the form babble@5dB"),
        ("noise", "babble@10..5dB", "upside down"),
        ("room", "ward@5dB", "a room has none; write ward"),
        ("handset", "../x", "not of the form"),
    ],
)
def test_a_malformed_level_says_what_would_be_right(factor, text, message):
    with pytest.raises(RoomtoneError, match=message):
        split_level(factor, text)


def test_unknown_preset_names_the_nearest():
    with pytest.raises(RoomtoneError, match="did you mean 'babble'"):
        parse_condition({"noise": "bable@5dB"}, find)


def test_unknown_factor_names_the_nearest():
    with pytest.raises(RoomtoneError, match="did you mean 'handset'"):
        parse_condition({"handsets": "gsm"}, find)


def test_condition_names_join_levels_in_the_order_of_physics():
    condition = parse_condition({"handset": "gsm", "room": "ward", "noise": "babble@5dB", "equipment": "none"}, find)
    assert condition.name == "ward+babble@5dB+gsm"
    assert condition.labels == {"room": "ward", "noise": "babble@5dB", "equipment": "none", "handset": "gsm"}
    assert parse_condition_name(condition.name, find, preset_names) == condition
    assert parse_condition_name(CLEAN, find, preset_names).name == condition_name({}) == CLEAN


def test_an_edited_preset_is_another_condition():
    """Two sets made from different presets of one name once shared sample ids; the content is part of the identity."""
    edited = {"op": "ltass_noise"}
    plain = parse_condition({"noise": "pink@5dB"}, find)
    other = parse_condition({"noise": "pink@5dB"}, lambda factor, name: edited)
    assert plain.name == other.name
    assert plain.content != other.content


def test_a_target_in_a_preset_is_refused():
    with pytest.raises(RoomtoneError, match="a preset is data, not a program"):
        parse_condition({"noise": "x@5dB"}, lambda factor, name: {"_target_": "os.system", "command": "true"})


def test_every_preset_of_every_factor_parses():
    count = 0
    for factor in FACTORS:
        for name in preset_names(factor):
            parse_condition({factor: f"{name}@5dB" if factor in ("noise", "equipment") else name}, find)
            preset = load_preset(factor, name)
            assert preset.get("description"), f"{factor}/{name} has no description"
            assert preset.get("source"), f"{factor}/{name} has no source"
            count += 1
    assert count >= 12 + 12 + 20 + 8


def test_scenario_refuses_unknown_keys_and_repeated_levels():
    with pytest.raises(RoomtoneError, match="unknown key 'goal'; did you mean 'goals'"):
        parse_scenario({"name": "s", "factors": {"room": ["none"]}, "goal": {}})
    with pytest.raises(RoomtoneError, match="'ward' is listed twice"):
        parse_scenario({"name": "s", "factors": {"room": ["ward", "ward"]}})
    with pytest.raises(RoomtoneError, match="expected a list of levels"):
        parse_scenario({"name": "s", "factors": {"room": "ward"}})


def test_a_users_preset_wins_over_the_packaged_one(tmp_path):
    (tmp_path / "noise").mkdir()
    (tmp_path / "noise" / "pink.yaml").write_text("op: ltass_noise\n")
    scenario = parse_scenario({"name": "s", "factors": {"noise": ["none", "pink@5dB"]}})
    assert inline_presets(scenario, {}, (tmp_path,))["noise"]["pink"] == {"op": "ltass_noise"}
    assert inline_presets(scenario, {}, ())["noise"]["pink"]["op"] != "ltass_noise"
    assert lookup({"noise": {"pink": {"op": "x"}}})("noise", "pink") == {"op": "x"}


def test_relative_paths_of_a_users_preset_belong_to_its_file_however_deep(tmp_path):
    (tmp_path / "handset").mkdir()
    (tmp_path / "handset" / "ours.yaml").write_text(
        "op: chain\nstages:\n  - {op: recorded_device, path: device.wav}\n  - {op: level, gain_db: 3}\n"
    )
    stages = load_preset("handset", "ours", (tmp_path,))["stages"]
    assert stages[0]["path"] == str(tmp_path / "handset" / "device.wav")
    assert stages[1] == {"op": "level", "gain_db": 3}
