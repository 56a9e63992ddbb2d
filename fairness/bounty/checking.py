"""What the other side does with a folder: asks the recogniser again for a share of it, and measures the claim on speakers of its own."""

from __future__ import annotations

import json
import math
import shlex
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from roomtone.core.dataset.manifest import read_manifest
from roomtone.core.errors import RoomtoneError
from roomtone.fairness.bounty.claim import Terms
from roomtone.fairness.bounty.handover import Handed
from roomtone.fairness.bounty.ruling import Ruling, rule, scores_of
from roomtone.fairness.recognisers import public_identity
from roomtone.fairness.recognisers.transcription import transcribe

if TYPE_CHECKING:
    import pandas as pd

#: Chance of calling an honest folder of an unchanged recogniser forged.
LEVEL = 0.001
#: Where a recogniser is reached may differ between the claimant and its maker.
_ADDRESSES = ("url", "command")


@dataclass(frozen=True)
class AskedAgain:
    """Recordings of the folder that were sent twice more.

    Of three texts of one recording two may be the same. If all three came from one recogniser, the third is as likely any of them, so that of all
    such recordings the folder's text is the odd one in a third.

    Attributes:
        asked: with an answer each time.
        folder_odd: whose two new texts are the same, and the folder's is another.
        new_odd: of whose two new texts one is the folder's.
    """

    asked: int
    folder_odd: int
    new_odd: int

    @property
    def p(self) -> float:
        """Return the chance that the folder's text is so often the odd one (binomial, one third)."""
        n = self.folder_odd + self.new_odd
        return sum(math.comb(n, k) * 2 ** (n - k) for k in range(self.folder_odd, n + 1)) / 3**n

    @property
    def forged(self) -> bool:
        """Return whether the folder's answers are not this recogniser's."""
        return self.p < LEVEL

    def __str__(self) -> str:
        return (
            f"of {self.asked} recordings asked again twice, the folder alone has another text for {self.folder_odd}, one of the new answers for"
            f" {self.new_odd} (p = {self.p:.2g}; forged below {LEVEL:g})"
        )


def ask_again(handed: Handed, asr: Mapping[str, Any], *, share: float, seed: int) -> AskedAgain:
    """Return what the recogniser says to a share of the folder's recordings, half of them of the group.

    Args:
        handed: the folder.
        asr: settings of the recogniser.
        share: of the recordings, above 0 to 1.
        seed: which ones; whoever wrote the folder must not know it beforehand.

    Raises:
        RoomtoneError: another recogniser, a folder without recordings, or none that got an answer.
    """
    check_recogniser(handed.terms, asr)
    if not 0 < share <= 1:
        raise RoomtoneError(f"share: of the recordings, above 0 to 1, got {share:g}")
    if not (handed.folder / "set" / "audio").is_dir():
        raise RoomtoneError(
            f"{handed.folder}: holds no recordings, so the recogniser cannot be asked again; share=0 leaves that out"
        )
    rows = _some(handed, share, np.random.default_rng(seed))
    with tempfile.TemporaryDirectory(prefix="roomtone-") as store:
        first, second = (transcribe(rows, handed.folder / "set", asr, Path(store) / part) for part in ("1", "2"))
    texts = [
        (handed.heard[name], one, two)
        for name, one, two in zip(first["sample_id"], first["hypothesis"], second["hypothesis"])
    ]
    known = [three for three in texts if all(isinstance(text, str) for text in three)]
    if not known:
        raise RoomtoneError(
            f"the recogniser gave no answer to any of {len(rows)} recordings: {first['reason'].iloc[0]}"
        )
    folder_odd = sum(stated != one == two for stated, one, two in known)
    return AskedAgain(len(known), folder_odd, sum(one != two and stated in (one, two) for stated, one, two in known))


def _some(handed: Handed, share: float, rng: np.random.Generator) -> pd.DataFrame:
    """Return recordings with an answer, drawn from both sides alike."""
    heard = handed.heard
    rows = handed.rows[[isinstance(heard.get(name), str) for name in handed.rows["sample_id"]]].reset_index(drop=True)
    of_group = handed.terms.claim.of_group(rows)
    wanted = math.ceil(share * len(rows))
    own = min(int(of_group.sum()), max(wanted - int((~of_group).sum()), math.ceil(wanted / 2)))
    chosen = [
        rng.choice(np.flatnonzero(side), count, replace=False)
        for side, count in ((of_group, own), (~of_group, wanted - own))
    ]
    return rows.iloc[np.sort(np.concatenate(chosen))]


def check_recogniser(terms: Terms, asr: Mapping[str, Any]) -> None:
    """Refuse another recogniser than the one that is meant; where it is reached may differ.

    Args:
        terms: which name it.
        asr: settings.

    Raises:
        RoomtoneError: says which settings differ.
    """
    own = json.loads(json.dumps(public_identity(asr), default=str))
    keys = sorted({*own, *terms.recogniser} - set(_ADDRESSES))
    differing = [
        f"{key} {terms.recogniser.get(key)!r}, here {own.get(key)!r}"
        for key in keys
        if own.get(key) != terms.recogniser.get(key)
    ]
    if differing:
        stated = {key: value for key, value in terms.recogniser.items() if value is not None and key != "recogniser"}
        if own.get("recogniser") == terms.recogniser.get("recogniser"):
            stated = {key: value for key, value in stated.items() if value != own.get(key)}
        words = [f"asr={terms.recogniser.get('recogniser')}", *(f"asr.{key}={value}" for key, value in stated.items())]
        raise RoomtoneError(f"the claim is about another recogniser: {'; '.join(differing)}; type {shlex.join(words)}")


def on_other_speakers(
    handed: Handed, dataset: Path, asr: Mapping[str, Any], *, progress: bool = False
) -> tuple[Ruling, int]:
    """Return what another set says of the claim, and how many recordings were left out because their speakers are in the folder.

    Args:
        handed: the folder.
        dataset: a set with recordings in the claim's condition; each is sent anew, since answers that lie in the set may be of an earlier state of the
            recogniser.
        asr: settings of the recogniser.
        progress: show progress on standard error.

    Raises:
        RoomtoneError: another recogniser, or a set without the condition, the group or other speakers.
    """
    check_recogniser(handed.terms, asr)
    claim = handed.terms.claim
    rows = read_manifest(dataset)
    held = claim.in_condition(rows)
    if not held.any():
        raise RoomtoneError(
            f"{dataset}: none of its {len(rows)} recordings has the condition {claim.place}; generate it first"
        )
    known = set(zip(handed.rows["corpus"], handed.rows["speaker"]))
    seen = np.array([pair in known for pair in zip(rows["corpus"], rows["speaker"])], dtype=bool)
    part = rows[held & ~seen & rows["speaker"].notna().to_numpy()].reset_index(drop=True)
    if part.empty:
        raise RoomtoneError(f"{dataset}: all its speakers are in the folder, too; the claim is checked on others")
    with tempfile.TemporaryDirectory(prefix="roomtone-") as store:
        answers = transcribe(part, dataset, asr, store, progress=progress)
    heard = {
        name: text if isinstance(text, str) else None for name, text in zip(answers["sample_id"], answers["hypothesis"])
    }
    return rule(claim, scores_of(part, heard, handed.terms.normalizer), alpha=handed.terms.alpha), int(
        (held & seen).sum()
    )
