"""The command line: quick help, one clear line for each mistake, and configurations that all compose."""

import subprocess
import sys

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


def test_options_may_stand_before_the_command(capsys):
    assert main(["--cfg", "plan", "seed=7"]) == 0
    assert "seed: 7" in capsys.readouterr().out
    assert main(["--quiet"]) == 1
    assert main(["--config-dir"]) == 1
    assert "--config-dir" in capsys.readouterr().err


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
