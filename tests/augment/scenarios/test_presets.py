"""What is wrong in a preset of the user's own is said with the preset and its file, whoever finds it."""

from __future__ import annotations

from pathlib import Path

import pytest

from roomtone.augment.scenarios.presets import load_preset, parse_preset
from roomtone.cli.main import main
from roomtone.core.errors import RoomtoneError

ROOM = "op: shoebox\ndimensions_m: [8.0, 6.0, 2.8]\nt60_s: 0.6\ntalker_distance_m: 1.0\n"
PASS = "op: pass_by, distance_m: 3.0, speed_m_s: 400.0, sound: {op: coloured_noise}"
WORDS = "description: d\nsource: s\n"


@pytest.mark.parametrize(
    ("factor", "text", "match"),
    [
        ("room", ROOM + "path: [[0, 1, 1], [2, 9.5, 2]]\n", "room, path, x: expected 0.1 to 7.9 .*, got 9.5"),
        ("room", ROOM + "scattering: wide\n", "scattering: expected a number, got 'wide'"),
        ("room", ROOM + "scattering: 2.0\n", "room, scattering: expected 0 to 1"),
        (
            "equipment",
            PASS.replace(", ", "\n"),
            r"pass_by: speed_m_s must lie from 0.1 to 34, got 400.0 \(in km/h\?\)",
        ),
        ("noise", f"op: mix\nparts: [{{{PASS}}}]\n", "mix, part 1: pass_by: speed_m_s"),
    ],
)
def test_bounds_are_said_with_the_preset_and_its_file(
    factor: str, text: str, match: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """ "room, path, x: expected 0.1 to 7.9, got 9.5" named neither: with twenty presets each had to be opened."""
    file = tmp_path / factor / "mine.yaml"
    file.parent.mkdir()
    file.write_text(WORDS + text)
    where = f"{file}: {factor} preset 'mine'"
    with pytest.raises(RoomtoneError, match=match) as caught:
        load_preset(factor, "mine", (tmp_path,))
    assert str(caught.value).startswith(where)
    level = "mine" if factor == "room" else "mine@5dB"
    assert main(["plan", f"{factor}=[none,{level}]", "--config-dir", str(tmp_path)]) == 1
    assert where in capsys.readouterr().err


def test_bounds_of_what_was_typed_are_said_with_the_preset_alone(tmp_path: Path) -> None:
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "mine.yaml").write_text(WORDS + ROOM)
    preset = load_preset("room", "mine", (tmp_path,), typed={"t60_s": 99.0})
    with pytest.raises(RoomtoneError, match=r"^room preset 'mine': room, t60_s: expected 0.05 to 10 \(seconds\)"):
        parse_preset("room", "mine", preset)
