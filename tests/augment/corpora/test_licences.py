"""Licences: what their names ask, and which of them no one licence can meet."""

from __future__ import annotations

from pathlib import Path

import pytest

from roomtone.augment.licences import licence_notes, terms


@pytest.mark.parametrize(
    ("licences", "parts"),
    [
        (["CC0-1.0", "MIT"], []),
        (["CC-BY-4.0", "CC-BY-NC-4.0"], ["CC-BY-NC-4.0 may not be used commercially"]),
        (["CC-BY-ND-4.0"], ["allows no adaptations"]),
        (["CC-BY-SA-4.0", "CC-BY-NC-4.0"], ["commercially", "Incompatible: CC-BY-SA-4.0", "So the set as a whole"]),
        (
            ["CC-BY-SA-4.0", "CC-BY-NC-SA-4.0"],
            ["commercially", "Incompatible: CC-BY-NC-SA-4.0 and", "So the set as a whole"],
        ),
        (["CC-BY-SA-4.0", "CC-BY-SA-3.0"], []),
        (["CC-BY-SA-4.0", "ODbL-1.0"], ["Incompatible", "So the set as a whole"]),
        (["LicenseRef-Ours"], ["the name does not say"]),
        ([None, "MIT"], ["states no licence"]),
    ],
)
def test_notes(licences: list[str | None], parts: list[str]) -> None:
    notes = licence_notes(licences)
    assert len(notes) == len(parts), notes
    for note, part in zip(notes, parts, strict=True):
        assert part in note


def test_every_licence_of_a_preset_is_understood() -> None:
    import yaml

    from roomtone.augment.presets import packaged_dir

    presets: list[Path] = sorted((packaged_dir() / "corpus").glob("*.yaml"))
    assert presets
    found = {yaml.safe_load(path.read_text(encoding="utf-8")).get("licence") for path in presets} - {None}
    assert {licence for licence in found if not terms(licence).known} == {"LicenseRef-Fair-Speech"}
