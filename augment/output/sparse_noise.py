"""Noises that sound in little of the renders that name them: an SNR over the whole file is then a louder noise in less of the speech."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

#: Columns of the manifest that the sentences are made from.
COLUMNS = ("noise", "noise_sounding_share")
#: Below this share of a render a noise is said to sound in little of it.
_LITTLE = 0.5


def sparse_noises(rows: pd.DataFrame) -> list[str]:
    """Return a sentence for each noise level that sounds in less than half of a typical render.

    Args:
        rows: of the manifest, with `COLUMNS`; null where no noise sounds or its share was not measured.

    >>> import pandas
    >>> sparse_noises(pandas.DataFrame({"noise": ["dogs@5dB"] * 3, "noise_sounding_share": [0.3, 0.4, 0.9]}))
    ['noise dogs@5dB sounds in 40 % of a render (median of 3, from 30 % to 90 %): its SNR is over the whole render, so it is louder \
while it sounds, and some of the speech is heard without it']
    """
    found = []
    for level, shares in rows.dropna(subset="noise_sounding_share").groupby("noise")["noise_sounding_share"]:
        if shares.median() < _LITTLE:
            found.append(
                f"noise {level} sounds in {100 * shares.median():.0f} % of a render (median of {len(shares):,}, "
                f"from {100 * shares.min():.0f} % to {100 * shares.max():.0f} %): its SNR is over the whole render, so it is louder "
                "while it sounds, and some of the speech is heard without it"
            )
    return found
