"""Draws in common: conditions that share a level share what was drawn for it, and every file still comes back from its row alone."""

import json

import numpy as np
import pytest

from roomtone.augment import rerender, stems
from roomtone.augment.generation import generate
from roomtone.core.dataset.manifest import read_manifest
from roomtone.core.errors import RoomtoneError

LEVELS = (
    "scenario.factors.room=[none,ward]",
    "scenario.factors.noise=[none,babble@0dB,babble@10dB]",
    "scenario.factors.equipment=[none,alarm_high@-3..9dB]",
    "scenario.factors.handset=[none,landline_mulaw,gsm]",
)


@pytest.fixture(scope="module")
def make(composed, write_corpus, tmp_path_factory):
    folder = tmp_path_factory.mktemp("common_draws")
    table = write_corpus(folder / "corpus", 3)

    def one(name, *more):
        words = ("corpus=table", f"corpus.path={table}", "design=full", "executor=serial", *LEVELS, *more)
        dataset = folder / name
        assert generate(composed(*words, f"output.dir={dataset}")).rejected == ()
        return dataset

    return one


@pytest.fixture(scope="module")
def dataset(make):
    return make("set", "draws=common")


def parts(dataset, part):
    """The JSON of one part of every recipe, by utterance and what the part's draws are keyed by."""
    column = {"snr_db": "noise", "equipment_snr_db": "equipment"}.get(part, part)
    found: dict = {}
    rows = read_manifest(dataset)
    rows = rows[rows[column] != "none"]
    for row in rows.to_dict("records"):
        level = row[column] if part.endswith("snr_db") else row[column].split("@")[0]
        drawn = json.dumps(json.loads(row["recipe"])[part], sort_keys=True)
        found.setdefault((row["utterance_id"], level), set()).add(drawn)
    return found


@pytest.mark.slow
def test_conditions_share_what_they_have_in_common(make, dataset):
    for part in ("room", "noise", "equipment", "handset", "equipment_snr_db"):
        drawn = parts(dataset, part)
        assert len(drawn) >= 3
        assert all(len(once) == 1 for once in drawn.values()), part
    for part in ("noise", "equipment"):  # but another utterance draws anew
        by_level: dict = {}
        for (_, level), once in parts(dataset, part).items():
            by_level.setdefault(level, []).append(*once)
        assert all(len(set(drawn)) == len(drawn) for drawn in by_level.values())
    apart = make("apart")
    assert all(len(each) > 1 for each in parts(apart, "noise").values())
    assert not set(read_manifest(dataset)["sample_id"]) & set(read_manifest(apart)["sample_id"])


@pytest.mark.slow
def test_every_file_comes_back_from_its_row_alone(dataset):
    for sample_id, sha256 in read_manifest(dataset)[["sample_id", "pcm_sha256"]].itertuples(index=False):
        from roomtone.augment.runs.shard_writer import pcm_sha256

        assert pcm_sha256(rerender(dataset, sample_id)[0]) == sha256


@pytest.mark.slow
def test_only_the_level_differs_between_two_snrs(dataset):
    rows = read_manifest(dataset).set_index(["utterance_id", "condition"])["sample_id"]
    for utterance in rows.index.unique("utterance_id"):
        loud, soft = (
            stems(dataset, rows[utterance, f"ward+babble@{snr}dB"]).noise.astype(np.float64) for snr in (0, 10)
        )
        assert np.abs(loud - 10**0.5 * soft).max() < 1e-5 * np.abs(loud).max()


def test_a_misspelt_choice_is_named(make):
    with pytest.raises(RoomtoneError, match="draws: 'comon' is not allowed; did you mean 'common'"):
        make("misspelt", "draws=comon")
