"""Every sentence of SECURITY.md that promises something is held by a test that is named here; the attacks that no other file holds follow.

A new sentence fails until it is in the table; so does a test that is gone, and a sentence that is no longer on the page.
"""

import ast
import io
import re
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ACTS, PATHS, BOMBS = (
    "hostile/test_files_that_act.py",
    "hostile/test_paths_of_files.py",
    "hostile/test_secrets_and_bombs.py",
)
SERVERS, LOST, SIGNED = (
    "hostile/test_servers_and_programs.py",
    "hostile/test_lost_unseen.py",
    "hostile/test_signature.py",
)
ANSWERS, TERMINAL, PIPES = (
    "hostile/test_stored_answers.py",
    "hostile/test_terminal_and_files.py",
    "hostile/test_no_regular_file.py",
)
TEXTS, RUNNING = "hostile/test_texts_of_others.py", "hostile/test_while_it_runs.py"
LIES, MEMORY = "hostile/test_lies_to_verify.py", "hostile/test_memory.py"
NAMES, FUZZ, HERE = "hostile/test_scores_and_names.py", "hostile/test_fuzz.py", "hostile/test_security_page.py"
READING, FORMATS, RUNS = "core/audio/test_reading.py", "core/audio/test_formats.py", "augment/runs/test_hostile.py"
CLAIMS, SEARCH, HYGIENE = "fairness/slices/test_claims.py", "fairness/slices/test_search.py", "hostile/test_hygiene.py"
#: The beginning of each sentence -> the tests that hold it.
HELD = {
    "It is data.": [(RUNS, "test_a_preset_is_not_a_program")],
    "It chooses no executor": [
        (ACTS, "test_a_set_that_chooses_a_dask_scheduler_reaches_nobody"),
        (ACTS, "test_what_a_sets_config_may_not_say_is_refused_by_name"),
        (ACTS, "test_a_folder_cannot_put_a_command_behind_a_packaged_recogniser"),
        (ACTS, "test_a_folder_cannot_shadow_packaged_files_that_act"),
        (ACTS, "test_a_scenario_cannot_place_keys_at_the_root"),
    ],
    "No resolver works": [
        (BOMBS, "test_no_resolver_works_in_a_scenario"),
        (BOMBS, "test_nor_in_a_preset"),
        (BOMBS, "test_nor_in_a_sets_config"),
    ],
    "Its paths are relative": [
        (PATHS, "test_a_preset_cannot_read_outside_of_its_folder"),
        (PATHS, "test_nor_can_a_transform_of_audiomentations"),
        (PATHS, "test_a_corpus_of_a_file_stays_in_its_folder"),
    ],
    "Aliases, nesting": [
        (BOMBS, "test_a_bomb_ends_in_one_line_and_takes_little"),
        (BOMBS, "test_a_forced_type_and_a_key_that_is_no_text_are_one_line"),
    ],
    "NaN, infinity": [(BOMBS, "test_numbers_that_are_none_or_beyond_all_measure_are_one_line")],
    "As for presets": [
        (ACTS, "test_what_a_sets_config_may_not_say_is_refused_by_name"),
        (BOMBS, "test_nor_in_a_sets_config"),
        (PATHS, "test_a_corpus_of_a_file_stays_in_its_folder"),
    ],
    "Where speech lies": [
        (PATHS, "test_local_yaml_is_believed_only_where_it_was_written"),
        (PATHS, "test_a_forged_seal_of_local_yaml_is_not_believed"),
        (PATHS, "test_a_key_that_others_may_write_seals_nothing"),
        (PATHS, "test_a_strangers_set_is_verified_with_paths_that_are_typed"),
    ],
    "Recipes name recordings": [(PATHS, "test_a_recipe_cannot_read_outside_of_the_roots_that_were_given")],
    "`verify` reconciles": [
        (LOST, "test_a_removed_part_is_found"),
        (LOST, "test_counts_that_were_edited_are_found"),
        (LOST, "test_a_label_that_was_changed_with_its_seal_is_found"),
        (LIES, "test_a_twin_of_a_part_is_a_foreign_file_to_every_reader"),
        (LIES, "test_labels_that_datasets_reads_beside_recordings_are_the_manifests"),
        (LIES, "test_labels_inside_shards_are_the_manifests"),
        (LIES, "test_members_of_a_tar_shard_are_those_of_its_rows"),
        (LIES, "test_shards_that_nobody_lists_are_found"),
        (LIES, "test_recordings_that_nobody_lists_are_found"),
        (LIES, "test_a_card_that_has_loaders_open_other_files_is_found"),
        (LIES, "test_croissant_metadata_that_names_other_files_is_found"),
    ],
    "Parts and shards are bounded": [
        (MEMORY, "test_one_text_in_each_of_many_rows_is_refused_by_every_reader"),
        (MEMORY, "test_a_parquet_shard_of_one_text_is_refused"),
        (MEMORY, "test_a_recording_that_a_shard_repeats_is_held_once"),
        (LOST, "test_megabytes_in_a_cell_are_refused"), (FUZZ, "test_a_part_of_a_manifest")],
    "files that are read whole": [
        (MEMORY, "test_a_file_without_content_that_states_gigabytes_is_refused"),
        (MEMORY, "test_so_is_a_recording"),
    ],
    "pipes, devices and sockets among its files": [
        (PIPES, "test_a_pipe_in_a_set_is_waited_for_by_nobody"),
        ("test_readers.py", "test_every_reader_goes_through_the_shared_openers"),
        (NAMES, "test_a_parts_name_is_no_pattern"),
    ],
    "Answers stored": [
        (ANSWERS, "test_answers_of_a_stranger_decide_nothing"),
        (ANSWERS, "test_own_answers_are_moved_to_no_other_recording"),
        (ANSWERS, "test_own_answers_do_not_outlive_their_recordings"),
        (ANSWERS, "test_own_answers_are_gone_on_from"),
    ],
    "`trust_stored=true`": [(ANSWERS, "test_they_are_taken_where_that_is_typed_and_the_report_says_so")],
    "Stored scores": [(NAMES, "test_scores_that_are_no_counts_are_one_line")],
    "Nothing is written through": [
        (ACTS, "test_nothing_is_written_through_a_link_in_a_set"),
        (ACTS, "test_the_lock_of_a_run_empties_no_file_that_it_is_a_link_to"),
        (ANSWERS, "test_an_evaluation_writes_through_no_link"),
        (ANSWERS, "test_nor_does_a_coverage"),
        (RUNNING, "test_an_evaluation_writes_through_no_link_that_comes_late"),
        (RUNNING, "test_results_are_written_by_the_one_writer"),
        (NAMES, "test_a_run_that_goes_on_writes_through_no_link"),
    ],
    "Nothing is extracted": [
        (TEXTS, "test_a_shard_that_contradicts_itself_is_one_line"),
        (HERE, "test_a_shard_of_others_is_not_extracted"), (HERE, "test_a_command_in_wav_scp_is_a_text")],
    "commands in `wav.scp`": [(HERE, "test_a_command_in_wav_scp_is_a_text")],
    "Lines are bounded": [(BOMBS, "test_a_gigabyte_in_one_line_of_gzip_is_refused_by_its_size")],
    "pipes, devices and sockets are refused": [
        (PIPES, "test_a_pipe_that_is_typed_is_refused_in_one_line"),
        (PIPES, "test_so_is_what_else_is_no_file"),
    ],
    "what does not parse": [(FUZZ, "test_sets_of_others"), (FUZZ, "test_kaldi_directories"), (FUZZ, "test_compressed_tables")],
    "Regular files only": [(READING, "test_only_regular_files_are_opened")],
    "the format is told": [
        (READING, "test_what_is_no_recording_is_named"),
        (FORMATS, "test_ima_adpcm_never_reaches_libsndfile"),
        (TERMINAL, "test_no_transform_hands_a_disguised_file_to_libsndfile"),
    ],
    "rate, channels": [(READING, "test_bounds_are_checked_before_decoding"), (READING, "test_length_is_bounded_before_decoding")],
    "decoding happens": [(RUNS, "test_what_kills_or_hangs_its_decoder_costs_itself_alone")],
    "Names of tables": [(HERE, "test_a_table_names_nothing_outside_of_its_folder")],
    "An absolute name": [(HERE, "test_an_absolute_name_of_a_table_is_taken")],
    "Row hashes need": [(SIGNED, "test_a_forger_who_seals_rows_again_passes_the_seals_and_not_the_signature")],
    "`roomtone sign` writes": [
        (SIGNED, "test_any_file_that_speaks_is_signed"),
        (SIGNED, "test_local_yaml_is_not_signed_and_other_tools_read_the_list"),
        (SIGNED, "test_the_signature_is_rfc_8032s"),
    ],
    "`verify key=": [
        (SIGNED, "test_a_forged_signature_does_not_hold"),
        (SIGNED, "test_another_signers_key_does_not_hold"),
        (SIGNED, "test_files_taken_or_added_are_found"),
        (SIGNED, "test_what_is_not_signed_is_listed"),
    ],
    "Public keys that are": [(SIGNED, "test_a_key_of_small_order_is_refused")],
    "Bounded, checked": [(FUZZ, "test_certificates"), (SEARCH, "test_a_certificate_that_is_more_than_data_is_refused")],
    "states a recogniser": [(CLAIMS, "test_a_true_claim_is_upheld_and_under_another_normaliser_or_recogniser_it_is_refused")],
    "Redirects are refused": [(SERVERS, "test_a_redirect_takes_the_key_nowhere")],
    "TLS certificates": [(SERVERS, "test_a_certificate_that_nobody_vouches_for_is_refused")],
    "Answers are bounded": [
        (SERVERS, "test_an_answer_is_bounded_before_it_is_parsed"),
        (SERVERS, "test_what_drips_in_ends_at_the_time_limit"),
        (SERVERS, "test_a_handshake_that_drips_in_ends_too"),
    ],
    "what is malformed": [(SERVERS, "test_a_malformed_answer_is_a_passing_fault_and_then_a_reason")],
    "Ctrl-C ends": [
        (SERVERS, "test_ctrl_c_ends_a_wait_that_the_server_asked_for"),
        (SERVERS, "test_ctrl_c_ends_a_read_that_never_comes"),
    ],
    "No shell": [("fairness/recognisers/test_transcription.py", "test_a_path_is_one_argument_and_no_shell_reads_it")],
    "output and messages": [
        (SERVERS, "test_a_programs_output_is_bounded"),
        (SERVERS, "test_endless_messages_do_not_fill_the_memory"),
    ],
    "its time-out": [
        (SERVERS, "test_a_time_out_ends_the_whole_process_group"),
        (SERVERS, "test_what_a_program_leaves_behind_is_ended_with_it"),
    ],
    "Staging folders": [
        (TERMINAL, "test_what_is_under_way_in_a_set_is_its_users_alone"),
        (TERMINAL, "test_staging_for_an_object_store_follows_no_link_that_was_laid_out")],
    "nothing is written through": [(NAMES, "test_a_run_that_goes_on_writes_through_no_link")],
    "`overwrite` removes": [
        (ACTS, "test_overwrite_removes_what_the_record_lists_and_nothing_else"),
        (ACTS, "test_overwrite_of_what_is_no_set_removes_nothing"),
    ],
    "Control characters": [
        (TERMINAL, "test_no_command_sends_them_to_a_terminal"),
        (TERMINAL, "test_nor_to_a_csv"),
        (TERMINAL, "test_a_line_end_in_a_label_makes_no_line"),
        (TERMINAL, "test_colours_of_the_program_stay_and_those_of_a_label_do_not"),
    ],
    "formula cells": [("coverage/report/test_ci_gates.py", "test_csv_runs_no_formula_and_comes_back")],
    "HTML is escaped": [
        ("coverage/views/test_hostile_in_browser.py", "test_payloads_stay_text_and_their_samples_play"),
        (TEXTS, "test_markdown_shows_a_text_of_others_as_it_is"),
        (TEXTS, "test_the_card_of_a_set_shows_what_strangers_wrote"),
    ],
    "No pattern searches": [(TEXTS, "test_no_pattern_searches_a_long_text_again_from_each_place")],
    "Parquet and JSON keep": [(TERMINAL, "test_an_accent_in_json_stays_what_it_is")],
    # what does not hold, where a sentence says what holds all the same
    "Addresses come from": [("augment/runs/test_dask.py", "test_an_open_scheduler_elsewhere_is_refused")],
    "They run in worker": [(RUNS, "test_what_kills_or_hangs_its_decoder_costs_itself_alone")],
    "**One program is started": [(HYGIENE, "test_no_stray_program_is_started")],
    "A run that is resumed": [(HERE, "test_a_run_says_what_was_there_before")],
    "Their hashes hold": [("augment/test_generate.py", "test_a_flipped_sample_is_not_taken_for_done")],
    "The same goes for reasons": [(HERE, "test_a_planted_rejection_is_believed_until_it_is_tried_again")],
    "**Your own cache": [(HERE, "test_a_bank_of_pickles_is_not_opened")],
    "Hashes of their arrays": [("augment/rooms/test_bank.py", "test_a_damaged_bank_is_built_anew")],
    "No file of a stranger's": [(ACTS, "test_what_a_sets_config_may_not_say_is_refused_by_name")],
    "**Links in folders": [
        ("augment/corpora/test_corpora_as_they_are.py", "test_links_of_a_hugging_face_cache_are_followed_under_a_named_root"),
    ],
    "beside it lie": [(HYGIENE, "test_the_bill_of_materials_names_all_that_is_needed")],
    "`make release`": [(HYGIENE, "test_a_wheel_is_the_same_bytes_again"), (HYGIENE, "test_the_bill_of_materials_names_all_that_is_needed")],
}  # fmt: skip
#: Sentences that say what does not hold, or what to do, and promise nothing.
STATED = (
    "**Dask peers run code.**", "Tasks are pickled", "a scheduler or a worker", "**A recogniser is a program", "`asr=command` runs",
    "models of `transformers`", "**Decoders are C code.**", "libsndfile, FFmpeg", "Fewer formats", "a fault in any", "No sandbox",
    "**Figures and prose", "A signature holds all", "not their counts", "`README.md` and `croissant.json` are compared", "**A page of a Parquet",
    "**Of a key that stands twice", "another reader may",
    "It is looked up", "**Time and disk", "A preset may ask", "**What an evaluation has found", "`coverage`, `compare` and `export` read",
    "evaluate the", "**Parts of a set", "`verify share=1` measures", "no user's key", "a key would not",
    "**What lies in `evaluation/`", "**A `local.yaml` that you gave", "It names folders", "recipes read recordings",
    "**Who may write into a set while", "**A signal is heard", "**An unsigned set", "Whether a label", "**Whoever may write",
)  # fmt: skip


def sentences(page):
    """Return the sentences of the table's last column, of what does not hold, and of releases."""
    rows = [line.strip("|").split("|") for line in page.splitlines() if line.startswith("| ")]
    parts = [row[2].strip() for row in rows[1:]]
    tail = page.partition("## What does not hold")[2]
    parts += [
        " ".join(part.split()) for part in re.split(r"\n- |\n\n(?!- )", tail) if not part.strip().startswith("##")
    ]
    found = [one.strip() for part in parts for one in re.split(r"(?<=[.;]) +(?=[A-Za-z`*])|(?<=\.\*\*) ", part)]
    return [one for one in found if one]


def test_every_promise_of_the_page_has_a_test():
    page = sentences((ROOT / "SECURITY.md").read_text(encoding="utf-8"))
    assert len(page) > 70
    known = (*HELD, *STATED)
    assert [one for one in page if not one.startswith(known)] == []
    assert [key for key in known if not any(one.startswith(key) for one in page)] == []


@pytest.mark.parametrize("name", sorted({name for tests in HELD.values() for name, _ in tests}))
def test_the_tests_that_hold_it_are_there(name):
    tree = ast.parse((ROOT / "tests" / name).read_text(encoding="utf-8"))
    there = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    assert {test for tests in HELD.values() for file, test in tests if file == name} <= there


def test_a_shard_of_others_is_not_extracted(roomtone, tmp_path):
    """Members named `../x` or absolute, links and devices: a row at most, and no file."""
    with tarfile.open(tmp_path / "s.tar", "w") as tar:
        for name in ("../../out/a.json", f"{tmp_path}/out/b.json", "c.json"):
            info, content = tarfile.TarInfo(name), b'{"accent": "x", "text": "one"}'
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        for kind, target in ((tarfile.SYMTYPE, "/etc/passwd"), (tarfile.FIFOTYPE, ""), (tarfile.CHRTYPE, "")):
            info = tarfile.TarInfo(f"link{kind.decode()}.json")
            info.type, info.linkname = kind, target
            tar.addfile(info)
    before = sorted(tmp_path.rglob("*"))
    status, _, err = roomtone("coverage", f"dataset={tmp_path / 's.tar'}", f"to={tmp_path / 'to'}", "pictures=false")
    assert status == 0, err
    after = {path for path in tmp_path.rglob("*") if tmp_path / "to" not in (path, *path.parents)}
    assert sorted(after) == before


def test_a_command_in_wav_scp_is_a_text(roomtone, tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "wav.scp").write_text(f"u1 touch {tmp_path}/ran |\nu2 | touch {tmp_path}/ran\n")
    (folder / "utt2spk").write_text("u1 ann\nu2 bob\n")
    (folder / "text").write_text("u1 one\nu2 two\n")
    roomtone("coverage", f"dataset={folder}", f"to={tmp_path / 'to'}", "pictures=false")
    roomtone("generate", "corpus=kaldi", f"corpus.path={folder}", "design=full", f"output.dir={tmp_path / 'set'}")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("kind", ["..", "a link"])
def test_a_table_names_nothing_outside_of_its_folder(workshop, roomtone, tmp_path, kind):
    speech = next((workshop / "corpus").glob("*.flac"))
    folder = tmp_path / "corpus"
    folder.mkdir()
    (tmp_path / "secret.flac").write_bytes(speech.read_bytes())
    (folder / "link.flac").symlink_to(tmp_path / "secret.flac")
    name = {"..": "../secret.flac", "a link": "link.flac"}[kind]
    (folder / "table.csv").write_text(f"audio,text,speaker,accent\n{name},one,ann,scottish\n")
    assert not _read(folder, roomtone, tmp_path)


def test_an_absolute_name_of_a_table_is_taken(workshop, roomtone, tmp_path):
    speech = next((workshop / "corpus").glob("*.flac"))
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "table.csv").write_text(f"audio,text,speaker,accent\n{speech},one,ann,scottish\n")
    assert _read(tmp_path / "corpus", roomtone, tmp_path)


def _read(folder, roomtone, tmp_path):
    words = [f"scenario.factors.{factor}=[none]" for factor in ("room", "noise", "equipment", "handset")]
    roomtone("generate", "corpus=table", f"corpus.path={folder / 'table.csv'}", *words, "design=full", "executor=serial",
             f"output.dir={tmp_path / 'set'}")  # fmt: skip
    return list((tmp_path / "set").glob("audio/*/*.flac"))


def test_a_run_says_what_was_there_before(mine, roomtone):
    status, out, err = roomtone(
        "generate", "--config-dir", mine, "--config-name", "config", f"output.dir={mine}", "executor=serial"
    )
    assert status == 0, err
    assert "20 of them from before" in out + err


def test_a_planted_rejection_is_believed_until_it_is_tried_again(mine, edit_rows, roomtone):
    import json

    gone = []
    edit_rows(mine, lambda rows: gone.append(rows.pop()))
    entry = {key: gone[0][key] for key in ("sample_id", "utterance_id", "condition", "replicate")} | {
        "reason": "too loud",
        "path": "corpus:a.flac",
        "stage": "rendering",
        "missed": [],
    }
    (mine / "rejected").mkdir(exist_ok=True)
    (mine / "rejected" / "part-00000.jsonl").write_text(json.dumps(entry) + "\n")
    words = ("generate", "--config-dir", mine, "--config-name", "config", f"output.dir={mine}", "executor=serial")
    assert roomtone(*words)[0] == 3
    assert roomtone(*words, "retry_rejected=true")[0] == 0
    assert roomtone("verify", f"dataset={mine}", "share=0", "executor=serial")[0] == 0


def test_a_bank_of_pickles_is_not_opened(tmp_path):
    """An array of objects is a pickle, and a pickle is a program."""
    import hashlib
    import json

    import numpy as np

    from roomtone.augment.rooms.bank import build_bank
    from roomtone.augment.rooms.op import ShoeBoxRoom

    room = ShoeBoxRoom(((3.0, 4.0), 3.0, 2.5), 0.25, (0.5, 1.5), realisations=1)
    bank = build_bank(room, 8000, cache_dir=tmp_path)
    path = bank.folder / "0000.npy"
    np.save(path, np.array([print], dtype=object), allow_pickle=True)
    record = json.loads((bank.folder / "bank.json").read_text())
    record["entries"][0]["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    record["sha256"] = hashlib.sha256(json.dumps(record["entries"], sort_keys=True).encode()).hexdigest()
    (bank.folder / "bank.json").write_text(json.dumps(record))
    again = build_bank(room, 8000, cache_dir=tmp_path)
    with pytest.raises(ValueError, match="Python objects in dtype"):
        again.entry(0)
