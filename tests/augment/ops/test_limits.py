"""Values that no device has, and ranges upside down: refused while the preset is read, in one line that names it, the key and the limits."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from roomtone.augment import Condition
from roomtone.augment.scenarios.conditions import parse_level
from roomtone.augment.scenarios.presets import load_preset, parse_preset, preset_names
from roomtone.core.errors import RoomtoneError

TONE = {"op": "periodic_tone"}
PASS = {"op": "pass_by", "speed_m_s": 8.0, "distance_m": 5.0, "sound": TONE}


@pytest.mark.parametrize(
    ("preset", "said"),
    [
        ({"op": "agc", "target_dbov": 20.0}, "(op agc), target_dbov: expected a number from -90 to 0, got 20.0"),
        (
            {"op": "agc", "target_dbov": [-10, -20]},
            "target_dbov: expected [low, high] with low <= high, got [-10.0, -20.0]",
        ),
        ({"op": "limiter", "threshold_dbov": 5.0}, "threshold_dbov: expected a number from -60 to 0, got 5.0"),
        ({"op": "clip", "level_dbov": [-3, 3]}, "level_dbov: expected a number from -60 to 0, got [-3.0, 3.0]"),
        (
            {"op": "self_noise", "microphone_snr_db": 60, "speech_db_spl": 3000},
            "speech_db_spl: expected a number from 20 to 130, got 3000.0",
        ),
        (
            {"op": "self_noise", "microphone_snr_db": -500, "speech_db_spl": 60},
            "microphone_snr_db: expected a number from 0 to 120, got -500.0",
        ),
        ({"op": "response", "points": [[100, -500]]}, "points: expected gains from -100 to 60 dB, got -500 at 100 Hz"),
        ({"op": "response", "points": [[100, 500]]}, "points: expected gains from -100 to 60 dB, got 500 at 100 Hz"),
        ({"op": "chain", "stages": []}, "stages: expected at least one stage, got none"),
        (
            {"op": "chain", "stages": [{"op": "limiter", "threshold_dbov": 5.0}]},
            "stages[0] (op limiter), threshold_dbov: expected a number from -60 to 0, got 5.0",
        ),
        ({"op": "packet_loss", "loss": [0.05, 0.0]}, "loss: expected [low, high] with low <= high, got [0.05, 0.0]"),
        ({"op": "coded_stream", "codec": "gsm_fr", "loss": [0.05, 0.0]}, "loss: expected [low, high]"),
    ],
)
def test_a_handset_that_no_device_has(preset: dict[str, Any], said: str) -> None:
    """All of these were rendered; some ended in "no active speech found" for each recording of the corpus."""
    with pytest.raises(RoomtoneError, match=r"^handset preset 'm1'[ ,:]" + r".*" + re.escape(said)):
        parse_preset("handset", "m1", preset)


@pytest.mark.parametrize(
    ("preset", "said"),
    [
        (PASS | {"speed_m_s": [18, 8]}, "speed_m_s: expected [low, high] with low <= high, got [18.0, 8.0]"),
        (PASS | {"speed_m_s": 400.0}, "speed_m_s must lie from 0.1 to 34, got 400.0 (in km/h?)"),
        (PASS | {"speed_m_s": 1e-6}, "speed_m_s must lie from 0.1 to 34, got 1e-06"),
        (PASS | {"distance_m": 1e9}, "distance_m must lie from 0.3 to 1000, got 1000000000.0"),
        (PASS | {"sound": PASS}, "a pass_by within a pass_by"),
        (PASS | {"sound": {"op": "mix", "parts": [TONE, PASS]}}, "a pass_by within a pass_by"),
        (PASS | {"sound": TONE | {"harmonics": [[1, 900]]}}, "level from -120 to 120 dB], got [[1.0, 900.0]]"),
        (TONE | {"harmonics": [[1, 900]]}, "level from -120 to 120 dB], got [[1.0, 900.0]]"),
        (TONE | {"pulses": [[0, 0.1, 1, 900]]}, "level_db within +-120"),
        (TONE | {"vibrato_hz": 9000.0, "vibrato_depth": 0.03}, "vibrato_hz above 0 and up to 30"),
        (
            TONE | {"pulses": [[0, 0.1]], "timing": "poisson", "period_s": 0.001},
            "timing poisson needs period_s, its mean distance, of at least 0.002 s, got 0.001",
        ),
        (
            TONE | {"pulses": [[0, 0.1]], "timing": "poisson", "period_s": 1.0, "jitter_s": 0.1},
            "timing poisson takes no jitter_s, got 0.1",
        ),
    ],
)
def test_a_machine_that_nobody_built(preset: dict[str, Any], said: str) -> None:
    """The messages of an op's own bounds named no preset: with twenty of them one had to search."""
    with pytest.raises(RoomtoneError, match=r"^equipment preset 'm1'[ ,:]" + r".*" + re.escape(said)):
        parse_preset("equipment", "m1", preset)


def test_bounds_of_a_room_name_its_preset() -> None:
    room = load_preset("room", "ward_walk") | {"path": [[0.0, 1.5, 2.0, 1.5], [5.0, 900.0, 2.0, 1.5]]}
    with pytest.raises(RoomtoneError, match=r"^room preset 'first'"):
        parse_preset("room", "first", room)


@pytest.mark.parametrize("factor", ["noise", "equipment", "handset"])
def test_every_packaged_preset_is_within_the_limits(factor: str) -> None:
    names = [name for name in preset_names(factor) if name != "recordings"]
    assert len(names) > 15
    for name in names:
        parse_preset(factor, name, load_preset(factor, name))


@pytest.mark.parametrize(
    ("level", "said"),
    [
        ("babble@env80dBA", "environment: 80 dBA is outside the observed 40 to 74 dBA; give an SNR instead"),
        ("wind@env65dBA", "wind arises at the microphone"),
        ("echo_residue@env65dBA", "echo_residue arises at the microphone"),
    ],
)
def test_an_environment_that_says_nothing_of_an_snr_is_refused_at_planning(level: str, said: str) -> None:
    """36 of 36 samples were rejected one by one, after a plan that was fine."""
    with pytest.raises(RoomtoneError, match=f"^noise '{level}': .*{said}.*@5dB"):
        parse_level("noise", level, load_preset)
    assert parse_level("noise", "babble@env74dBA", load_preset).env_dba == 74.0


def test_a_handset_that_silences_everything_is_named_as_the_culprit(tmp_path: Path, speech: np.ndarray) -> None:
    """It said "no active speech found (ITU-T P.56)" of a recording full of speech."""
    (tmp_path / "handset").mkdir()
    (tmp_path / "handset" / "deaf.yaml").write_text(
        "description: t\nsource: t\nop: chain\nstages:\n  - {op: response, points: [[1000.0, -100.0]]}\n  - {op: webrtc}\n"
    )
    with pytest.raises(RoomtoneError, match=r"no (active )?speech is left behind the handset"):
        Condition(handset="deaf", config_dir=tmp_path).render(speech, 16000, key=0)


def test_a_rate_of_loss_is_stated_as_an_average() -> None:
    """`2 to 8 % of its frames lost` and files that lost none, or 20 %: bursts scatter, and a short file has few."""
    told = 0
    for name in preset_names("handset"):
        preset = load_preset("handset", name)
        rates = [stage["loss"] for stage in preset.get("stages", ()) if isinstance(stage.get("loss"), list)]
        if rates:
            told += 1
            assert re.search(r"on average \d+ to \d+ % of (its )?(frames|packets)", preset["description"]), name
    assert told > 5
