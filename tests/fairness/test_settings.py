"""Settings are checked where they come in, and the message names the key."""

import pytest

from roomtone.core.errors import RoomtoneError
from roomtone.fairness.settings import CompareSettings, ExportSettings, SearchSettings, Settings, read_settings


@pytest.mark.parametrize(
    ("cls", "values", "message"),
    [
        (Settings, {"max_failed": "16k"}, r"max_failed: expected a number, got '16k'"),
        (Settings, {"workers": 2.5}, r"workers: expected a whole number or null, got 2.5"),
        (Settings, {"allow_missing": "yes"}, r"allow_missing: expected true or false, got 'yes'"),
        (Settings, {"seed": True}, r"seed: expected a whole number, got True"),
        (Settings, {"workers": 0}, r"workers: at least 1, or null, got 0"),
        (Settings, {"holdout": 50}, r"holdout: a share between 0 and 1, got 50"),
        (Settings, {"alhpa": 0.1}, r"alhpa: unknown key; .*'alpha'"),
        (Settings, {"subgroups": {"depht": 2}}, r"subgroups.depht: unknown key; .*'depth'"),
        (Settings, {"subgroups": {"depth": "2"}}, r"subgroups.depth: expected a whole number, got '2'"),
        (CompareSettings, {"alpha": 5}, r"alpha: between 0 and 1, got 5 \(in per cent\?\)"),
        (
            CompareSettings,
            {"smallest_gap": 5},
            r"smallest_gap: a share of words between 0 and 1, got 5 \(in points\?\)",
        ),
        (CompareSettings, {"declared": ["irish"]}, r"declared: a list of \[group, condition\] pairs"),
        (CompareSettings, {"scale": "ratios"}, r"scale: 'ratios' is not allowed; .*'ratio'"),
        (SearchSettings, {"outcome": "wer"}, r"subgroups.outcome: unknown 'wer'"),
        (ExportSettings, {"dataset": "d", "format": 3, "to": "t"}, r"format: expected a text, got 3"),
    ],
)
def test_a_wrong_value_is_named_with_its_key(cls, values, message) -> None:
    with pytest.raises(RoomtoneError, match=message):
        read_settings(cls, values)


def test_a_nested_mapping_becomes_its_class_and_whole_numbers_pass_for_numbers() -> None:
    found = read_settings(Settings, {"subgroups": {"depth": 3, "columns": ["accent"]}, "holdout": 0})
    assert found.subgroups == SearchSettings(depth=3, columns=["accent"])
    assert found.comparison == CompareSettings()
