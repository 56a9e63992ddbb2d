"""Croissant's `rai:` fields (vocabulary RAI 1.0 of MLCommons): how a set came about, what it may be used for, and what it cannot show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

RAI_CONFORMS_TO = "http://mlcommons.org/croissant/RAI/1.0"

#: What no set of this kind shows, in the card and in the metadata.
LIMITS = (
    "Rooms, noises, equipment and handsets are simulated; a condition stands for a kind of place and not for one place.",
    "Accents and other attributes are those that the corpora state, self-reported only where a corpus says so; none is inferred.",
    "More renders of the same speakers do not make a claim about a group firmer: speakers do.",
)
SYNTHETIC_LIMIT = "Some or all of the speech is synthetic. Synthetic accents prove the pipeline; they say nothing about how a recogniser treats people."


def limits(origins: set[str]) -> list[str]:
    """Return what a set cannot show.

    Args:
        origins: values of `speech_origin` in it.
    """
    return [*LIMITS, *([SYNTHETIC_LIMIT] if "synthetic" in origins else [])]


def rai_fields(
    runs: Sequence[Mapping[str, Any]], origins: set[str], uneven: Sequence[str], attributes: Sequence[str]
) -> dict[str, Any]:
    """Return the fields.

    Args:
        runs: of `dataset.json`.
        origins: values of `speech_origin` in the set.
        uneven: what is unevenly spread, as `imbalances` says it.
        attributes: names of the attributes that the corpora state of their speakers.
    """
    corpora = sorted({str(run["config"]["corpus"].get("name") or run["config"]["corpus"]["reader"]) for run in runs})
    scenarios = sorted({str(run["config"]["scenario"]["name"]) for run in runs})
    planned = sum(run.get("counts", {}).get("planned", 0) for run in runs)
    rejected = sum(run.get("counts", {}).get("rejected", 0) for run in runs)
    named = f" ({', '.join(attributes)})" if attributes else ""
    return {
        "rai:dataCollection": (
            f"Speech of the corpora {', '.join(corpora)} was rendered by Roomtone under the conditions of {', '.join(scenarios)}. "
            "How the speech itself was collected is stated by those corpora."
        ),
        "rai:dataCollectionType": ["Secondary Data Analysis", *(["Software Collection"] if "synthetic" in origins else [])],
        "rai:dataCollectionMissingData": (
            f"{rejected:,} of {planned:,} planned samples were rejected, each with its reason in `rejected/`; a value that could not be "
            "measured is null, with its reason in the column `unmeasured`."
        ),
        "rai:dataPreprocessingProtocol": [
            "Recordings are resampled, freed of DC and of what lies below 20 Hz, and brought to one active speech level (ITU-T P.56).",
            "Room, noise, equipment and handset are applied with drawn numbers; the column `recipe` holds every one of them.",
        ],
        "rai:dataAnnotationProtocol": (
            f"Accents and attributes of speakers{named} are those that the corpus states, self-reported where it says so; none is "
            "inferred or imputed. `accent_raw` keeps the corpus's own words. Labels of acoustic conditions were measured on each file."
        ),
        "rai:machineAnnotationTools": sorted({f"roomtone {run['versions'].get('roomtone', '')}".strip() for run in runs}),
        "rai:dataBiases": list(uneven),
        "rai:dataLimitations": limits(origins),
        "rai:dataUseCases": [
            "Testing: whether a speech recogniser fails some accents more than others under acoustic conditions.",
            "Not meant for: training, identifying speakers, or guessing anybody's accent or origin.",
        ],
        "rai:personalSensitiveInformation": (
            [f"Voices of people, with stated accents and attributes{named}: keep to what their corpora allow."]
            if "recorded" in origins or not origins
            else [f"Synthetic voices with labels{named}; no person speaks."]
        ),
    }  # fmt: skip
