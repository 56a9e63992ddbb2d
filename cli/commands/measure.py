"""`roomtone measure`: a place's own equipment, noise or room, as presets that `--config-dir` picks up.

One recording (`recording=FILE as=equipment|noise|room name=…`), or a folder of recordings with a `place.yaml` (`place=DIR`), which gives a scenario.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from roomtone.core.printable import printable

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from roomtone.measure import MeasureSettings

CONFIG_NAME = "measure"


def run(cfg: DictConfig) -> int:
    """Measure, write the presets, print what was found; return the exit status."""
    from omegaconf import OmegaConf

    from roomtone.measure import MeasureSettings

    stated = cast("dict[str, object]", OmegaConf.to_container(cfg, resolve=True))
    stated.pop("config_dir", None)  # composition adds it; presets are only written here
    settings = MeasureSettings.from_mapping(stated)
    return _measure_one(settings) if settings.place is None else _measure_place(settings)


def _measure_one(settings: MeasureSettings) -> int:
    from roomtone.measure import measure_recording

    written = measure_recording(settings)
    _print(written.lines)
    snr = "@10dB" if written.factor != "room" else ""
    names = ", ".join(f"{name}{snr}" for name in written.presets)
    print(f"\nlevels for a scenario, with --config-dir {settings.to}: {names}")
    return 0


def _measure_place(settings: MeasureSettings) -> int:
    from roomtone.measure import measure_place

    found = measure_place(settings)
    _print(found.lines)
    print(f"\nroomtone generate --config-dir {settings.to} scenario={found.name}")
    return 0


def _print(lines: tuple[str, ...]) -> None:
    for line in lines:
        print(printable(line))
