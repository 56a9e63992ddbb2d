"""Prints how often the subgroup search names what is not there, and how often it finds what is, by simulation.

    python -P bench/fairness_search.py [SETS]

A set: 12 accents (sd 0.7 in log odds) of 4 speakers (sd 0.4, by condition 0.3) with 3 sentences of 6 to 12 words each, clean and seven
conditions; columns accent, condition, room, noise and an attribute. `Searched` says what else there is that no slice should be named for. A
planted handicap raises one accent's WER in one condition to 85 % of what the recogniser can lose.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
import pandas as pd

from roomtone.fairness import find_subgroups


@dataclass(frozen=True)
class Searched:
    """What a search must not mistake for an excess; sds in log odds."""

    ceiling: float = 1.0
    sentence_condition: float = 0.0
    accent_condition: float = 0.0
    accent_room: float = 0.0
    voice_condition: float = 0.0
    speakers: int = 4
    all_read_alike: bool = False


WORLDS = {
    "nothing else": Searched(),
    "a ceiling of 80 %": Searched(ceiling=0.8),
    "a ceiling of 95 %": Searched(ceiling=0.95),
    "sentences by condition, sd 0.6": Searched(sentence_condition=0.6),
    "accents by condition and room, sd 0.15 each": Searched(accent_condition=0.15, accent_room=0.15),
    "all of these": Searched(0.9, 0.6, 0.1, 0.1),
    "all of these, 8 speakers, sentences at random": Searched(0.9, 0.6, 0.1, 0.1, speakers=8, all_read_alike=True),
    "four voices in all, by condition, sd 0.3": Searched(voice_condition=0.3),
}
CONDITIONS, SENTENCES, READ = 8, 12, 3
ROOMS, NOISES = np.arange(CONDITIONS) % 3, np.arange(CONDITIONS) // 3


def searched(rng: np.random.Generator, world: Searched, planted: int | None = None) -> pd.DataFrame:
    """Return the scores of one set; `planted` is the condition that handicaps the fourth accent."""
    hurt = np.array([-1.8, *np.linspace(-1.2, 1.6, CONDITIONS - 1)])
    by_sentence = rng.normal(0, world.sentence_condition, (SENTENCES, CONDITIONS))
    by_voice = rng.normal(0, world.voice_condition, (world.speakers, CONDITIONS))
    parts = []
    for accent in range(12):
        own = hurt + rng.normal(0, 0.7) + rng.normal(0, world.accent_condition, CONDITIONS)
        own = own + rng.normal(0, world.accent_room, 3)[ROOMS]
        for voice in range(world.speakers):
            read = (READ * voice + np.arange(READ)) % SENTENCES
            if world.all_read_alike:
                read = rng.choice(SENTENCES, READ, replace=False)
            x = own + by_voice[voice] + rng.normal(0, 0.4) + rng.normal(0, 0.3, CONDITIONS) + by_sentence[read]
            share = world.ceiling / (1 + np.exp(-x))
            if planted is not None and accent == 3:
                share[:, planted] = np.maximum(share[:, planted], 0.85 * world.ceiling)
            words = np.broadcast_to((6 + read % 7)[:, None], share.shape)
            at = np.broadcast_to(np.arange(CONDITIONS), share.shape).ravel()
            parts.append(pd.DataFrame({
                "accent": f"a{accent}", "speaker": f"a{accent}-{voice}", "attr_gender": "mf"[2 * voice // world.speakers],
                "condition": [f"c{c}" if c else "clean" for c in at], "room": ROOMS[at].astype(str), "noise": NOISES[at].astype(str),
                "text": np.repeat(read, CONDITIONS).astype(str), "errors": rng.binomial(words, share).ravel(), "words": words.ravel(),
            }))  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def false_names(world: Searched, searches: int, columns: list[str] | None = None) -> float:
    """Return the share of searches that name any slice where none was planted."""
    return float(
        np.mean(
            [find_subgroups(searched(np.random.default_rng(k), world), columns)["named"].any() for k in range(searches)]
        )
    )


def found_first(world: Searched, searches: int, planted: int) -> float:
    """Return the share of searches that name the planted slice, as it is and before any other."""
    slices = f"accent = a3 and condition = c{planted}"
    tops = [find_subgroups(searched(np.random.default_rng(k), world, planted)).iloc[0] for k in range(searches)]
    return float(np.mean([bool(top["named"]) and top["slice"] == slices for top in tops]))


def print_searches(searches: int) -> None:
    """Print how often the subgroup search names what is not there, and finds what is."""
    print(f"\nSubgroup search, {searches} sets: any slice named where none was planted; a handicap named first")
    print(f"{'':46} {'all columns':>12} {'two columns':>12} | {'33 to 85 %':>11} {'65 to 85 %':>11}")
    for name, world in WORLDS.items():
        false = [false_names(world, searches, columns) for columns in (None, ["accent", "condition"])]
        found = [found_first(world, searches, planted) for planted in (2, 5)]
        print(f"{name:46} {false[0]:12.3f} {false[1]:12.3f} | {found[0]:11.2f} {found[1]:11.2f}", flush=True)


if __name__ == "__main__":
    print_searches(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
