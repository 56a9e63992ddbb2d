"""The gallery: one HTML page with every preset's words, picture and player; files beside it, nothing from the network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from roomtone.augment.gallery.info import PresetInfo
from roomtone.augment.gallery.pictures import as_png
from roomtone.augment.gallery.sound import SAMPLE_RATE_HZ, preset_sound
from roomtone.core.audio.encoding import encode
from roomtone.core.files import write_whole
from roomtone.core.vocabulary import FACTORS


def write_gallery(
    presets: Sequence[PresetInfo],
    folder: Path,
    search: tuple[Path, ...] = (),
    *,
    cache_dir: str | None = None,
    progress: Callable[[str], None] = lambda name: None,
) -> Path:
    """Write the page with its pictures and sounds, and return its path.

    Args:
        presets: what it shows.
        folder: where it goes; made where it is not there.
        search: folders of the user's own presets.
        cache_dir: where room banks are kept; None is the user's cache folder.
        progress: called with the name of each preset before it is rendered.
    """
    from jinja2 import Environment, StrictUndefined

    cards: dict[str, list[dict[str, object]]] = {factor: [] for factor in FACTORS}
    for info in presets:
        progress(info.name)
        stem = f"{info.factor}-{info.name}"
        card: dict[str, object] = {"info": info, "picture": None, "sound": None}
        if info.needs is None:
            sound = preset_sound(info, search, cache_dir)
            write_whole(folder / f"{stem}.png", as_png(info, sound, search))
            pcm = np.clip(np.round(sound.samples * 32768), -32768, 32767).astype(np.int16)
            write_whole(folder / f"{stem}.flac", encode(pcm, SAMPLE_RATE_HZ, "flac"))
            card |= {"picture": f"{stem}.png", "sound": f"{stem}.flac"}
        cards[info.factor].append(card)
    template = Path(__file__).with_name("gallery.html").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    page = environment.from_string(template).render(cards=cards, total=len(presets))
    return write_whole(folder / "index.html", page.encode())
