"""What a report says before any number: too few groups or speakers, synthetic speech, coverage lost, what cannot be told apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roomtone.fairness.comparison.compare import Comparison
from roomtone.fairness.scoring.formatting import Formatting
from roomtone.fairness.scoring.score import NO_TRANSCRIPT
from roomtone.fairness.settings import Settings

if TYPE_CHECKING:
    import pandas as pd


#: Speakers of each of two groups below which it is not said, before any number, that they are written differently.
FEWEST_SPEAKERS = 3
#: Names that a sentence lists.
SHOWN = 3
#: Samples of a group that failed from which it is said that most are its own.
FEWEST_FAILED = 5
#: Share of words lost from which a speaker is named as one whom the recogniser fails, where half of the group lose less than half.
FAILS_WHOLLY = 0.9
#: Share of a group's words from which one speaker is named as having most of them.
MOST_WORDS = 0.5


def caveats(
    scores: pd.DataFrame, settings: Settings, comparison: Comparison, formatting: Formatting
) -> tuple[str, ...]:
    """Return what must be said before any number.

    Args:
        scores: one row a sample, with labels.
        settings: of the evaluation.
        comparison: of its groups.
        formatting: what other normalisers would count.
    """
    said = []
    if settings.trust_stored:
        said.append(
            "Stored answers were taken whoever wrote them (trust_stored=true): whoever made the set may have chosen them."
        )
    said += [
        *_people(scores, settings),
        *speech_note(scores),
        *_lost_coverage(scores, settings),
        *_texts(comparison, settings),
    ]
    return tuple([*said, *_units(scores, settings.group), *_formatting(formatting, settings)])


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
    said += [
        *_under_two_names(scores, settings),
        *_one_has_most_words(scores, settings),
        *_failed_wholly(scores, settings),
    ]
    said += _lacking(scores, settings)
    if groups < 2:
        named = f"one {settings.group}" if groups == 1 else f"no {settings.group} at all"
        said.append(f"The set holds {named}, so there is nothing to compare: no claim about {settings.group}s is made.")
    return said


def _under_two_names(scores: pd.DataFrame, settings: Settings) -> list[str]:
    """Return of which speakers the same recording stands under another name too."""
    if "pcm_sha256" not in scores:
        return []
    known = scores.dropna(subset=["pcm_sha256", settings.speaker]).drop_duplicates(["pcm_sha256", settings.speaker])
    twice = known[known.duplicated("pcm_sha256", keep=False)]
    if twice.empty:
        return []
    names = list(dict.fromkeys(twice.sort_values(["pcm_sha256", settings.speaker])[settings.speaker]))
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return [
        f"The same recording stands under several speakers ({', '.join(map(str, names[:SHOWN]))}{more}): a person with two names counts as two, and"
        " intervals are then too narrow."
    ]


def _one_has_most_words(scores: pd.DataFrame, settings: Settings) -> list[str]:
    """Return which groups' words are mostly one speaker's, though several were recorded."""
    said = []
    for name, part in scores.groupby(settings.group):
        words = part.groupby(settings.speaker)["words"].sum()
        share = words.max() / words.sum() if words.sum() else 0.0
        if len(words) >= FEWEST_SPEAKERS and share > MOST_WORDS:
            said.append(
                f"One speaker ({words.idxmax()}) has {100 * share:.0f} % of the words of {name}: its WER is mostly this person's, and says little of"
                " the others."
            )
    return said


def _failed_wholly(scores: pd.DataFrame, settings: Settings) -> list[str]:
    """Return of which speakers nearly no word was recognised, though most of their group's words were."""
    kinds = [settings.group, settings.speaker]
    counts = scores.assign(_lost=scores["substitutions"] + scores["deletions"]).groupby(kinds)[["_lost", "words"]].sum()
    share = (counts["_lost"] / counts["words"]).dropna()
    usual = share.groupby(level=0).transform("median")
    failed = share[(share >= FAILS_WHOLLY) & (usual < 0.5)]
    if failed.empty:
        return []
    names = ", ".join(f"{who} of {name}" for name, who in failed.index[:SHOWN])
    more = f" and {len(failed) - SHOWN} more" if len(failed) > SHOWN else ""
    return [
        f"Nearly every word of {names}{more} is lost, unlike those of most speakers of the same {settings.group}: listen to these recordings first."
    ]


def _lacking(scores: pd.DataFrame, settings: Settings) -> list[str]:
    """Return which groups have no sample in a condition that others have."""
    import pandas as pd

    counts = pd.crosstab(scores[settings.group], scores[settings.condition])
    empty = [(name, condition) for name, row in counts.iterrows() for condition, count in row.items() if not count]
    if not empty:
        return []
    names = ", ".join(f"{name} in {condition}" for name, condition in empty[:SHOWN])
    more = f" and {len(empty) - SHOWN} more pairs" if len(empty) > SHOWN else ""
    return [
        f'There is no sample of {names}{more}: "over all conditions" leaves them out, and such a mean may be of milder conditions than that of others.'
    ]


def speech_note(scores: pd.DataFrame) -> list[str]:
    """Return what synthetic speech cannot show; nothing where all of it is recorded.

    Args:
        scores: one row a sample, with labels.
    """
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


def _lost_coverage(scores: pd.DataFrame, settings: Settings) -> list[str]:
    said = []
    silent, lost = scores["reason"] == NO_TRANSCRIPT, unanswered(scores)
    if silent.any():
        said.append(
            f"{int(silent.sum())} of {len(scores)} samples have no transcript and are in no rate: coverage that is lost. Only a transcript that is"
            " stated and empty is silence."
        )
    if lost.any():
        failed = scores.loc[lost, "reason"]
        most, whose = failed.value_counts(), mostly_of(scores, settings.group)
        whose = f", of {whose}" if whose else ""
        said.append(
            f"{len(failed)} of {len(scores)} samples have no hypothesis and are not in any rate; most often: {most.index[0]}"
            f" ({most.iloc[0]} times){whose}. A recogniser that fails where it is hard looks better than it is."
        )
    empty = int((scores["words"] == 0).sum())
    if empty:
        said.append(f"{empty} samples have an empty reference: their hypotheses count as insertions over no words.")
    return said


def unanswered(scores: pd.DataFrame) -> pd.Series:
    """Return which samples have a transcript and no hypothesis.

    Args:
        scores: one row a sample, with `reason`.
    """
    found: pd.Series = scores["reason"].notna() & (scores["reason"] != NO_TRANSCRIPT)
    return found


def mostly_of(scores: pd.DataFrame, group: str) -> str:
    """Return whose samples were not answered at least twice as often as all others', or nothing.

    Args:
        scores: one row a sample, with labels and `reason`.
        group: the column of groups.
    """
    counts = unanswered(scores).groupby(scores[group]).agg(["sum", "size"])
    rest = counts.sum() - counts
    counts = counts.assign(share=counts["sum"] / counts["size"], other=rest["sum"] / rest["size"])
    clear = counts[(counts["sum"] >= FEWEST_FAILED) & (counts["share"] >= 2 * counts["other"])]
    if clear.empty:
        return ""
    worst = clear.sort_values("share").iloc[-1]
    return f"{worst.name} in {100 * worst['share']:.0f} % of its samples, of all others in {100 * worst['other']:.0f} %"


def _texts(comparison: Comparison, settings: Settings) -> list[str]:
    names = comparison.facts["confounded"]
    if not names:
        return []
    return [
        f"{settings.group.capitalize()} and text cannot be told apart for {', '.join(names)}: at least half of their words are in texts that no other"
        f" {settings.group} reads. Intervals take those texts for a random sample, and are wider for it; harder texts would look like a gap all"
        " the same."
    ]


def formatting_note(formatting: Formatting, group: str) -> str | None:
    """Return how differently the recogniser writes the groups and whether that counts as errors; None where it does not differ.

    Args:
        formatting: what other normalisers would count.
        group: what groups are called.
    """
    if formatting.differs is None:
        return None
    most, least = (_written(formatting, name) for name in formatting.differs)
    costs = (
        "The normaliser used here counts them as different, so they are scored as errors."
        if formatting.errors[formatting.chosen] > formatting.errors["spoken_english"]
        else "The normaliser used here counts digits and the words for them as equal (8 and eight); units and abbreviations that it does not know are scored"
        " as errors."
    )
    return (
        f"Figures, contractions or spellings are written otherwise than in the transcript in {most}, against {least}: the recogniser may write"
        f" {group}s differently. {costs}"
    )


def _written(formatting: Formatting, name: str) -> str:
    found, samples, people = formatting.counts[name]
    return f"{found} of {samples} samples of {name} ({people} speaker{'s' * (people != 1)})"


def _formatting(formatting: Formatting, settings: Settings) -> list[str]:
    """Return the note, last of all, where enough speakers are behind it to be more than a habit of one."""
    note = formatting_note(formatting, settings.group)
    few = min((formatting.counts[name][2] for name in formatting.differs or ()), default=0) < FEWEST_SPEAKERS
    return [] if note is None or few else [note]


def _units(scores: pd.DataFrame, group: str) -> list[str]:
    counted = scores.loc[scores["unit"] == "character"] if "unit" in scores else scores.iloc[:0]
    if counted.empty:
        return []
    languages = sorted(set(counted["language"].dropna())) if "language" in counted else []
    said = [
        f"{len(counted)} samples are in a language written without spaces ({', '.join(map(str, languages))}): they are counted in characters, and"
        ' "words" and "WER" mean characters and CER there.'
    ]
    if scores.dropna(subset="unit").groupby(group)["unit"].agg(frozenset).nunique() > 1:
        said.append(
            f"Some {group}s are counted in characters and others in words: a gap between such {group}s, or with all others where those hold both,"
            " compares two units and does not say who is worse off: none is claimed. Evaluate each language apart."
        )
    return said
