"""What a report says before any number: too few groups or speakers, synthetic speech, coverage lost, what cannot be told apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roomtone.fairness.comparison.compare import Comparison
from roomtone.fairness.scoring.formatting import Formatting
from roomtone.fairness.scoring.score import NO_TRANSCRIPT
from roomtone.fairness.settings import Settings

if TYPE_CHECKING:
    import pandas as pd


def notes(scores: pd.DataFrame, settings: Settings, comparison: Comparison, formatting: Formatting) -> tuple[str, ...]:
    """Return what must be said before any number.

    Args:
        scores: one row a sample, with labels.
        settings: of the evaluation.
        comparison: of its groups.
        formatting: what other normalisers would count.
    """
    said = [*_people(scores, settings), *_speech(scores), *_lost_coverage(scores), *_texts(comparison, settings)]
    return tuple([*said, *_formatting(formatting, settings), *_units(scores)])


def _people(scores: pd.DataFrame, settings: Settings) -> list[str]:
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
    return said


def _speech(scores: pd.DataFrame) -> list[str]:
    if "speech_origin" not in scores or not (scores["speech_origin"] == "synthetic").any():
        return []
    share = (scores["speech_origin"] == "synthetic").mean()
    if share == 1:
        return [
            "All of this speech is synthetic: the figures prove that the pipeline works, not how this recogniser treats people."
        ]
    return [
        f"{100 * share:.0f} % of this speech is synthetic, and says nothing about how this recogniser treats people."
    ]


def _lost_coverage(scores: pd.DataFrame) -> list[str]:
    said = []
    silent = scores["reason"] == NO_TRANSCRIPT
    if silent.any():
        said.append(
            f"{int(silent.sum())} of {len(scores)} samples have no transcript and are in no rate: coverage that is lost. Only a transcript that is"
            " stated and empty is silence."
        )
    failed = scores.loc[~silent, "reason"].dropna()
    if len(failed):
        most = failed.value_counts()
        said.append(
            f"{len(failed)} of {len(scores)} samples have no hypothesis and are not in any rate; most often: {most.index[0]}"
            f" ({most.iloc[0]} times). A recogniser that fails where it is hard looks better than it is."
        )
    empty = int((scores["words"] == 0).sum())
    if empty:
        said.append(f"{empty} samples have an empty reference: their hypotheses count as insertions over no words.")
    return said


def _texts(comparison: Comparison, settings: Settings) -> list[str]:
    names = comparison.facts["confounded"]
    if not names:
        return []
    return [
        f"{settings.group.capitalize()} and text cannot be told apart for {', '.join(names)}: at least half of their words are in texts that no other"
        f" {settings.group} reads. Intervals take those texts for a random sample, and are wider for it; harder texts would look like a gap all"
        " the same."
    ]


def _formatting(formatting: Formatting, settings: Settings) -> list[str]:
    if formatting.differs is None:
        return []
    most, least = formatting.differs
    shares = [f"{100 * formatting.by_group[name]:.0f} % of the samples of {name}" for name in (most, least)]
    costs = (
        "it is scored as errors"
        if formatting.errors[formatting.chosen] > formatting.errors["spoken_english"]
        else "it costs nothing"
    )
    return [
        f"The recogniser writes {settings.group}s differently: in {shares[0]} against {shares[1]} figures, contractions or spellings differ from the"
        f" transcript's. With the normaliser {formatting.chosen} {costs}."
    ]


def _units(scores: pd.DataFrame) -> list[str]:
    counted = scores.loc[scores["unit"] == "character"] if "unit" in scores else scores.iloc[:0]
    if counted.empty:
        return []
    languages = sorted(set(counted["language"].dropna())) if "language" in counted else []
    return [
        f"{len(counted)} samples are in a language written without spaces ({', '.join(map(str, languages))}): they are counted in characters, and"
        ' "words" and "WER" mean characters and CER there.'
    ]
