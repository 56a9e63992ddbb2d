"""Whatever a set's texts hold stays text: on the page, in its files, in pictures; and no path of the machine is in any of them."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from roomtone.coverage import CoverageMatrix
from roomtone.coverage.counting.goal_parsing import parse_goals
from roomtone.coverage.report.html_page import write_page
from roomtone.coverage.report.next_commands import fill_command
from roomtone.coverage.views.figure_files import save_figure
from roomtone.coverage.views.matrix_view.embed import component_script, component_sha256, component_style, script_json
from roomtone.coverage.views.players import SampleList

PAYLOADS = [
    "<script>window.hit=1</script>",
    '"><img src=x onerror="window.hit=1">',
    "</script><script>window.hit=1</script>",
    "javascript:window.hit=1",
    "{{ 7*7 }} {% raw %}",
    "$\\frac{1}{",
    "a\u2028b & <!--",
    "لهجة مصرية",
    "👩🏽‍⚕️ ward 🔊",
]


@pytest.fixture
def hostile_set(tmp_path, write_set) -> Path:
    """Return a set with payloads in every text, and real audio under its rows."""
    soundfile = pytest.importorskip("soundfile")
    (tmp_path / "set/audio").mkdir(parents=True)
    rows = []
    for i, text in enumerate(PAYLOADS):
        path = f"audio/s {i}#?.wav"
        soundfile.write(tmp_path / "set" / path, np.zeros(8000 * (i + 1), dtype=np.int16), 16000)
        texts = {"text": text, "speaker": text, "accent": text, "condition": f"{text} {i}", "utterance_id": f"u{i}"}
        rows.append({"sample_id": f"s{i}", "audio_path": path, "duration_s": 0.5 * (i + 1), "words": 1, **texts})
    rows.append({**rows[0], "sample_id": "out", "utterance_id": "x", "audio_path": "../../etc/passwd"})
    return write_set(tmp_path / "set", pd.DataFrame(rows))


def page_data(page: str) -> dict:
    """Return the JSON of the component in a page."""
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', page, flags=re.S)[1])


def part_data(path: Path) -> dict:
    """Return the content of a file of samples, which calls a function with it."""
    text = path.read_text(encoding="utf-8")
    assert text.isascii()
    return json.loads(text[text.index(", {") + 2 : text.rindex(");")])


def test_the_page_is_one_file_without_the_network(hostile_set):
    path = write_page(CoverageMatrix(hostile_set), hostile_set / "coverage/index.html")
    page = path.read_text(encoding="utf-8")
    assert not re.findall(r"(?:src|href)\s*=\s*[\"']?\s*(?:https?:)?//", page)
    assert "default-src 'none'" in html.unescape(page)
    assert page.count("<script") == page.count("</script>") == 2
    assert "window.hit=1</script>" not in page
    data = page_data(page)
    assert set(data["rows"]["names"]) == set(PAYLOADS)
    files = [part_data(path.parent / "index-files" / name) for name in data["drawers"]["parts"]]
    samples = [s for part in files for cell in part["cells"].values() for s in cell["samples"]]
    assert {s["text"] for s in samples} == set(PAYLOADS)
    links = [s["audio"] for s in samples]
    assert "./../audio/s%200%23%3F.wav" in links
    assert links.count(None) == 1  # what points out of the set is not linked
    assert next(s["why"] for s in samples if s["audio"] is None) == "Its path leaves the set, so it is not linked."


def test_no_file_names_the_machine(hostile_set, tmp_path):
    write_page(CoverageMatrix(hostile_set), hostile_set / "coverage/index.html")
    for path in (hostile_set / "coverage").rglob("*"):
        if path.is_file():
            assert str(tmp_path).encode() not in path.read_bytes(), path
    assert "<title>set: coverage</title>" in (hostile_set / "coverage/index.html").read_text(encoding="utf-8")


def test_the_title_is_the_name_that_the_set_states(hostile_set):
    (hostile_set / "dataset.json").write_text(json.dumps({"name": "ward <b>floor</b>"}))
    page = write_page(CoverageMatrix(hostile_set), hostile_set / "coverage/index.html").read_text(encoding="utf-8")
    assert "<title>set (ward &lt;b&gt;floor&lt;/b&gt;): coverage</title>" in page


def test_a_second_run_leaves_no_file_of_the_first(hostile_set):
    folder = hostile_set / "coverage/index-files"
    write_page(CoverageMatrix(hostile_set), hostile_set / "coverage/index.html")
    (folder / "samples-0099.js").write_text("an earlier, larger run")
    (folder / "mine.txt").write_text("not of any run")
    write_page(CoverageMatrix(hostile_set), hostile_set / "coverage/index.html")
    assert {path.name for path in folder.iterdir()} == {"samples-0000.js", "mine.txt"}


def test_script_json_comes_back_and_closes_nothing():
    text = script_json(PAYLOADS)
    assert not set("<>&") & set(text)
    assert json.loads(text) == PAYLOADS


def test_code_and_style_can_stand_in_a_page():
    """A script element ends at the first `</script`, whatever the language thinks; `<!--` starts another mode of parsing."""
    for text in (component_script(), component_style()):
        assert not re.search(r"</(script|style)|<!--", text, flags=re.I)
    assert ".innerHTML" not in component_script()
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", component_script() + component_style())


def test_page_and_notebook_run_the_same_component(hostile_set):
    matrix = CoverageMatrix(hostile_set)
    page = write_page(matrix, hostile_set / "coverage/index.html").read_text(encoding="utf-8")
    for shown in (page, matrix._repr_html_()):
        assert f'data-component="sha256-{component_sha256()}"' in shown
        assert component_script() in shown
        assert component_style() in shown


def test_reprs_and_pictures_keep_text_as_text(hostile_set, tmp_path):
    matrix = CoverageMatrix(hostile_set)
    shown = matrix._repr_html_()
    assert shown.count("<script") == 2
    assert "<img src=x" not in shown
    assert str(tmp_path) not in shown + repr(matrix)
    players = SampleList(matrix.samples(with_root=True, accent=PAYLOADS[0], condition=f"{PAYLOADS[0]} 0"))._repr_html_()
    assert "<script" not in players
    assert players.count("<audio") == 1  # of two rows one points out of the set
    save_figure(matrix.plot(), tmp_path / "m.svg")
    svg = (tmp_path / "m.svg").read_text()
    assert "<script" not in re.sub(r"<!--.*?-->", "", svg, flags=re.S)
    save_figure(CoverageMatrix(hostile_set).plot(), tmp_path / "again.svg")
    assert (tmp_path / "again.svg").read_text() == svg


def test_the_command_to_fill_a_set_is_that_of_its_last_run(tmp_path):
    config = {"corpus": {"reader": "table", "path": "/home/me/speech.csv"}, "scenario": {"name": "our floor"}}
    (tmp_path / "my set").mkdir()

    def command(goals=None):
        (tmp_path / "my set/dataset.json").write_text(json.dumps({"runs": [{"config": config}]}))
        return fill_command(tmp_path / "my set", goals)

    begin, end = "roomtone generate corpus=table corpus.path=YOUR_SPEECH", "design=fill 'output.dir=my set'"
    assert command() == f"{begin} 'scenario=our floor' {end}"
    own = {"room": ["none"], "noise": ["none", "hall@5dB"], "equipment": ["none"], "handset": ["none", "gsm"]}
    config["scenario"] = {"name": "hall@5dB, gsm", "factors": own, "goals": {"default": {"speakers": 3}}}
    config["presets"] = {"noise": {"hall": {"op": "recordings", "path": "noise_hall:"}}}
    config["corpus"]["columns"] = {"text": "said", "audio": "audio"}
    levels = "'room=[none]' 'noise=[none,hall=folder:YOUR_HALL@5dB]' 'equipment=[none]' 'handset=[none,gsm]'"
    assert command() == f"{begin} corpus.columns.text=said {levels} {end}"
    goals = parse_goals({"default": {"speakers": 4}})
    assert command(goals) == f"{begin} corpus.columns.text=said {levels} 'scenario.goals.default={{speakers:4}}' {end}"
    assert command(parse_goals({"default": {"speakers": 3}})) == command()
    own["room"] = ["none,folder:/etc"]  # a level that nobody can have typed is in no command
    assert command() == ""
    assert fill_command(tmp_path) == ""
    assert fill_command(pd.DataFrame()) == ""
