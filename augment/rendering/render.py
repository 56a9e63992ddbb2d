"""From a recipe and the clean speech to samples: the signal chain, in the order that physics has it.

clean speech -> voice (effort) -> level (P.56) -> close microphone -> room -> sum with noise and equipment at the microphone, where SNRs are defined -> handset
-> level -> 16 bits.
Everything here is deterministic: a recipe gives the same bits in any worker.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from roomtone.augment.ops.table import Fetch, Processor
from roomtone.augment.rendering.file_level import file_samples
from roomtone.augment.rendering.handset_output import Handset, with_reserve
from roomtone.augment.rendering.measure import measure
from roomtone.augment.rendering.mixing import CleanSpeech, Stems, mix_stems, near_microphone, with_effort
from roomtone.augment.rendering.recipe import Recipe
from roomtone.augment.rendering.separation import separation
from roomtone.augment.rendering.tolerances import check_labels
from roomtone.augment.rooms.bank import RoomEntry
from roomtone.core.errors import RoomtoneError


@dataclass(frozen=True)
class Render:
    """One finished sample.

    Attributes:
        pcm: int16 [shape=(samples,)].
        stems: its parts at the microphone.
        measured: manifest columns.
        encoded: the bytes of its file where the container is lossy, else None.
    """

    pcm: np.ndarray
    stems: Stems
    measured: dict[str, Any]
    encoded: bytes | None = None


def render(
    recipe: Recipe,
    clean: CleanSpeech,
    fetch: Fetch,
    entry: RoomEntry | None,
    *,
    name: str = "sample",
    suffix: str = "flac",
) -> Render:
    """Return the render of a recipe, measured and compared with its labels.

    Args:
        recipe: what to render.
        clean: the prepared speech, `recipe.num_samples` long.
        fetch: returns samples of a recording by asset id.
        entry: the realised room of `recipe.room`, or None.
        name: names the sample in messages.
        suffix: how the sample is kept; for a lossy `opus` the samples are those that a reader decodes.

    Raises:
        LabelError: a measured value misses its label.
        UnmetLevelError: a noise or an equipment that is silent, or speech that no gain brings to its level.
    """
    if clean.samples.size != recipe.num_samples or clean.sample_rate_hz != recipe.sample_rate_hz:
        raise RoomtoneError(f"{name}: the recipe is for {recipe.num_samples} samples at {recipe.sample_rate_hz} Hz")
    clean = with_effort(clean, recipe.effort_db)
    handset = Handset(recipe, clean, entry, name)
    clean = near_microphone(clean, handset.key, handset.talker_fir())
    stems = mix_stems(recipe, clean, fetch, entry)
    stems = with_reserve(stems, recipe, clean, fetch, entry, handset.reserve_samples)
    output = handset.output(stems)
    levelled = partial(handset.levelled, stems, output)
    file = file_samples(
        output, levelled, level_dbov=recipe.level_dbov, sample_rate_hz=recipe.sample_rate_hz, suffix=suffix
    )
    send = None if handset.processor is None else handset.sent
    parts = separation(output, stems, send, recipe.sample_rate_hz)
    measured = measure(recipe, stems, output, file, parts, entry)
    check_labels(
        name, asked_labels(recipe, handset.processor, entry, file.level_dbov), measured.values, measured.reasons
    )
    return Render(file.pcm, stems, measured.columns(), file.encoded)


def asked_labels(
    recipe: Recipe, processor: Processor | None, entry: RoomEntry | None, level_dbov: float
) -> dict[str, Any]:
    """Return the labels of a render, by the names of `tolerances.TOLERANCES`.

    Args:
        recipe: what was to be rendered.
        processor: its handset, or None.
        entry: the realised room, or None.
        level_dbov: the level of the file, which is the recipe's unless the SNR would not have allowed it.
    """
    codec = {} if processor is None else processor.asked_codec()
    return {
        "snr_db": recipe.snr_db,
        "equipment_snr_db": recipe.equipment_snr_db,
        "level_dbov": level_dbov,
        "asked_delay_samples": 0,
        "asked_codec": codec.get("codec"),
        "asked_codec_rate_hz": codec.get("codec_rate_hz"),
        "t30_s": None if entry is None else entry.t30_s,
    }
