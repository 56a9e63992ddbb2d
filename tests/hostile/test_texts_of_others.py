"""Texts of strangers where something reads or shows them: Markdown, presets and shards of another form, figures and
brackets without an end, names of files."""

import io
import json
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from roomtone.core.errors import RoomtoneError
from roomtone.core.printable import markdown_code, markdown_text, printable

MARKDOWN = MarkdownIt("commonmark").enable("table")
EVIL = "![t](https://evil.example/t.png) [c](javascript:x)\r\n\r\n# Verified\r\n---\r\nlicense: mit\r\n---\r\n<img src=x> `|a|` \u202eb\x1b[2J"


def acts(text):
    """Return the kinds of tokens in Markdown that show something else than text."""
    inline = [child for token in MARKDOWN.parse(text) for child in token.children or ()]
    return {token.type for token in inline if token.type not in ("text", "code_inline", "softbreak")}


@settings(max_examples=100)
@given(text=st.text(st.sampled_from("ab_*`[]()!<>&;#|\\~-+=:/.1 \t\n\r\x0b\x85\u2028\u202e'\""), max_size=40))
def test_markdown_shows_a_text_of_others_as_it_is(text):
    one_line = printable(" ".join(text.splitlines()))
    paragraph = MARKDOWN.parse(f"- x {markdown_text(text)} y")[3]
    assert "".join(child.content for child in paragraph.children) == f"x {one_line} y"
    assert {child.type for child in paragraph.children} <= {"text", "text_special"}
    code = MARKDOWN.parse(f"x {markdown_code(f'a{text}a')} y")[1].children
    assert [child.type for child in code] == ["text", "code_inline", "text"]


def test_the_card_of_a_set_shows_what_strangers_wrote(theirs, edit_rows):
    """Names of corpora, licences and credits stood in the card as they were: links, pictures, HTML, headings of their own."""
    from huggingface_hub import DatasetCardData, RepoCard

    from roomtone.augment.output.dataset_card import dataset_card

    state = json.loads((theirs / "dataset.json").read_text())
    state["name"] = EVIL
    config = state["runs"][0]["config"]
    config["scenario"]["name"] = config["design"]["name"] = EVIL
    config["corpus"] |= {"name": EVIL, "attribution": EVIL, "licence": EVIL}
    config["presets"] = {"noise": {"street": {"op": "recordings", "source": EVIL}}}
    state["runs"][0]["systematic"] = [EVIL]
    for part in (0, 1):
        edit_rows(
            theirs, lambda rows: [row.update(accent=EVIL, corpus=EVIL, attr_licence=EVIL, attr_sex=EVIL) for row in rows], part=part
        )  # fmt: skip
    card = dataset_card(str(theirs), state)
    _, front, body = re.split(r"^---$", card, maxsplit=2, flags=re.MULTILINE)
    assert acts(body) == set()
    headings = [t for t in MARKDOWN.parse(body) if t.type == "heading_open"]
    assert [t.tag for t in headings] == ["h1"] + ["h2"] * (len(headings) - 1)
    assert "html_block" not in {token.type for token in MARKDOWN.parse(body)}
    assert "\x1b" not in card
    assert DatasetCardData(**RepoCard(card).data.to_dict()).license == "other"
    assert front.count("\nlicense:") == 1


@pytest.mark.parametrize(
    ("factor", "text"),
    [
        ("noise", "op: [1]\n"),
        ("noise", "op: {a: 1}\n"),
        ("noise", "op: coloured_noise\nparts: 7\n"),
        ("noise", "op: coloured_noise\nparts: [7]\n"),
        ("noise", "op: periodic_tone\nfundamental_hz: 1.0\nharmonics: [1, 2]\n"),
        ("handset", "op: chain\nstages: [{op: codec, codec: opus, rate_hz: abc}]\n"),
        ("handset", "op: chain\nstages: 7\n"),
    ],
)
def test_a_preset_of_another_form_is_one_line(refused, tmp_path, factor, text):
    """`show` and `list` looked at its figures before anybody had checked them."""
    (tmp_path / factor).mkdir()
    (tmp_path / factor / "evil.yaml").write_text(text)
    refused("'evil'", "show", f"{factor}/evil", "--config-dir", tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("constraints: 7\n", "constraints: expected a list"),
        ("constraints: no such thing\n", "constraints: expected a list"),
        ("factors: {noise: [none, 'pink@99999999999999999999dB']}\n", "lies beyond 1000 dB"),
        ("factors: {noise: [none, 'pink@env99999999999999dBA']}\n", "lies beyond 1000 dB"),
        ("factors: {noise: [none, pink@3dB, pink@\u0663dB]}\n", "is not of the form"),
    ],
)
def test_a_scenario_of_another_form_is_one_line(text, said):
    """The last level has an Arabic three: another name of one level, which rendered it twice."""
    import yaml

    from roomtone.augment.scenarios.scenario import inline_presets, parse_scenario

    with pytest.raises(RoomtoneError, match=said):
        inline_presets(parse_scenario({"name": "s", "factors": {"noise": ["none"]}} | yaml.safe_load(text)), {}, ())


def _block(name, kind=b"0", size=b"00000000002\0", body=b"{}"):
    """Return a member of a tar file as bytes: a header of any claims, then its body in whole blocks."""
    head = bytearray(512)
    for at, value in ((0, name), (100, b"0000644\0"), (124, size), (148, b" " * 8), (156, kind), (257, b"ustar\x0000")):
        head[at : at + len(value)] = value
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head) + body.ljust(-(-len(body) // 512) * 512, b"\0")


GOOD = _block(b"g.json")
SHARDS = {
    "names of names of names": _block(b"L", b"L", body=b"a\0") * 3000 + GOOD,
    "a size below zero": GOOD + _block(b"n.flac", size=b"\xff" + (2**88 - 512).to_bytes(11, "big"), body=b"") + GOOD,
    "a name of three gigabytes": _block(b"L", b"L", size=b"%011o\0" % (3 << 30)),
    "statements of three gigabytes": _block(b"x", b"x", size=b"%011o\0" % (3 << 30)),
    "a map of holes that is none": _block(b"x", b"x", b"00000000024\0", b"20 GNU.sparse.map=x\n") + GOOD,
}


@pytest.mark.parametrize("kind", SHARDS)
def test_a_shard_that_contradicts_itself_is_one_line(kind, tmp_path):
    """Python's tarfile recursed, read a size below zero for ever, and took a name of gigabytes into memory."""
    import resource

    from roomtone.core.dataset.sample_bytes import sample_bytes
    from roomtone.coverage import CoverageMatrix

    with open(tmp_path / "s.tar", "wb") as file:
        file.write(SHARDS[kind])
        file.truncate(
            max(len(SHARDS[kind]), (3 << 30) + 4096 if "gigabytes" in kind else 0) + 1024
        )  # the rest is a hole
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(RoomtoneError, match="not a readable tar file"):
        CoverageMatrix(tmp_path / "s.tar", axes=("accent",))
    with pytest.raises(RoomtoneError, match="not a readable tar file"):
        sample_bytes(str(tmp_path), "s.tar#g.flac")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1_000_000


def test_members_without_a_name_are_none(tmp_path):
    from roomtone.coverage import CoverageMatrix

    (tmp_path / "s.tar").write_bytes(
        b"".join(_block(name) for name in (b"", b"..", b".json", b"a/")) + GOOD + bytes(1024)
    )
    assert CoverageMatrix(tmp_path / "s.tar", axes=("accent",)).to_frame()["renders"].sum() == 1


def _readers():
    from pathlib import Path

    from roomtone.augment.corpora.readers import coraal, edacc
    from roomtone.augment.corpora.readers.afrispeech import split_compound
    from roomtone.augment.corpora.readers.common_voice import split_accents
    from roomtone.cli.levels import _quoted
    from roomtone.core.printable import PrintableStream
    from roomtone.coverage.profile.vocabulary import words_in
    from roomtone.coverage.sources import kaldi
    from roomtone.coverage.sources.lhotse_cuts import _without_suffixes
    from roomtone.fairness import NORMALIZERS

    return {
        "accents of Common Voice": (split_accents, "1,"),
        "accents of AfriSpeech": (split_compound, " "),
        "marks of CORAAL": (lambda text: coraal._MARKS.sub(" ", text), "("),
        "marks of EdAcc": (lambda text: edacc._MARK.sub(" ", text), "<"),
        "labels of EdAcc": (edacc._STM_LABEL.search, "<"),
        "a command of Kaldi": (lambda text: kaldi._augmentation(text, "u", None), "--additive-signals="),
        "an id of Lhotse": (_without_suffixes, "_sp1"),
        "brackets for Whisper": (NORMALIZERS["whisper_english"].tokens, "("),
        "angles for Whisper": (NORMALIZERS["whisper_english"].tokens, "<"),
        "a path of Kaldi": (lambda text: kaldi._audio_path(text, Path("x")), "a/"),
        "a file in a command of Kaldi": (
            lambda text: kaldi._augmentation(f"--impulse-response='{text}'", "u", None),
            "a",
        ),
        "a word of a transcript": (lambda text: words_in(f"a{text}a"), "!"),
        "a level with backslashes": (_quoted, "\\"),
        "colours on a terminal": (PrintableStream(io.StringIO()).write, "\x1b[" + "2" * 60),
    }


@pytest.mark.parametrize("name", _readers())
def test_no_pattern_searches_a_long_text_again_from_each_place(name):
    """Hours for a line of a megabyte: a bracket that nothing closes was looked for from each of a million places."""
    read, unit = _readers()[name]
    text = unit * (200_000 // len(unit)) + "x"
    begun = time.process_time()
    read(text)
    assert time.process_time() - begun < 4.0


def test_nor_does_the_search_for_package_lines(refused, tmp_path):
    """Half a minute for 100 kB of empty lines."""
    (tmp_path / "scenario").mkdir()
    (tmp_path / "scenario" / "evil.yaml").write_text("\n" * 300_000 + "# @package _global_\nname: evil\n")
    begun = time.process_time()
    refused("@package", "plan", "--config-dir", tmp_path, "scenario=evil")
    assert time.process_time() - begun < 8.0


def test_files_in_a_command_of_kaldi_are_found_as_before():
    from roomtone.coverage.sources.kaldi import _audio_files

    said = "sox a.wav,b/c.FLAC.bak | x 'd e.wav.ogg' .wav f.wave g.mp3-h"
    assert _audio_files(said) == ["a.wav", "b/c.FLAC", "e.wav.ogg", "g.mp3"]


HALF = '{"sample_id": "%s", "hypothesis": %s, "reason": %s}'


@pytest.mark.parametrize(("hypothesis", "reason"), [('"\\ud800x"', "null"), ("null", '"\\udfffx"')])
def test_half_a_surrogate_pair_in_hypotheses_is_shown_as_an_escape(theirs, roomtone, tmp_path, hypothesis, reason):
    """No file can hold it: the evaluation ended in a UnicodeEncodeError when it was written."""
    from roomtone.core.dataset.manifest import read_manifest

    names = read_manifest(theirs)["sample_id"]
    (tmp_path / "h.jsonl").write_text("\n".join(HALF % (name, hypothesis, reason) for name in names))
    words = ["asr=hypotheses", f"path={tmp_path / 'h.jsonl'}", "max_failed=1", "resamples=0", "permutations=199"]
    status, _, err = roomtone("evaluate", f"dataset={theirs}", *words)
    assert "Traceback" not in err
    assert status in (0, 3) or len(err.strip().splitlines()) == 1, err
    assert status == (0 if reason == "null" else status)
    stored = (theirs / "evaluation" / "scores").is_dir()
    assert stored or status == 1, err


FIGURES = [
    "9" * 5000,
    "9" * 5000 + "st",
    "1000000000000000th",
    "$" + "9" * 5000 + ".99",
    "9" * 5000 + " 1/2",
    "$1234567890123456.50",
]


@pytest.mark.parametrize("text", FIGURES)
def test_a_figure_of_any_length_is_words(text):
    """One such answer of a server ended the evaluation: Python makes no number of more than 4,300 digits, and English has no name for 10^15."""
    from roomtone.fairness import NORMALIZERS

    assert all(NORMALIZERS[name].tokens(text) for name in NORMALIZERS)


COLUMNS = {
    "a mapping for a text": ("speaker", [{"a": 1}, {"a": 2}], "holds no string"),
    "bytes that are no text": ("accent", [b"\xff\xfe", b"a"], "holds no string"),
    "a column twice": ("sample_id", ["c", "d"], "two columns 'sample_id'"),
}


@pytest.mark.parametrize("kind", COLUMNS)
def test_a_part_whose_columns_hold_something_else_is_one_line(kind, tmp_path):
    """Arrow's refusal to make a text of a mapping, and a column that is there twice, were tracebacks of `evaluate`, `verify` and `export`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from roomtone.core.dataset.manifest import read_manifest

    name, values, said = COLUMNS[kind]
    (tmp_path / "manifest").mkdir()
    table = pa.Table.from_arrays([pa.array(["a", "b"]), pa.array(values)], names=["sample_id", name])
    pq.write_table(table, tmp_path / "manifest" / "part-00000.parquet")
    with pytest.raises(RoomtoneError, match=said):
        read_manifest(tmp_path)


def test_an_accent_with_a_raised_figure_is_an_accent():
    """`1²` was a traceback: a raised two is a digit, and no decimal one."""
    import pandas as pd

    from roomtone.coverage import CoverageMatrix

    rows = [{"sample_id": str(i), "accent": a, "condition": "clean"} for i, a in enumerate(["1²", "²", "10", "9"])]
    assert list(CoverageMatrix(pd.DataFrame(rows), axes=("accent",)).to_frame()["accent"]) == ["1²", "9", "10", "²"]


def test_long_names_and_names_alike_are_files_of_their_own(theirs, edit_rows, roomtone, tmp_path):
    """A speaker of 3,000 letters was a traceback, and of ids that differ in signs alone one recording was written over the other."""
    edit_rows(
        theirs, lambda rows: [row.update(speaker="s" * 3000, sample_id="a" + "-" * i) for i, row in enumerate(rows)]
    )
    status, _, err = roomtone("export", f"dataset={theirs}", "format=kaldi", f"to={tmp_path / 'out'}")
    assert status == 0, err
    assert len(list((tmp_path / "out" / "wav").iterdir())) == 20
    assert len({line.split()[0] for line in (tmp_path / "out" / "text").read_text().splitlines()}) == 20
