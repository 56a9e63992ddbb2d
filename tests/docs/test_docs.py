"""Every command of the documentation and of the README runs, in one small set; the generated pages name what there is."""

import importlib.util
import io
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import soundfile

from roomtone.cli.main import COMMANDS, main
from roomtone.core.dataset.columns import COLUMNS
from roomtone.core.dataset.manifest import read_manifest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [*sorted(DOCS.glob("*.md")), ROOT / "README.md"]
pytestmark = pytest.mark.skipif(not DOCS.is_dir(), reason="the repository's docs are not beside the tests")

#: Words that need what is not at hand (a model, a cluster, a server, the step before); those commands are composed and not run.
ELSEWHERE = ("asr=faster_whisper", "executor=dask", "s3://", "bounty ")
#: Added to what renders or plans the demo, so that it takes seconds.
SMALL = ["corpus.select.max_per_accent=1", "executor=serial"]


def blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


def commands(page):
    lines = [line for block in blocks(page, "bash") for line in block.splitlines()]
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("roomtone ")]


ALL = {" ".join(words): words for page in PAGES for words in commands(page)}


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A folder with what the pages name: a demo set, a table, noises, presets, a recording of a machine, hypotheses."""
    home = tmp_path_factory.mktemp("desk")
    rng = np.random.default_rng(0)
    noises = [home / "noises" / "a.wav", home / "my_conf" / "noise" / "corridor_recordings" / "a.wav"]
    for file in noises:
        file.parent.mkdir(parents=True)
        soundfile.write(file, 0.05 * rng.standard_normal(8 * 16000), 16000)
    from roomtone.augment import DEMO_FOLDER

    demo = sorted(DEMO_FOLDER.glob("*.flac"))[:2]
    rows = [f"{file},give ten units of insulin,s{i},scottish\n" for i, file in enumerate(demo)]
    soundfile.write(home / "my.wav", *soundfile.read(demo[0]))
    (home / "speech.csv").write_text("audio,text,speaker,accent\n" + "".join(rows))
    times = np.arange(6 * 16000) / 16000
    beeps = 0.2 * np.sin(2 * np.pi * 900 * times) * (times % 1.0 < 0.3) + 0.001 * rng.standard_normal(times.size)
    soundfile.write(home / "scanner.wav", beeps, 16000)
    for text in blocks(DOCS / "own-sounds.md", "yaml"):
        file = home / text.splitlines()[0].removeprefix("# ")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    patch = pytest.MonkeyPatch()
    patch.chdir(home)
    alone = ["room=none", "handset=none", "--quiet"]
    for folder, noise in (("stress-set", "noise=[none,white@10dB]"), ("my-set", "noise=none")):
        assert main(["generate", *SMALL, noise, "equipment=none", "design=full", *alone, f"output.dir={folder}"]) == 0
    steps = [
        f"{name}=[none,{level}@0dB,{level}@5dB,{level}@10dB]"
        for name, level in (("noise", "white"), ("equipment", "scanner_800hz"))
    ]
    few = [
        "corpus.select.where={accent: scottish}",
        "corpus.select.max_per_speaker=1",
        "design=one_at_a_time",
        "executor=serial",
    ]
    assert main(["generate", *few, *steps, *alone, "output.dir=steps"]) == 0
    for folder, file in (("stress-set", "hypotheses.csv"), ("steps", "steps.csv")):
        heard = read_manifest(folder)[["sample_id", "text"]]
        heard.rename(columns={"text": "hypothesis"}).to_csv(file, index=False)
    yield home
    patch.undo()


def runnable(words):
    """Return a command of a page with what makes it small; the demo's own set is left as the fixture made it."""
    name = words[0]
    if name == "evaluate":
        words = [*words, "asr=hypotheses", "path=steps.csv"] if "dataset=steps" in words else words
        return [*words, "permutations=199", "resamples=0", "subgroups.depth=1"]
    if name not in ("generate", "plan"):
        return words
    table = any(word.startswith("corpus=") for word in words)
    own = any(word.startswith(("room=", "scenario=", "noise=")) for word in words)
    fresh = f"output.dir=made-{list(ALL.values()).index(words)}"  # pages make the same set in several ways
    words = [fresh if word.startswith("output.dir=") else word for word in words]
    words = [*words, *(SMALL[1:] if table else SMALL)]
    if not own:
        words += ["room=none", "equipment=none", "noise=[none,white@10dB]"]
    if not any(word.startswith(("output.dir=", "design=fill")) for word in words):
        words.append("output.dir=other-set")
    return words


@pytest.mark.slow
@pytest.mark.parametrize("line", ALL)
def test_every_command_of_the_pages_runs(line, desk, capsys):
    words = ALL[line]
    if line.startswith("list to="):
        pytest.skip("the gallery of all presets takes half a minute; tests/augment/gallery makes a small one")
    if any(mark in line for mark in ELSEWHERE):
        assert main([*words, "--cfg"]) == 0
        return
    if words[0] == "evaluate" and not any(word.startswith("asr=") for word in words):
        pytest.importorskip("pocketsphinx")
    status = main(runnable(words))
    gate = any(word.startswith("fail_under") for word in words)
    assert status in ((0, 2) if gate else (0,)), capsys.readouterr().err


def test_the_readmes_presets_make_a_set_whose_labels_hold(desk):
    assert (
        main([*ALL["generate --config-dir my_conf scenario=our_floor design=one_at_a_time output.dir=our-set"], *SMALL])
        == 0
    )
    rows = read_manifest("our-set")
    assert set(rows["condition"]) == {"clean", "our_ward", "our_corridor@10dB", "our_pump@5dB", "our_pager"}
    noisy = rows[rows["noise"] == "our_corridor@10dB"]
    assert (noisy["measured_snr_db"] - 10).abs().max() <= 0.1
    pumped = rows[rows["equipment"] == "our_pump@5dB"]
    assert (pumped["measured_equipment_snr_db"] - 5).abs().max() <= 0.2
    assert (rows.loc[rows["room"] == "our_ward", "measured_t30_s"] / 0.6 - 1).abs().max() <= 0.1
    assert set(rows.loc[rows["handset"] == "our_pager", "measured_codec"]) == {"g726_24"}


def test_the_pages_name_commands_that_exist_and_each_command_but_few_is_shown():
    named = {words[0] for words in ALL.values()}
    assert named <= set(COMMANDS)
    assert set(COMMANDS) - named <= {"sign"}


def test_every_link_between_the_pages_leads_to_a_page():
    generated = {"reference/presets.md", "reference/columns.md", "reference/configuration.md"}
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert target in generated or (page.parent / target).exists(), f"{page.name}: {target}"


def build_pages():
    spec = importlib.util.spec_from_file_location("build_pages", DOCS / "build_pages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_names_each_column_preset_and_key(capsys):
    pages = build_pages()
    assert set(pages.MEANING) == set(COLUMNS)
    columns, presets, keys = pages.columns_page(), pages.presets_page(), pages.configuration_page()
    assert all(f"| `{name}` | {kind} |" in columns for name, kind in COLUMNS.items())
    for factor in ("room", "noise", "equipment", "handset"):
        assert main(["list", factor]) == 0
        listed = re.findall(r"^([a-z]\w+) {2,}", capsys.readouterr().out, re.MULTILINE)
        names = [name for name in listed if name not in ("name", factor)]  # the heading and the title
        assert len(names) >= 15
        shown = presets.split(f"## {factor}\n")[1].split("\n## ")[0]
        assert re.findall(r"^### (\w+)", shown, re.MULTILINE) == names
        for part in re.split(r"^### ", shown, flags=re.MULTILINE)[1:]:
            assert "\n- Source: " in part
            assert ("\n- How sure: " in part) == (not part.startswith("recordings\n")), part
    for key in ("sample_rate_hz:", "max_per_speaker:", "fail_under_tway:", "beam_size:", "permutations:"):
        assert key in keys


def test_a_preset_of_the_reference_has_a_picture_and_a_player(tmp_path):
    from roomtone.augment.gallery.info import preset_info

    files = {}
    for factor, name in (("room", "car_cabin"), ("equipment", "fan")):
        shown = build_pages().picture_and_player(preset_info(factor, name), tmp_path, files.__setitem__)
        (file,) = re.findall(r'src="presets/([^"]+)"', shown)
        samples, rate = soundfile.read(io.BytesIO(files[file]))
        assert 2 * rate < samples.size <= 6 * rate
        assert np.abs(samples).max() > 0.01
        (points,) = re.findall(r'points="([^"]+)"', shown)
        x, y = np.array([point.split(",") for point in points.split()], float).T
        assert (np.diff(x) > 0).all()
        assert np.ptp(y) > 20  # of 80 pixels: a decay, a spectrum
