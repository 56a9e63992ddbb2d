"""The command line: quick help, one clear line for each mistake, and configurations that all compose."""

import subprocess
import sys

import numpy as np
import pytest

from roomtone.cli.arguments import Arguments, parse_arguments
from roomtone.cli.compose import compose_config
from roomtone.cli.main import COMMANDS, main
from roomtone.core.errors import RoomtoneError

HEAVY = {"librosa", "pyroomacoustics", "scipy", "matplotlib", "pandas", "numpy", "hydra", "pyarrow", "duckdb", "numba"}


def test_help_imports_nothing_heavy_and_lists_the_commands():
    done = subprocess.run(
        [sys.executable, "-P", "-X", "importtime", "-m", "roomtone.cli.main", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    imported = {line.rsplit("|", 1)[1].strip().split(".")[0] for line in done.stderr.splitlines() if "|" in line}
    assert "roomtone" in imported
    assert not imported & HEAVY
    for name in COMMANDS:
        assert f"  {name} " in done.stdout


def test_roomtone_alone_lists_the_commands(capsys):
    assert main([]) == 0
    assert "generate" in capsys.readouterr().out


def test_generate_help_lists_groups_options_and_keys(capsys):
    assert main(["generate", "--help"]) == 0
    out = capsys.readouterr().out
    for text in (
        "  corpus     ",
        " demo, ",
        "design     covering, ",
        "processes",
        "max_rejected: 0.01",
        "landline_mulaw",
        "mri_epi",
        "ward",
    ):
        assert text in out


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        (
            ["generate", "corpus=table"],
            ["# the corpus on disk: a folder, or a file where the preset says so", "columns:"],
        ),
        (["evaluate", "asr=http"], ["asr:", "recogniser: http"]),
        (["generate", "output=opus"], ["format: opus"]),
    ],
)
def test_help_shows_the_keys_of_the_groups_chosen_with_their_comments(words, lines, capsys):
    """`--help` and `--cfg` print the same lines, and each key of the group that was chosen is among them."""
    assert main([*words, "--help"]) == 0
    shown = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert main([*words, "--cfg"]) == 0
    config = [line.strip() for line in capsys.readouterr().out.splitlines()]
    for line in lines:
        assert line in shown
    assert set(config) <= set(shown)
    assert sum(line.startswith("# ") for line in config) > 10


def test_cfg_with_its_comments_is_the_configuration(capsys):
    import yaml

    assert main(["generate", "seed=7", "--cfg"]) == 0
    assert yaml.safe_load(capsys.readouterr().out)["seed"] == 7


def test_python_m_roomtone_is_the_command(tmp_path):
    command = [sys.executable, "-P", "-m", "roomtone", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.startswith("roomtone ")


def test_quiet_prints_nothing_but_errors(tmp_path):
    for words, status in ((["list", "design"], 0), (["verify"], 1)):
        command = [sys.executable, "-P", "-m", "roomtone", *words, "--quiet"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
        assert done.returncode == status
        assert done.stdout == ""
        assert len(done.stderr.splitlines()) == status


@pytest.mark.parametrize(
    ("command", "prefix", "word"),
    [
        ("generate", "corpus=v", "corpus=vctk"),
        ("generate", "scenario.fac", "scenario.factors.room="),
        ("generate", "noi", "noise="),
        ("evaluate", "asr=fa", "asr=faster_whisper"),
        ("coverage", "fail_under_t", "fail_under_tway="),
        ("show", "war", "ward"),
        ("listen", "ward+bab", "ward+babble"),
        ("list", "equ", "equipment"),
        ("verify", "--conf", "--config-dir"),
    ],
)
def test_a_shell_is_offered_commands_groups_presets_and_keys(command, prefix, word):
    from roomtone.cli.completion import completions

    assert word in completions(command, prefix)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["generat"], "unknown command 'generat'; did you mean 'generate'?"),
        (["generate", "sede=1"], "unknown key 'sede'; did you mean 'seed'?"),
        (["generate", "corpus.pth=x"], "unknown key 'corpus.pth'"),
        (["generate", "scenario=hospital_imaging_flor"], "did you mean 'hospital_imaging_floor'?"),
        (["generate", "design=cover"], "design: there is no option 'cover'; did you mean 'covering'?"),
        (["generate", "seed"], "'seed' has no value; write seed=…"),
        (["generate", "--sed"], "unknown option '--sed'"),
        (["generate", "--config-dir"], "--config-dir needs a value"),
        (["generate", "--config-dir", "/no/such/folder"], "'/no/such/folder' is not a folder"),
        (["generate", "--config-name", "mine"], "there is no 'mine'"),
        (["generate", "+x._target_=os.system"], "'_target_' is not allowed"),
        (["generate", "scenario.factors.room=[none,wart]"], "room: unknown preset 'wart'; did you mean 'ward'?"),
        (["generate", "scenario.factors.noise=[none,babble]"], "says no SNR; write for instance babble@10dB"),
        (["generate", "seed=-1"], "seed: expected a whole number from 0 up, got -1"),
        (["generate", "executor.workers=0"], "executor.workers: expected a whole number from 1 up or null, got 0"),
        (["generate", "output.format=mp4"], "output.format: unknown 'mp4'"),
        (["generate", "corpus=table", "corpus.path=/no/such.csv"], "/no/such.csv"),
        (["verify"], "verify needs a set"),
        (["plan", "axes=accent,condition"], "axes: 'accent,condition' is a list; write axes=[accent,condition]"),
        (["verify", "share=0,5"], "share: '0,5': numbers have a decimal point; write share=0.5"),
        (["coverage", "stress-set"], "'stress-set' is not of the form key=value; write dataset=stress-set"),
        (["plan", "seed:3"], "'seed:3' is not of the form key=value; write seed=3"),
        (["plan", "--seed=3"], "keys have no dashes: write seed=3"),
        (["plan", "--config-dri=x"], "did you mean '--config-dir'?"),
        (["plan", "config_dir=x"], "write --config-dir …"),
        (["plan", "output.dir"], "'output.dir' has no value; write output.dir=…"),
        (["plan", "=3"], "there is no key before the =; write key=3"),
        (["plan", "noise=[none"], "noise: '[none': a bracket is missing; write noise=[none,…]"),
        (["plan", "corpus.path=a[b"], "a bracket is missing"),
        (["plan", "corpus=3"], "corpus: '3' is not the name of an option"),
        (["plan", "presets=x"], "presets: expected a mapping, got 'x'"),
        (["plan", "sample_rate_hz=16k"], "sample_rate_hz: expected a whole number from 8000 to 96000, got '16k'"),
        (["plan", "sample_rate_hz=4000"], "sample_rate_hz: expected a whole number from 8000 to 96000, got 4000"),
        (["plan", "level_dbov=loud"], "level_dbov: expected a number from -90 to 0, got 'loud'"),
        (["plan", "draws=comon"], "draws: 'comon' is not allowed; did you mean 'common'?"),
        (["plan", "zzzzz=1"], "unknown key 'zzzzz'; the nearest of "),
        (["plan", "scenario=triage"], "scenario: there is no option 'triage'; known: "),
        (["plan", "room=[ward@5dB]"], "a room has none; write ward"),
        (["plan", "noise=[folder:/no/such@5dB]"], "there is no folder '/no/such'"),
        (["plan", "noise=[foldr:/tmp@5dB]"], "unknown kind 'foldr'; did you mean 'folder'?"),
        (["plan", "noise=[folder:/tmp]"], "says no SNR; write folder:/tmp@10dB"),
        (["plan", "noise=[white=folder:/tmp@5dB]"], "there is a preset 'white'; write my_white=folder:/tmp"),
        (["plan", "room=[musan:/tmp]"], "musan is a noise corpus; write noise=[musan:/tmp]"),
        (["list", "nois"], "list: there is no group 'nois'; did you mean 'noise'?"),
        (["list", "noise", "room"], "expected one group, got 2: noise, room"),
        (["show"], "show needs a name: roomtone show ward"),
        (["show", "wrad"], "there is no preset 'wrad'; did you mean 'ward'?"),
        (["show", "ward", "to=x.jpg"], "one preset goes into one file ending in .png"),
        (["listen"], "listen needs a condition"),
        (["listen", "ward+babel@5dB"], "'babel@5dB' is no level of a free factor; did you mean 'babble'?"),
        (["listen", "ward", "audio=/no/such.wav"], "audio: there is no file '/no/such.wav'"),
        (["listen", "ward", "to=x.mp3"], "to: a file ending in .wav or .flac, got 'x.mp3'"),
        (["listen", "ward", "sample_rate_hz=16"], "sample_rate_hz: expected a whole number from 8000 to 96000"),
        (["verify", "dataset=/no/such"], "/no/such"),
    ],
)
def test_a_mistake_is_one_line_and_exit_status_1(words, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(words) == 1
    err = capsys.readouterr().err
    assert message in err
    assert "Traceback" not in err
    assert len(err.strip().splitlines()) == 1
    assert list(tmp_path.rglob("*.flac")) == []


@pytest.fixture(scope="module")
def small_set(tmp_path_factory):
    """A set of twelve samples, a table of each mistaken kind, and Parquet tables that are no sets, in one folder."""
    import pandas as pd
    import soundfile

    home = tmp_path_factory.mktemp("mistakes")
    soundfile.write(home / "a.wav", np.random.default_rng(0).normal(0, 0.1, 32000), 16000)
    head = "audio,text,speaker,accent\n"
    (home / "gone.csv").write_text(f"{head}gone.wav,hello,s,scottish\n")
    (home / "semi.csv").write_text(f"{head}a.wav,hello,s,scottish\n".replace(",", ";"))
    (home / "names.csv").write_text("file,text,speaker,accent\na.wav,hello,s,scottish\n")
    (home / "empty.csv").write_text("")
    pd.DataFrame({"audio": ["a.wav"], "x": [1]}).to_parquet(home / "odd.parquet")
    (home / "odd" / "manifest").mkdir(parents=True)
    pd.DataFrame({"audio": ["a.wav"], "x": [1]}).to_parquet(home / "odd" / "manifest" / "part-00000.parquet")
    (home / "nothing").mkdir()
    none = [f"{factor}=none" for factor in ("room", "noise", "equipment", "handset")]
    words = ["corpus.select.max_per_accent=1", "executor=serial", f"output.dir={home / 'set'}", "--quiet"]
    assert main(["generate", *none, *words]) == 0
    return home


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["evaluate"], "evaluate needs a set: roomtone evaluate dataset=DIR"),
        (["evaluate", "dataset=nothing"], "is it a set that `roomtone generate` wrote?"),
        (
            ["evaluate", "dataset=set", "asr=faster_whisper"],
            "asr=faster_whisper needs asr.model; write asr.model=tiny.en",
        ),
        (["evaluate", "dataset=set", "asr=transformers"], "asr=transformers needs asr.model; write asr.model=FOLDER"),
        (["evaluate", "dataset=set", "asr=http"], "asr=http needs asr.url; write asr.url=http://localhost:8000/v1"),
        (["evaluate", "dataset=set", "asr=command"], "asr=command needs asr.command; write 'asr.command=\"my-asr"),
        (["evaluate", "dataset=set", "asr=hypotheses"], "asr=hypotheses needs a file: path=FILE"),
        (["evaluate", "dataset=set", "asr=hypotheses", "path=no.csv"], "no.csv: there is no such file of hypotheses"),
        (["evaluate", "dataset=set", "group=acent"], "no column 'acent'; did you mean 'accent'?"),
        (["plan", "corpus=table"], "corpus.path is missing; type corpus.path=FOLDER_OR_FILE"),
        (["plan", "corpus=table", "corpus.path=gone.csv"], "none of the 1 recordings can be read; the first: "),
        (
            ["plan", "corpus=table", "corpus.path=semi.csv"],
            "separated by ';'; save it with commas (.csv) or tabs (.tsv)",
        ),
        (["plan", "corpus=table", "corpus.path=names.csv"], "corpus.columns.audio=NAME names another"),
        (["plan", "corpus=table", "corpus.path=empty.csv"], "is empty; a table needs a line of column names"),
        (["plan", "corpus=table", "corpus.path=a.wav"], "not a table that can be read; endings: .csv"),
        (["plan", "corpus=vctk", "corpus.path=nothing"], "is it the VCTK folder?"),
        (["plan", "presets={noise:x}"], "presets: takes no new keys on the command line"),
        (["plan", "scenario.goals.default={utterance:6}"], "unknown unit 'utterance'; did you mean 'utterances'?"),
        (["plan", "scenario.factors={room:[none],nois:[none]}"], "unknown factor 'nois'; did you mean 'noise'?"),
        (["plan", "noise=[none,babble@5]"], "'babble@5' is not of the form babble@5dB"),
        (["plan", "max_rejected=lots"], "max_rejected: "),
        (["plan", "executor=slurm"], "executor: there is no option 'slurm'"),
        (["generate", "output=mp3"], "output: there is no option 'mp3'"),
        (["coverage"], "dataset=stress-set"),
        (["coverage", "dataset=nothing"], "is it a set that `roomtone generate` wrote?"),
        (["coverage", "dataset=odd"], "it has no column 'sample_id'"),
        (["coverage", "dataset=set", "fail_under=ninety"], "fail_under: expected a number from 0 to 100, got 'ninety'"),
        (["coverage", "dataset=set", "fail_under=900"], "fail_under: expected a number from 0 to 100, got 900"),
        (["coverage", "dataset=set", "min_speakers=-1"], "min_speakers: expected a whole number from 0 up, got -1"),
        (
            ["coverage", "dataset=set", "axes=[acent,condition]"],
            "no column 'acent' for an axis; did you mean 'accent'?",
        ),
        (["export", "dataset=set", "format=kladi", "to=x"], "format: unknown 'kladi'; did you mean 'kaldi'?"),
        (["export", "dataset=set", "format=kaldi"], "export needs to: roomtone export dataset=DIR format=NAME to=DIR"),
        (["measure"], "give either recording=FILE as=equipment name=our_scanner, or place=DIR"),
        (["measure", "recording=a.wav", "as=machine", "name=x"], "'machine' cannot be measured; known: equipment"),
    ],
)
def test_a_mistake_with_a_set_or_a_table_is_one_line_and_exit_status_1(words, message, small_set, capsys, monkeypatch):
    monkeypatch.chdir(small_set)
    assert main(words) == 1
    err = capsys.readouterr().err
    assert message in err
    assert len(err.strip().splitlines()) == 1


def test_options_may_stand_anywhere():
    arguments = parse_arguments(["seed=1", "--config-dir=x", "--cfg", "--config-name", "y", "design=full"])
    assert arguments == Arguments(("seed=1", "design=full"), "x", "y", True, False)


def primaries():
    from roomtone.augment.scenarios.presets import packaged_dir

    return sorted(path.stem for path in packaged_dir().glob("*.yaml"))


def test_every_primary_is_found():
    assert {"generate", "verify", "coverage"} <= set(primaries())


@pytest.mark.parametrize("primary", primaries())
def test_every_option_of_every_group_composes(primary):
    import yaml

    from roomtone.augment.scenarios.presets import packaged_dir

    defaults = yaml.safe_load((packaged_dir() / f"{primary}.yaml").read_text()).get("defaults", [])
    groups = [key for entry in defaults if isinstance(entry, dict) for key in entry]
    compose_config(Arguments(()), primary)
    for group in groups:
        for option in sorted((packaged_dir() / group).glob("*.yaml")):
            assert compose_config(Arguments((f"{group}={option.stem}",)), primary) is not None


def test_a_users_option_wins_over_the_packaged_one_of_the_same_name(tmp_path):
    """Hydra's own default is that the packaged file silently wins."""
    (tmp_path / "scenario").mkdir()
    (tmp_path / "scenario" / "drive_through.yaml").write_text("name: mine\nfactors: {room: [none]}\n")
    cfg = compose_config(Arguments(("scenario=drive_through",), str(tmp_path)), "generate")
    assert cfg.scenario.name == "mine"


def test_yaml_that_does_not_parse_is_one_line(tmp_path):
    (tmp_path / "scenario").mkdir()
    (tmp_path / "scenario" / "broken.yaml").write_text("name: [\n")
    with pytest.raises(RoomtoneError) as caught:
        compose_config(Arguments(("scenario=broken",), str(tmp_path)), "generate")
    assert "\n" not in str(caught.value)


def test_every_key_of_every_primary_has_a_comment():
    from roomtone.augment.scenarios.presets import packaged_dir

    for primary in primaries():
        lines = (packaged_dir() / f"{primary}.yaml").read_text().splitlines()
        assert lines[0].startswith("# roomtone "), f"{primary}.yaml does not open with the command to run"
        keys = [i for i, line in enumerate(lines) if line and line[0].isalpha() and not line.startswith("defaults:")]
        assert keys, primary
        for i in keys:
            nested = lines[i].endswith(":") and lines[i + 1].strip().startswith("#")
            assert nested or lines[i - 1].startswith("#") or "#" in lines[i], (
                f"{primary}.yaml: {lines[i]!r} has no comment"
            )
