"""What texts of others may do to a terminal or a spreadsheet, and files that are not what their names say."""

import io
import json
import os
import stat
import tempfile

import numpy as np
import pytest
import soundfile

from roomtone.core.dataset.storage import open_storage
from roomtone.core.errors import RoomtoneError
from roomtone.core.printable import coloured_console, guarded_output, printable

#: Clears a screen, hides what follows, types into a terminal's answer, titles a window, turns a line around, rings, overwrites.
HOSTILE = "ok\x1b[2J\x1b[8m\x1b[6n\x1b]0;owned\x07\x9b2J\u202egnp.exe\r\x08\x00\x7f\u2028end"


def acting(text):
    """Return the characters of a text that a terminal obeys, line ends and tabs left out."""
    import unicodedata

    return [one for one in text if unicodedata.category(one) in ("Cc", "Cf", "Zl", "Zp") and one not in "\n\t"]


def test_printable_shows_every_acting_character_and_changes_no_other():
    assert acting(printable(HOSTILE)) == []
    for text in ("Zoë, 北京, العربية, हिन्दी, 👩‍🔬", "plain", ""):
        assert printable(text) == text


@pytest.fixture
def hostile_set(theirs, edit_rows):
    def change(rows):
        for row in rows:
            row.update(accent=f"a{HOSTILE}", speaker=HOSTILE, text=f"={HOSTILE}", corpus=HOSTILE, language=HOSTILE)
        rows[0].update(sample_id=HOSTILE, condition=HOSTILE, noise=HOSTILE, audio_path=HOSTILE)

    edit_rows(theirs, change)
    return theirs


def test_no_command_sends_them_to_a_terminal(hostile_set, roomtone, tmp_path):
    """`\\x1b[2J` in an accent reached the terminal, ten lines of it."""
    hypotheses = tmp_path / "h.csv"
    hypotheses.write_text("sample_id,hypothesis\nx,y\n")
    for words in (
        ["verify", f"dataset={hostile_set}", "share=1", "executor=serial"],
        ["coverage", f"dataset={hostile_set}"],
        [
            "evaluate",
            f"dataset={hostile_set}",
            "asr=hypotheses",
            f"path={hypotheses}",
            "allow_missing=true",
            "max_failed=1",
        ],
        ["export", f"dataset={hostile_set}", "format=csv", f"to={tmp_path / 'csv'}"],
        ["generate", f"scenario.name={HOSTILE.replace(chr(0), '').split(chr(0x1B))[0]}", "seed='\x1b[2J'"],
        ["\x1b[2J"],
        ["generate", "--\x1b[2J"],
        ["generate", f"--config-dir={HOSTILE.replace(chr(0), '')}"],
    ):
        _, out, err = roomtone(*words)
        assert acting(out + err) == [], words


def test_nor_to_a_csv(hostile_set, roomtone, tmp_path):
    roomtone("coverage", f"dataset={hostile_set}", f"to={tmp_path / 'coverage'}")
    roomtone("export", f"dataset={hostile_set}", "format=csv", f"to={tmp_path / 'csv'}")
    tables = list(tmp_path.rglob("*.csv"))
    assert len(tables) >= 2
    for table in tables:
        assert acting(table.read_text(encoding="utf-8")) == [], table


def test_an_errors_text_is_one_line_without_them(roomtone, tmp_path):
    (tmp_path / "lab" / "scenario").mkdir(parents=True)
    name = "s\x1b[2J"
    (tmp_path / "lab" / "scenario" / "x.yaml").write_text(
        f'name: "a\\e[2J\\nroomtone: all is well"\nfactors: {{"{name}\\e[2J": [none]}}\n'
    )
    status, out, err = roomtone("generate", "scenario=x", "--config-dir", tmp_path / "lab")
    assert status == 1
    assert acting(out + err) == []
    assert len(err.strip().splitlines()) == 1


class _Terminal(io.StringIO):
    def isatty(self):
        return True


def test_colours_of_the_program_stay_and_those_of_a_label_do_not(monkeypatch):
    """A label of black on black, `ESC [30;40m`, hid itself and what followed it."""
    from rich.table import Table
    from rich.text import Text

    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    screen = _Terminal()
    monkeypatch.setattr("sys.stdout", screen)
    with guarded_output():
        print("\x1b[30;40mhidden\x1b[0m")
        console = coloured_console(width=80)
        console.print("\x1b[30;40mhidden\x1b[2J", markup=False, highlight=False)
        table = Table(box=None)
        table.add_column(Text("head"))
        table.add_row(Text("\x1b[31mname", style="green"))
        console.print(table)
    lines = screen.getvalue().splitlines()
    assert lines[:2] == ["\\x1b[30;40mhidden\\x1b[0m", "\\x1b[30;40mhidden\\x1b[2J"]
    assert lines[-1].strip().startswith("\x1b[32m\\x1b[31m")


def test_a_line_end_in_a_label_makes_no_line(theirs, edit_rows, roomtone, tmp_path):
    """`x\\nsigned with the key of maintainers.pub: …` as an id was a line of `verify`'s own."""
    evil = "x\n384 rows and files checked, 384 rendered again: all hold\r\nsigned with the key of maintainers.pub"

    def change(rows):
        for number, row in enumerate(rows):
            row.update(accent=evil, noise=evil, sample_id=f"{evil}\n{number}")

    edit_rows(theirs, change)
    hypotheses = tmp_path / "h.csv"
    hypotheses.write_text("sample_id,hypothesis\nx,y\n")
    for words in (
        ["verify", "share=0", "executor=serial"],
        ["coverage"],
        ["evaluate", "asr=hypotheses", f"path={hypotheses}", "allow_missing=true", "max_failed=1"],
    ):
        _, out, err = roomtone(words[0], f"dataset={theirs}", *words[1:])
        lines = (out + err).splitlines()
        assert not [line for line in lines if line.startswith(("384", "signed"))], words
        assert "\\n384" in out + err, words


def test_what_is_logged_of_others_is_one_line(caplog):
    import logging

    with guarded_output():
        logging.getLogger("roomtone").warning("rejected: %s", "a\nall hold\x1b[2J")
    assert caplog.messages == ["rejected: a\\nall hold\\x1b[2J"]


def test_the_guard_goes_when_the_command_ends():
    import sys

    before = sys.stdout
    with guarded_output():
        assert sys.stdout is not before
    assert sys.stdout is before


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg"])
@pytest.mark.parametrize(
    "kind", ["MAT4", "MAT5", "AVR", "SDS", "XI", "HTK", "PAF", "SVX", "NIST", "IRCAM", "VOC", "AU"]
)
def test_no_transform_hands_a_disguised_file_to_libsndfile(tmp_path, monkeypatch, kind, suffix):
    """libsndfile takes any name for any of its formats, and those for laboratories have open faults."""
    from roomtone.augment import DrawContext, Processor, parse_op

    folder = tmp_path / "sounds"
    folder.mkdir()
    subtype = "DPCM_16" if kind == "XI" else None
    try:
        soundfile.write(tmp_path / "x.bin", np.zeros(4000), 16000, format=kind, subtype=subtype)
    except (soundfile.LibsndfileError, ValueError):
        pytest.skip(f"libsndfile here does not write {kind}")
    (tmp_path / "x.bin").rename(folder / f"x.{suffix}")
    handed = []

    class NoFile(soundfile.SoundFile):
        def __init__(self, file, *_, **__):
            handed.append(file)
            raise RuntimeError("libsndfile was asked")

    monkeypatch.setattr(soundfile, "SoundFile", NoFile)
    for transform, key in (
        ("ApplyImpulseResponse", "ir_path"),
        ("AddBackgroundNoise", "sounds_path"),
        ("AddShortNoises", "sounds_path"),
    ):
        op = parse_op({"op": "audiomentations", "transform": transform, key: str(folder)}, Processor, where="test")
        samples = 0.1 * np.random.default_rng(0).standard_normal(16000).astype(np.float32)
        with pytest.raises(RoomtoneError, match=r"x\.(wav|flac|ogg)"):
            op.draw(np.random.default_rng(1), DrawContext(16000, 16000, ())).apply(samples, 16000)
        assert handed == []


def test_staging_for_an_object_store_follows_no_link_that_was_laid_out(tmp_path, monkeypatch):
    """Its name could be foretold, and a link that another user had made there was followed."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    url = "memory://staging-test/set"
    first, second = open_storage(url), open_storage(url)
    assert first.staging != second.staging
    for storage in (first, second):
        state = os.lstat(storage.staging)
        assert stat.S_ISDIR(state.st_mode)
        assert stat.S_IMODE(state.st_mode) == 0o700
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").write_text("precious")
    prefix = first.staging.name.rsplit("-", 2)[0]
    (tmp_path / f"{prefix}-999999-aaaa").symlink_to(elsewhere)
    first.write_text("x.txt", "x")
    first.remove_temporaries()
    assert (elsewhere / "precious").read_text() == "precious"
    assert first.read_text("x.txt") == "x"


def test_what_is_under_way_in_a_set_is_its_users_alone(tmp_path):
    """The staging folder inside a set had the mode that the umask left, against what the page says."""
    storage = open_storage(tmp_path / "set")
    before = os.umask(0o022)
    try:
        with storage.attempt("00000") as folder:
            assert [stat.S_IMODE(path.stat().st_mode) for path in (folder, folder.parent)] == [0o700, 0o700]
            assert stat.S_IMODE((tmp_path / "set").stat().st_mode) == 0o755
        storage.write_text("notes.txt", "x")
        assert stat.S_IMODE((tmp_path / "set" / "notes.txt").stat().st_mode) == 0o644
    finally:
        os.umask(before)


def test_what_killed_processes_left_is_removed_and_what_runs_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    storage = open_storage("memory://staging-test/other")
    prefix = storage.staging.name.rsplit("-", 2)[0]
    dead, alive = tmp_path / f"{prefix}-999999-aaaa", tmp_path / f"{prefix}-{os.getppid()}-bbbb"
    for folder in (dead, alive):
        folder.mkdir()
    storage.remove_temporaries()
    assert not dead.exists()
    assert alive.exists()


def test_temporary_folders_of_others_in_a_set_stay(mine):
    storage = open_storage(str(mine))
    (mine / "tmp" / "notes").mkdir(parents=True)
    (mine / "tmp" / "notes" / "n.txt").write_text("mine")
    (mine / "tmp" / ("00001-" + "a" * 32)).mkdir()
    storage.remove_temporaries()
    assert (mine / "tmp" / "notes" / "n.txt").read_text() == "mine"
    assert not (mine / "tmp" / ("00001-" + "a" * 32)).exists()


def test_an_accent_in_json_stays_what_it_is(hostile_set):
    """The faithful forms keep every character: Parquet, JSON."""
    from roomtone.core.dataset.manifest import read_manifest

    assert f"a{HOSTILE}" in set(read_manifest(hostile_set)["accent"])
    assert json.loads(json.dumps(HOSTILE)) == HOSTILE
