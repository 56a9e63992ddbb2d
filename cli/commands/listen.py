"""`roomtone listen CONDITION [audio=FILE] to=FILE`: one condition on one recording, as a file to hear, with what was measured on it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomtone.cli.compose import plain
from roomtone.core.errors import RoomtoneError
from roomtone.core.printable import printable
from roomtone.core.settings import Annotated, Bounds, read_settings
from roomtone.core.vocabulary import NONE

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from roomtone.core.audio.types import Samples

CONFIG_NAME = "listen"
POSITIONAL = "condition"
_SUFFIXES = (".wav", ".flac")


@dataclass(frozen=True)
class ListenSettings:
    """The keys of `conf/listen.yaml`."""

    condition: str | None = None
    scenario: Mapping[str, Any] = field(default_factory=dict)
    audio: str | None = None
    to: str = "heard.wav"
    sample_rate_hz: Annotated[int, Bounds(8000, 96000, "in Hz, without a unit")] | None = None
    level_dbov: Annotated[float, Bounds(-90, 0)] = -26.0
    seed: Annotated[int, Bounds(0)] = 0
    cache_dir: str | None = None
    config_dir: str | None = None


def run(cfg: DictConfig) -> int:
    """Render the condition, write the file, and print what was measured."""
    from roomtone.augment.condition import Condition
    from roomtone.core.audio.encoding import encode
    from roomtone.core.files import write_whole

    settings = read_settings(ListenSettings, plain(cfg))
    levels = _levels(settings)
    target = Path(settings.to)
    if target.suffix.lower() not in _SUFFIXES:
        raise RoomtoneError(f"to: a file ending in {' or '.join(_SUFFIXES)}, got {settings.to!r}")
    samples, rate, what = _speech(settings)
    condition = Condition(
        **levels,
        config_dir=settings.config_dir,
        seed=settings.seed,
        level_dbov=settings.level_dbov,
        cache_dir=settings.cache_dir,
    )
    try:
        made = condition.render(samples, rate, key="listen")
    except RoomtoneError as error:
        raise RoomtoneError(f"{what}: {error}") from error
    write_whole(target, encode(made.pcm, rate, target.suffix.lower().lstrip(".")))
    print(f"{what} in {condition.name}: {target} ({made.pcm.size / rate:.1f} s at {rate} Hz)")
    for line in measured_lines(made.measured, behind_handset="handset" in condition.levels):
        print(printable(f"  {line}"))
    return 0


def _levels(settings: ListenSettings) -> dict[str, Any]:
    """Return what to hear as arguments of `Condition`: its name, or one level for each factor that was typed."""
    typed = settings.scenario.get("factors") or {}
    if settings.condition is None and not typed:
        raise RoomtoneError(
            'listen needs a condition: roomtone listen "ward+babble@5dB" (roomtone list says what there is), '
            "or its levels by factor: room=ward noise=hall=folder:DIR@5dB"
        )
    if settings.condition is not None and typed:
        raise RoomtoneError(
            f"listen takes a condition's name or its levels by factor, not both: {settings.condition} and {', '.join(typed)}"
        )
    if settings.condition is not None:
        return {"name": settings.condition}
    levels = {factor: [level for level in given if level != NONE] for factor, given in typed.items()}
    for factor, given in levels.items():
        if len(given) > 1:
            raise RoomtoneError(
                f"{factor}: listen plays one level at a time, got {', '.join(given)}; write {factor}={given[0]}"
            )
    return {factor: given[0] for factor, given in levels.items() if given}


def _speech(settings: ListenSettings) -> tuple[Samples, int, str]:
    """Return the clean speech, its rate in Hz, and what to call it."""
    from roomtone.augment.gallery.sound import SAMPLE_RATE_HZ, demo_speech
    from roomtone.core.audio.rates import HIGHEST_RENDERED_HZ, LOWEST_RENDERED_HZ
    from roomtone.core.audio.reading import inspect, read_audio
    from roomtone.core.audio.resampling import resample
    from roomtone.core.audio.segment import AudioRef

    if settings.audio is None:
        rate = settings.sample_rate_hz or SAMPLE_RATE_HZ
        return resample(demo_speech(), SAMPLE_RATE_HZ, rate), rate, "an utterance of the bundled corpus"
    path = Path(settings.audio).expanduser()
    if not path.is_file():
        raise RoomtoneError(f"audio: there is no file {settings.audio!r}")
    own = min(max(inspect(path).sample_rate_hz, LOWEST_RENDERED_HZ), HIGHEST_RENDERED_HZ)
    rate = settings.sample_rate_hz or own
    return read_audio(AudioRef(str(path)), rate), rate, path.name


#: Column -> how its figure is said.
_SAID = {
    "measured_snr_db": "SNR at the microphone {:.1f} dB (active speech over noise)",
    "measured_equipment_snr_db": "equipment SNR {:.1f} dB while it sounds",
    "measured_t30_s": "T30 {:.2f} s",
    "measured_c50_db": "C50 {:.1f} dB",
    "measured_drr_db": "direct to reverberant {:.1f} dB",
    "output_snr_db": "SNR behind the handset {:.1f} dB",
    "active_level_dbov": "active speech level {:.1f} dBov",
    "activity": "speech is active {:.0%} of the time",
    "clipped_share": "clipped samples {:.2%}",
    "delay_samples": "delay {:.0f} samples",
    "measured_lost_share": "lost frames {:.1%}",
    "time_added_s": "time added by the jitter buffer {:.3f} s",
    "time_removed_s": "time removed by the jitter buffer {:.3f} s",
}


def measured_lines(measured: Mapping[str, Any], *, behind_handset: bool) -> list[str]:
    """Return what was measured on a render, a line each; where a figure could not be told, its reason.

    Args:
        measured: manifest columns of the render.
        behind_handset: whether there is a handset; without one the SNR behind it is that at the microphone.
    """
    reasons = json.loads(measured.get("unmeasured") or "{}")
    ends = json.loads(measured.get("measured_path_ends") or "{}")
    lines = [_end_line(end, figures) for end, figures in ends.items()]
    for name, shape in _SAID.items():
        if name == "output_snr_db" and not behind_handset:
            continue
        if name == "delay_samples" and measured.get("time_added_s") is not None:
            continue  # no one delay holds, and what was added and removed is said
        if measured.get(name) is not None:
            lines.append(re.sub(r"-(0(?:\.0*)?)(?=[^\d.]|$)", r"\1", shape.format(measured[name])))
        elif name in reasons and name.removeprefix("measured_") not in ends.get("start", {}):
            reason = reasons[name].partition("; see ")[0]  # columns of a manifest, which is not written here
            lines.append(f"{shape.partition(' {')[0]}: cannot be told ({reason})")
    return lines


def _end_line(end: str, figures: Mapping[str, Any]) -> str:
    """Return the figures of the room where a talker who walks is at the `start` or the `end` of the file."""
    named = {name.removeprefix("measured_"): shape for name, shape in _SAID.items()}
    told = [named[name].format(figures[name]) for name in ("t30_s", "c50_db", "drr_db") if name in figures]
    return ", ".join([f"at the {end} the talker is {figures['distance_m']:.1f} m away", *told])
