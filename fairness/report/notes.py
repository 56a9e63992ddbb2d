"""What a report says before any number: too few groups or speakers, synthetic speech, coverage lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roomtone.fairness.settings import Settings

if TYPE_CHECKING:
    import pandas as pd


def notes(scores: pd.DataFrame, settings: Settings) -> tuple[str, ...]:
    """Return what must be said before any number: too few groups or speakers, synthetic speech, coverage lost."""
    said = []
    groups = scores[settings.group].dropna().nunique()
    people = scores[settings.speaker].dropna().nunique()
    if people == 0:
        said.append("The speakers are not known: rates are shown, but no interval and no claim about any group.")
    elif people == 1:
        said.append(
            "There is one speaker: whatever differs may be this person, and nothing can be said about any group."
        )
    if groups < 2:
        named = f"one {settings.group}" if groups == 1 else f"no {settings.group} at all"
        said.append(f"The set holds {named}, so there is nothing to compare: no claim about {settings.group}s is made.")
    if "speech_origin" in scores and (scores["speech_origin"] == "synthetic").any():
        share = (scores["speech_origin"] == "synthetic").mean()
        which = "All" if share == 1 else f"{100 * share:.0f} % of"
        said.append(
            f"{which} of this speech is synthetic: the figures prove that the pipeline works, not how this recogniser treats people."
            if share == 1
            else f"{which} this speech is synthetic, and says nothing about how this recogniser treats people."
        )
    failed = scores["reason"].dropna()
    if len(failed):
        most = failed.value_counts()
        said.append(
            f"{len(failed)} of {len(scores)} samples have no hypothesis and are not in any rate; most often: {most.index[0]}"
            f" ({most.iloc[0]} times). A recogniser that fails where it is hard looks better than it is."
        )
    empty = int((scores["words"] == 0).sum())
    if empty:
        said.append(f"{empty} samples have an empty reference: their hypotheses count as insertions over no words.")
    return tuple(said)
