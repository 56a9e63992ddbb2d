"""What `roomtone measure` is asked for: every wrong value is one line that opens with its key; and the public names of the package."""

import importlib

import pytest

from roomtone.core.errors import RoomtoneError
from roomtone.measure.settings import MeasureSettings, read_place

ONE = {"recording": "scanner.wav", "as": "equipment", "name": "ours"}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"sample_rate_hz": "16k"}, r"sample_rate_hz: expected a whole number from 8000 to 192000, got '16k' \(in Hz\?\)"),
        ({"sample_rate_hz": 16}, r"sample_rate_hz: .* got 16 \(in Hz\?\)"),
        ({"offset_s": -1}, "offset_s: expected a number from 0 up, got -1"),
        ({"dimensions_m": [5, 4]}, r"dimensions_m: expected 3 values, got 2: \[5, 4\]"),
        ({"dimensions_m": [500, 4, 2700]}, r"dimensions_m\[2\]: .* \(in metres\?\)"),
        ({"talker_distance_m": [1.5, 0.5]}, "talker_distance_m: expected .least, greatest."),
        ({"name": "a-b"}, "name: 'a-b' cannot name a preset"),
        ({"as": "equipement"}, "as: 'equipement' cannot be measured; did you mean 'equipment'?"),
        ({"place": "here"}, "give either recording=FILE"),
        ({"longest": 3}, "unknown key 'longest'; did you mean 'longest_s'?"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_with_its_key(wrong, says):
    with pytest.raises(RoomtoneError, match=says):
        MeasureSettings.from_mapping(ONE | wrong)


def test_the_packaged_configuration_is_the_defaults():
    """`conf/measure.yaml` states every key, with the value that the dataclass has."""
    import yaml

    from roomtone.augment.scenarios.presets import packaged_dir

    stated = yaml.safe_load((packaged_dir() / "measure.yaml").read_text())
    assert MeasureSettings.from_mapping(stated | ONE) == MeasureSettings.from_mapping(ONE)
    fields = {"as" if name == "kind" else name for name in MeasureSettings.__dataclass_fields__}
    assert set(stated) == fields


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name: floor", r"place.yaml: the key 'recordings' is missing"),
        ("name: floor\nrecordings: [pump.wav]", r"place.yaml: .*got 'pump.wav'"),
        ("name: floor\nrecordings: [{file: a.wav, as: machine, name: a}]", r"recordings\[0\]: as: 'machine' cannot"),
        ("name: floor\nrecordings: [{file: a.wav, as: noise}]", r"recordings\[0\]: the key 'name' is missing"),
        ("name: floor\nrecordings: []\nvary: {equipment: a, pitch: 20}", r"vary.pitch: .* \(in per cent\?\)"),
        ("[1, 2]", "the keys 'name' and 'recordings'"),
        ("{", "not readable as YAML"),
    ],
)
def test_a_wrong_place_is_refused_with_its_key(tmp_path, text, says):
    (tmp_path / "place.yaml").write_text(text)
    with pytest.raises(RoomtoneError, match=says):
        read_place(tmp_path)


def test_every_public_name_is_there():
    facade = importlib.import_module("roomtone.measure")
    assert len(facade.__all__) > 10
    for name in facade.__all__:
        assert getattr(facade, name).__module__.startswith("roomtone.measure."), name
    with pytest.raises(AttributeError, match="no attribute 'measure_evrything'"):
        _ = facade.measure_evrything


def test_the_examples_of_the_facade():
    import doctest

    result = doctest.testmod(importlib.import_module("roomtone.measure"))
    assert result.attempted > 0
    assert result.failed == 0
