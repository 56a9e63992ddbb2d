"""`roomtone measure`: a place's own equipment, noise or room, as presets that `--config-dir` picks up.

One recording (`recording=FILE as=equipment|noise|room name=…`), or a folder of them with a `place.yaml` (`place=DIR`), which gives a scenario.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomtone.core.errors import RoomtoneError

if TYPE_CHECKING:
    from omegaconf import DictConfig

CONFIG_NAME = "measure"
HELP = __doc__


def run(cfg: DictConfig) -> int:
    """Measure, write the presets, print what was found."""
    from omegaconf import OmegaConf

    settings: Any = OmegaConf.to_container(cfg, resolve=True)
    if (settings["recording"] is None) == (settings["place"] is None):
        raise RoomtoneError("measure: give either recording=FILE as=equipment name=our_scanner, or place=DIR")
    if settings["place"] is not None:
        from roomtone.measure.scenario import measure_place

        found = measure_place(settings["place"], settings["to"], **_options(settings))
        _print(found.lines)
        print(f"\nroomtone generate --config-dir {settings['to']} scenario={found.name}")
        return 0
    from roomtone.measure.write_presets import measure_recording

    if settings["as"] is None or settings["name"] is None:
        raise RoomtoneError(
            "measure: say what it is and how to call it: as=equipment (or noise, room) name=our_scanner"
        )
    written = measure_recording(
        settings["recording"],
        settings["as"],
        str(settings["name"]),
        settings["to"],
        offset_s=settings["offset_s"],
        sweep=settings["sweep"],
        dimensions_m=_triple(settings["dimensions_m"]),
        talker_distance_m=_pair(settings["talker_distance_m"]),
        **_options(settings),
    )
    _print(written.lines)
    snr = "@10dB" if written.factor != "room" else ""
    names = ", ".join(f"{name}{snr}" for name in written.presets)
    print(f"\nlevels for a scenario, with --config-dir {Path(settings['to'])}: {names}")
    return 0


def _options(settings: dict[str, Any]) -> dict[str, Any]:
    return {"sample_rate_hz": settings["sample_rate_hz"], "longest_s": settings["longest_s"]}


def _triple(value: Any) -> tuple[float, float, float] | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 3:
        raise RoomtoneError(f"dimensions_m: expected [length, width, height] in metres, got {value!r}")
    return (float(value[0]), float(value[1]), float(value[2]))


def _pair(value: Any) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        raise RoomtoneError(f"talker_distance_m: expected [least, greatest] in metres, got {value!r}")
    return (float(value[0]), float(value[1]))


def _print(lines: tuple[str, ...]) -> None:
    for line in lines:
        print(line)
