"""Prints whether the intervals, tests and detectable sizes of `roomtone.fairness` keep their promises, by simulation.

    python -P bench/fairness_calibration.py [STUDIES]

A study: accents x speakers x conditions, WER 6 % clean and 14 % in noise, speakers differing by a log-normal factor (sd 0.35) and
speaker x condition (sd 0.25), 3 to 11 utterances of 12 words each; the same utterances in every condition. `tests/fairness` holds
the same figures to their bounds.

The subgroup search: 12 accents (sd 0.7 in log odds) of 4 speakers (sd 0.4, by condition 0.3) with 3 sentences of 6 to 12 words each, clean and
seven conditions; columns accent, condition, room, noise and an attribute. `World` says what else there is that no slice should be
named for. A planted handicap raises one accent's WER in one condition to 85 % of what the recogniser can lose.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
import pandas as pd

from roomtone.fairness import find_subgroups
from roomtone.fairness.comparison.intervals import (
    Estimate,
    GroupEstimates,
    benjamini_hochberg,
    group_estimates,
    holm,
    resample_weights,
)

CLEAN, NOISY, DID = 0.06, 0.14, 0.05
SPEAKER_SD, SPEAKER_CONDITION_SD = 0.35, 0.25


@dataclass(frozen=True)
class Studies:
    """Counts of many studies of one accent [shape=(studies, speakers, conditions)]; condition 0 is clean."""

    errors: np.ndarray
    words: np.ndarray

    def estimates(self) -> tuple[Estimate, Estimate]:
        """Return the rate and its change from clean, jackknifed over speakers."""
        found = self.all_estimates()
        return found.rate, found.change

    def all_estimates(self) -> GroupEstimates:
        """Return every statistic of this accent, jackknifed over speakers."""
        base = np.broadcast_to(self.errors[..., :1], self.errors.shape)
        base_words = np.broadcast_to(self.words[..., :1], self.words.shape)
        return group_estimates(self.errors, self.words, base, base_words)


def simulate(rng: np.random.Generator, rates: tuple[float, ...], studies: int, speakers: int) -> Studies:
    """Return the counts of one accent whose true WERs are `rates`."""
    shape = (studies, speakers, len(rates))
    effect = rng.normal(0, SPEAKER_SD, shape[:2])[..., None] + rng.normal(0, SPEAKER_CONDITION_SD, shape)
    level = np.asarray(rates) * np.exp(effect - (SPEAKER_SD**2 + SPEAKER_CONDITION_SD**2) / 2)
    words = np.broadcast_to(12 * rng.integers(3, 12, shape[:2])[..., None], shape)
    return Studies(rng.binomial(words, np.minimum(level, 1.0)).astype(float), words.astype(float))


def share_covered(low: np.ndarray, high: np.ndarray, truth: float) -> float:
    """Return the share of intervals that hold the truth."""
    return float(((low <= truth) & (truth <= high)).mean())


def coverage(rng: np.random.Generator, studies: int, speakers: int) -> dict[str, float]:
    """Return the share of 95 % intervals that hold the true gap and the true DiD, by three methods."""
    a = simulate(rng, (CLEAN, NOISY), studies, speakers)
    b = simulate(rng, (CLEAN, NOISY + DID), studies, speakers)
    (rate_a, change_a), (rate_b, change_b) = a.estimates(), b.estimates()
    gap, did = rate_b.minus(rate_a), change_b.minus(change_a)
    found = {
        "wer": share_covered(*(np.exp(bound[:, 1]) for bound in a.all_estimates().log_rate.interval()), NOISY),
        "gap": share_covered(*(bound[:, 1] for bound in gap.interval()), DID),
        "did": share_covered(*(bound[:, 1] for bound in did.interval()), DID),
    }
    found["did bootstrap"] = share_covered(*_bootstrap_did(rng, a, b), DID)
    found["did iid"] = share_covered(*_independent_did(a, b), DID)
    return found


def _bootstrap_did(
    rng: np.random.Generator, a: Studies, b: Studies, resamples: int = 1000
) -> tuple[np.ndarray, np.ndarray]:
    changes = []
    for side in (a, b):
        weights = resample_weights(side.errors.shape[1], resamples, rng).astype(float)
        errors = np.einsum("rs,ksc->rkc", weights, side.errors)
        words = np.einsum("rs,ksc->rkc", weights, side.words)
        rates = errors / words
        chosen = rng.integers(0, len(rates), resamples)
        changes.append((rates[..., 1] - rates[..., 0])[chosen])
    low, high = np.quantile(changes[1] - changes[0], [0.025, 0.975], axis=0)
    return low, high


def _independent_did(a: Studies, b: Studies) -> tuple[np.ndarray, np.ndarray]:
    value, variance = 0.0, 0.0
    for sign, side in ((-1, a), (1, b)):
        errors, words = side.errors.sum(1), side.words.sum(1)
        rates = errors / words
        value = value + sign * (rates[:, 1] - rates[:, 0])
        variance = variance + (rates * (1 - rates) / words).sum(-1)
    return value - 1.96 * np.sqrt(variance), value + 1.96 * np.sqrt(variance)


def grid_p_values(
    rng: np.random.Generator, studies: int, speakers: int, extra: dict[tuple[int, int], float]
) -> np.ndarray:
    """Return the p of a whole grid, each of five accents against a sixth [shape=(studies, 5 * conditions)].

    Column 0 of each accent is its gap in clean, the others its DiD. `extra` adds to the WER of (accent, condition).
    """
    rates = (CLEAN, NOISY, 0.10, 0.20)
    reference = simulate(rng, rates, studies, speakers).estimates()
    columns = []
    for accent in range(5):
        own = tuple(rate + extra.get((accent, c), 0.0) for c, rate in enumerate(rates))
        rate, change = simulate(rng, own, studies, speakers).estimates()
        gap, did = rate.minus(reference[0]).p_value(), change.minus(reference[1]).p_value()
        columns += [gap[:, :1], did[:, 1:]]
    return np.concatenate(columns, axis=1)


def false_findings(rng: np.random.Generator, studies: int, speakers: int) -> tuple[float, float, float]:
    """Return the family-wise error under no gap (Holm), and BH's false discovery rate without and with true gaps."""
    null = grid_p_values(rng, studies, speakers, {})
    fwer = float((np.apply_along_axis(holm, 1, null) <= 0.05).any(axis=1).mean())
    fdr_null = float((np.apply_along_axis(benjamini_hochberg, 1, null) <= 0.05).any(axis=1).mean())
    true = {(0, 1): 0.12, (1, 2): 0.12, (2, 3): 0.15}
    found = np.apply_along_axis(benjamini_hochberg, 1, grid_p_values(rng, studies, speakers, true)) <= 0.05
    real = np.zeros(found.shape[1], dtype=bool)
    real[[4 * accent + condition for accent, condition in true]] = True
    return fwer, fdr_null, float((found & ~real).sum(1).__truediv__(np.maximum(found.sum(1), 1)).mean())


def power(rng: np.random.Generator, studies: int, speakers: int, tests: int) -> tuple[float, float]:
    """Return the stated detectable DiD (median over studies that have it) and how often it is found at 0.05 / tests."""
    planted = 0.05
    for _ in range(6):
        change_a = simulate(rng, (CLEAN, NOISY), studies, speakers).estimates()[1]
        change_b = simulate(rng, (CLEAN, NOISY + planted), studies, speakers).estimates()[1]
        did = change_b.minus(change_a)
        stated = float(np.median(did.detectable(0.05 / tests)[:, 1]))
        if abs(stated - planted) < 0.01 * planted:
            break
        planted = stated
    return planted, float((did.p_value()[:, 1] <= 0.05 / tests).mean())


@dataclass(frozen=True)
class World:
    """What a search must not mistake for an excess; sds in log odds."""

    ceiling: float = 1.0
    sentence_condition: float = 0.0
    accent_condition: float = 0.0
    accent_room: float = 0.0
    voice_condition: float = 0.0
    speakers: int = 4
    all_read_alike: bool = False


WORLDS = {
    "nothing else": World(),
    "a ceiling of 80 %": World(ceiling=0.8),
    "a ceiling of 95 %": World(ceiling=0.95),
    "sentences by condition, sd 0.6": World(sentence_condition=0.6),
    "accents by condition and room, sd 0.15 each": World(accent_condition=0.15, accent_room=0.15),
    "all of these": World(0.9, 0.6, 0.1, 0.1),
    "all of these, 8 speakers, sentences at random": World(0.9, 0.6, 0.1, 0.1, speakers=8, all_read_alike=True),
    "four voices in all, by condition, sd 0.3": World(voice_condition=0.3),
}
CONDITIONS, SENTENCES, READ = 8, 12, 3
ROOMS, NOISES = np.arange(CONDITIONS) % 3, np.arange(CONDITIONS) // 3


def searched(rng: np.random.Generator, world: World, planted: int | None = None) -> pd.DataFrame:
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


def false_names(world: World, searches: int, columns: list[str] | None = None) -> float:
    """Return the share of searches that name any slice where none was planted."""
    return float(
        np.mean(
            [find_subgroups(searched(np.random.default_rng(k), world), columns)["named"].any() for k in range(searches)]
        )
    )


def found_first(world: World, searches: int, planted: int) -> float:
    """Return the share of searches that name the planted slice, as it is and before any other."""
    slices = f"accent = a3 and condition = c{planted}"
    tops = [find_subgroups(searched(np.random.default_rng(k), world, planted)).iloc[0] for k in range(searches)]
    return float(np.mean([bool(top["named"]) and top["slice"] == slices for top in tops]))


def print_search(searches: int) -> None:
    """Print how often the subgroup search names what is not there, and finds what is."""
    print(f"\nSubgroup search, {searches} sets: any slice named where none was planted; a handicap named first")
    print(f"{'':46} {'all columns':>12} {'two columns':>12} | {'33 to 85 %':>11} {'65 to 85 %':>11}")
    for name, world in WORLDS.items():
        false = [false_names(world, searches, columns) for columns in (None, ["accent", "condition"])]
        found = [found_first(world, searches, planted) for planted in (2, 5)]
        print(f"{name:46} {false[0]:12.3f} {false[1]:12.3f} | {found[0]:11.2f} {found[1]:11.2f}", flush=True)


def main(studies: int) -> None:
    """Print the tables."""
    rng = np.random.default_rng(6)
    print(f"share of 95 % intervals that hold the truth, {studies} studies (WER .06/.14, true gap and DiD .05)")
    print(
        f"{'speakers':>8} {'WER':>6} {'gap':>6} {'DiD':>6} | {'DiD, percentile bootstrap':>25} {'DiD, independent rows':>22}"
    )
    for speakers in (5, 10, 20, 40):
        row = coverage(rng, studies, speakers)
        print(
            f"{speakers:>8} {row['wer']:6.3f} {row['gap']:6.3f} {row['did']:6.3f} | "
            f"{row['did bootstrap']:25.3f} {row['did iid']:22.3f}"
        )
    print(
        "\nfalse findings in a grid of 20 tests (5 accents against a sixth, clean and 3 conditions), speakers an accent"
    )
    print(f"{'speakers':>8} {'any false, Holm':>16} {'BH, no gap at all':>18} {'BH, 3 true gaps':>16}")
    for speakers in (5, 10, 20, 40):
        fwer, null, mixed = false_findings(rng, studies, speakers)
        print(f"{speakers:>8} {fwer:16.3f} {null:18.3f} {mixed:16.3f}")
    print("\na planted DiD of the stated detectable size is found (promise: 80 %)")
    print(f"{'speakers':>8} {'tests':>6} {'stated':>8} {'found':>6}")
    for speakers in (5, 10, 20, 40):
        for tests in (1, 20):
            stated, found = power(rng, studies, speakers, tests)
            print(f"{speakers:>8} {tests:>6} {100 * stated:6.1f} % {found:6.3f}")
    print_search(max(1, studies // 20))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
