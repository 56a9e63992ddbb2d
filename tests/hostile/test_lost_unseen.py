"""Sets from which something was taken, or whose labels were changed with their seals: `verify` says so at `share=0`, and ends with 2."""

import json
import shutil

import pytest

from roomtone.core.dataset.manifest import read_manifest


def test_an_untouched_set_holds(theirs, held):
    status, said = held(theirs)
    assert status == 0, said
    assert "not held against a forger" in said


def test_a_removed_part_is_found(theirs, held):
    """A part and its rows were simply gone, and "all hold"."""
    (theirs / "manifest" / "part-00001.parquet").unlink()
    status, said = held(theirs)
    assert status == 2
    assert "shard 1 is lost" in said


def test_a_part_overwritten_by_a_copy_of_another_is_found(theirs, held):
    shutil.copy(theirs / "manifest" / "part-00000.parquet", theirs / "manifest" / "part-00001.parquet")
    status, said = held(theirs)
    assert status == 2
    assert "have the sample id of another row" in said
    assert "not of shard 1" in said


@pytest.mark.parametrize("name", ["part-00099.parquet", "notes.txt", "part-1.parquet", "part-00000.parquet.bak"])
def test_a_foreign_file_among_the_parts_is_found(theirs, held, name):
    shutil.copy(theirs / "manifest" / "part-00000.parquet", theirs / "manifest" / name)
    status, said = held(theirs)
    assert status == 2
    assert name in said


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + bytes(100) + b"PAR1", b"not parquet at all"])
def test_a_damaged_part_is_one_line(theirs, held, content):
    (theirs / "manifest" / "part-00001.parquet").write_bytes(content)
    status, said = held(theirs)
    assert status == 2
    assert "not a readable Parquet file" in said


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"format_version": 1, "runs": [{"shards": "all"}]}', b"\xff\xfe", b"[" * 100_000]
)
def test_a_damaged_record_is_one_line(theirs, held, content):
    (theirs / "dataset.json").write_bytes(content)
    status, said = held(theirs)
    assert status == 2
    assert "dataset.json" in said


def test_a_missing_record_is_found(theirs, held):
    (theirs / "dataset.json").unlink()
    assert held(theirs)[0] == 2


@pytest.mark.parametrize("line", ['{"utterance_id": "u", "cond', "[1]", "{}", "[" * 50_000])
def test_a_torn_list_of_rejections_is_found(theirs, held, line):
    (theirs / "rejected").mkdir(exist_ok=True)
    (theirs / "rejected" / "part-00000.jsonl").write_text(line)
    status, said = held(theirs)
    assert status == 2
    assert "rejected/part-00000.jsonl, line 1" in said


def test_counts_that_were_edited_are_found(theirs, held):
    record = json.loads((theirs / "dataset.json").read_text())
    record["runs"][0]["counts"]["rendered"] += 1
    (theirs / "dataset.json").write_text(json.dumps(record))
    status, said = held(theirs)
    assert status == 2
    assert "counts 21 rendered, there are 20" in said


def test_a_row_taken_from_a_part_is_found(theirs, held, edit_rows):
    edit_rows(theirs, lambda rows: rows.pop())
    status, said = held(theirs)
    assert status == 2
    assert "there are 19" in said


def _only(rendered, changes):
    def change(rows):
        for row in rows:
            if row["condition"] == rendered:
                row.update(changes)

    return change


@pytest.mark.parametrize(
    ("condition", "changes", "said"),
    [
        ("babble@5dB", {"snr_db": 20.0}, "noise says 'babble@5dB', snr_db says 20.0"),
        ("babble@5dB", {"noise": "traffic@5dB", "condition": "traffic@5dB"}, "traffic"),
        ("babble@5dB", {"noise": "street@5dB", "condition": "street@5dB"}, "street@5dB"),
        ("babble@5dB", {"condition": "street@10dB"}, "condition says 'street@10dB'"),
        ("fan@10dB", {"equipment": "none", "equipment_snr_db": None, "condition": "clean"}, "equipment says 'none'"),
        ("fan@10dB", {"equipment_snr_db": -10.0}, "equipment says 'fan@10dB'"),
        ("clean", {"t60_s": 0.5}, "there is no room"),
        ("clean", {"snr_db": 5.0}, "there is no noise"),
        ("clean", {"handset": "landline_mulaw", "condition": "landline_mulaw"}, "handset says 'landline_mulaw'"),
        ("landline_mulaw", {"handset": "gsm", "condition": "gsm"}, "gsm"),
        ("clean", {"utterance_id": "another"}, "sample_id is not the key"),
        ("clean", {"corpus": "another"}, "sample_id is not the key"),
        ("clean", {"seed": 7}, "sample_id is not the key"),
        ("clean", {"replicate": 3}, "sample_id is not the key"),
        ("clean", {"duration_s": 100.0}, "duration_s says 100.0"),
        ("clean", {"sample_rate_hz": 8000}, "sample_rate_hz says 8000"),
        ("clean", {"row_sha256": None}, "no row_sha256"),
    ],
)
def test_a_label_that_was_changed_with_its_seal_is_found(theirs, held, edit_rows, condition, changes, said):
    """Names and numbers are one statement, and a sample's id is the key of what was asked."""
    edit_rows(theirs, _only(condition, changes), seal="row_sha256" not in changes)
    status, told = held(theirs)
    assert status == 2
    assert said in told


def test_a_noise_that_was_drawn_from_another_preset_is_found(theirs, held, edit_rows):
    """The recipe itself was edited too: what it holds is not what the named preset draws."""

    def change(rows):
        for row in rows:
            recipe = json.loads(row["recipe"])
            if row["condition"] == "fan@10dB":
                recipe["equipment"] |= {
                    key: value * 1.5 for key, value in recipe["equipment"].items() if isinstance(value, float)
                }
                row["recipe"] = json.dumps(recipe)

    edit_rows(theirs, change)
    status, said = held(theirs)
    assert status == 2
    assert "drawn again from that preset it is not what the recipe has" in said


@pytest.mark.parametrize(
    "recipe",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"format": 1}',
        "[" * 100_000,
        '{"format":1,"clean":{"path":7},"clips":{},"sample_rate_hz":1e308}',
    ],
)
def test_a_recipe_of_any_form_is_a_finding(theirs, held, edit_rows, recipe):
    edit_rows(theirs, lambda rows: [row.update(recipe=recipe) for row in rows])
    assert held(theirs, "share=1")[0] == 2


def test_a_recipe_that_asks_for_the_whole_memory_ends_no_verification(theirs, held, edit_rows, workshop):
    def change(rows):
        for row in rows[:2]:
            recipe = json.loads(row["recipe"])
            recipe["num_samples"] = 10**15
            row["recipe"] = json.dumps(recipe)

    edit_rows(theirs, change)
    words = [f"paths.corpus={workshop / 'corpus'}", f"paths.noise_street={workshop / 'conf' / 'noise' / 'street'}"]
    assert held(theirs, "share=1", *words)[0] == 2


def test_an_unfinished_set_is_said_to_be_one(theirs, held):
    record = json.loads((theirs / "dataset.json").read_text())
    del record["runs"][0]["finished"]
    (theirs / "dataset.json").write_text(json.dumps(record))
    status, said = held(theirs)
    assert status == 2
    assert "was not finished" in said


def test_megabytes_in_a_cell_are_refused(theirs, held, edit_rows, roomtone):
    """A part of a few kilobytes whose texts are megabytes: zstd writes one repeated text in next to nothing."""
    edit_rows(theirs, lambda rows: [row.update(speaker="s" * 4_000_000) for row in rows], seal=False)
    assert (theirs / "manifest" / "part-00000.parquet").stat().st_size < 200_000
    status, said = held(theirs)
    assert status == 2
    assert "speaker" in said
    status, _, err = roomtone("coverage", f"dataset={theirs}", f"to={theirs}/c")
    assert status == 1
    assert "speaker" in err


def test_the_clip_of_a_recorded_noise_is_held_to_its_hash(mine, workshop, roomtone, tmp_path):
    """Another recording under the same name: the render was another, and nothing said why."""
    street = tmp_path / "street"
    shutil.copytree(workshop / "conf" / "noise" / "street", street)
    for path in street.iterdir():
        data = bytearray(path.read_bytes())
        data[-100] ^= 1
        path.write_bytes(data)
    status, out, _ = roomtone("verify", f"dataset={mine}", "share=1", "executor=serial", f"paths.noise_street={street}")
    assert status == 2
    assert "is not the recording that this sample's noise was made from" in out
    assert len(read_manifest(mine)) == 20
