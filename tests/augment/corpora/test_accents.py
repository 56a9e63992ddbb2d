"""Accent maps: raw labels kept, unknown apart from unmapped, several accents for one speaker, nothing dropped."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roomtone.augment.corpora import open_corpus
from roomtone.augment.corpora.accents import UNMAPPED, load_map, map_names
from roomtone.augment.corpora.readers.common_voice import split_accents
from roomtone.augment.corpora.utterance import Utterance, join_accents
from roomtone.core.audio.segment import AudioRef
from roomtone.core.errors import RoomtoneError


def _utterance(accent: str | None) -> Utterance:
    return Utterance("u", AudioRef("/a.wav"), "text", "s", accent, accent, "en", "c", attributes={"age": "40"})


@pytest.mark.parametrize("name", map_names())
def test_every_packaged_map_loads_and_maps_its_own_labels_to_themselves(name: str) -> None:
    accents = load_map(name)
    assert accents.version >= 1
    for label in set(accents.labels.values()):
        assert accents.canonical(label) == label
        assert label in accents.regions or name in ("edacc", "saa", "fair_speech") or label == "non_native", label


@pytest.mark.parametrize(
    ("raw", "canonical"),
    [
        ("India and South Asia (India, Pakistan, Sri Lanka)", "south_asian"),
        ("German English,Non native speaker", "german_l1|non_native"),
        ("Liverpool English,Lancashire English,England English", "english|lancashire|liverpool"),
        ("United States English", "american"),
        ("us", "american"),
        ("southatlandtic", "south_atlantic"),
        ("newzealand", "new_zealand"),
        ("hongkong", "hong_kong"),
        ("other", None),
        ("", None),
        ("my very own", UNMAPPED),
        ("my very own,Scottish English", "scottish|unmapped"),
    ],
)
def test_common_voice_labels(raw: str, canonical: str | None) -> None:
    assert load_map("common_voice").canonical(join_accents(split_accents(raw))) == canonical


def test_all_codes_of_early_common_voice_releases_are_mapped() -> None:
    codes = "us england scotland wales ireland canada bermuda australia newzealand southatlandtic african indian philippines"
    accents = load_map("common_voice")
    for code in [*codes.split(), "hongkong", "malaysia", "singapore"]:
        assert accents.canonical(code) not in (None, UNMAPPED), code


def test_the_region_is_an_attribute_and_the_raw_label_stays() -> None:
    mapped = load_map("common_voice").apply(_utterance("Welsh English|German English"))
    assert mapped.accent == "german_l1|welsh"
    assert mapped.accent_raw == "Welsh English|German English"
    assert mapped.attributes == {"age": "40", "accent_region": "british_isles|europe"}
    assert _utterance("x").attributes == {"age": "40"}


@given(st.lists(st.one_of(st.sampled_from(sorted(load_map("common_voice").labels)), st.text(max_size=12)), max_size=4))
def test_a_map_applied_twice_changes_nothing(labels: list[str]) -> None:
    accents = load_map("common_voice")
    once = accents.apply(_utterance(join_accents(labels)))
    assert accents.apply(once) == once
    assert accents.canonical(once.accent) == once.accent


def test_a_users_map_wins_over_the_packaged_one_and_over_its_base(tmp_path: Path) -> None:
    (tmp_path / "accents").mkdir()
    path = tmp_path / "accents" / "vctk.yaml"
    path.write_text(
        "version: 7\nbase: english\naccents:\n  scots: {region: british_isles, raw: [Scottish]}\n", encoding="utf-8"
    )
    assert load_map("vctk", [tmp_path]).canonical("Scottish|Scotland|Welsh") == "scots|welsh"
    assert load_map(str(path)).version == 7
    assert load_map("vctk").canonical("Scottish") == "scottish"
    inline = {"version": 1, "accents": {"a": {"raw": ["b"]}}}
    assert load_map(inline).canonical("B") == "a"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("accents: {}", "'version' is missing"),
        ("version: 1\naccent: {}", "unknown key 'accent'; did you mean 'accents'"),
        ("version: 1\naccents: {a: {raw: [x]}, b: {raw: [X]}}", "'X' is listed under both 'a' and 'b'"),
        ("version: 1\naccents: {a: {raw: [x]}, b: {rw: [y]}}", "unknown key 'rw'"),
        ("version: 1\naccents: {a: {raw: [b]}, b: {raw: [c]}}", "'b' is listed under both 'a' and 'b'"),
        ("version: 1\nbase: englsh", "no map 'englsh'; did you mean 'english'"),
        ("version: 1\naccents: {'a|b': {}}", "joins several accents"),
        ("version: [1", "not readable as YAML"),
        ("- a", "expected a mapping"),
    ],
)
def test_maps_that_contradict_themselves_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RoomtoneError, match=message) as caught:
        load_map(str(path))
    assert "\n" not in str(caught.value)


def test_a_map_is_named_in_the_corpus_keys(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text("version: 1\naccents:\n  us: {raw: [american, new_york]}\n", encoding="utf-8")
    found = {u.accent for u in open_corpus({"reader": "demo", "accents": str(mine)})}
    assert found == {"us", UNMAPPED}
    with pytest.raises(RoomtoneError, match="no map 'comon_voice'; did you mean 'common_voice'"):
        open_corpus({"reader": "demo", "accents": "comon_voice"})
