"""Licences: what their names ask, and which of them no one licence can meet."""

from __future__ import annotations

from pathlib import Path

import pytest

from roomtone.augment.corpora.licences import credit_lines, licence_notes, set_licences, terms


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


def test_a_set_of_two_corpora_says_that_their_licences_clash(tmp_path: Path) -> None:
    from roomtone.core.dataset.manifest import write_part

    (tmp_path / "manifest").mkdir()
    row = {"sample_id": "a", "utterance_id": "u", "condition": "clean"}
    write_part([row | {"attr_licence": "CC-BY-SA-4.0"}], tmp_path / "manifest" / "part-00000.parquet")
    write_part([row | {"sample_id": "b", "attr_licence": "CC-BY-NC-4.0"}], tmp_path / "manifest" / "part-00001.parquet")
    write_part([row | {"sample_id": "c"}], tmp_path / "manifest" / "part-00002.parquet")
    assert set_licences(tmp_path) == ["CC-BY-NC-4.0", "CC-BY-SA-4.0", None]
    runs = [{"reader": "edacc", "attribution": "EdAcc", "licence": "CC-BY-SA-4.0"}, {"reader": "table", "name": "mine"}]
    text = "\n".join(credit_lines(tmp_path, runs))
    assert "- edacc: EdAcc; licence CC-BY-SA-4.0." in text
    assert "- mine: nobody to credit was stated; licence not stated." in text
    assert "Incompatible: CC-BY-SA-4.0 asks" in text
    assert "states no licence" in text


def test_every_licence_of_a_preset_is_understood() -> None:
    import yaml

    from roomtone.augment.scenarios.presets import packaged_dir

    presets: list[Path] = sorted((packaged_dir() / "corpus").glob("*.yaml"))
    assert presets
    found = {yaml.safe_load(path.read_text(encoding="utf-8")).get("licence") for path in presets} - {None}
    assert {licence for licence in found if not terms(licence).known} == {"LicenseRef-Fair-Speech"}
