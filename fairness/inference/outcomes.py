"""What is counted of each sample: words lost, words invented, and whether it hallucinates.

What is compared is errors without the invented text of samples that hallucinate (a loop, more words than could be spoken, or as many
inserted words as were spoken): one loop adds hundreds of insertions, is another failure than losing words, and is counted as such in its own outcome.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from roomtone.core.errors import RoomtoneError, nearest

if TYPE_CHECKING:
    import pandas as pd

KINDS = ("substitutions", "deletions", "insertions")
#: Insertions from which a sample counts as hallucinated where it holds as many as its reference holds words, or more.
FEWEST_INVENTED = 10


def sample_outcomes(scores: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return what is counted of each sample, NaN where it is not known [each shape=(rows,)].

    Args:
        scores: as `prepare` takes them.
    """
    words = _numbers(scores, "words")
    if "errors" in scores and not set(KINDS) <= set(scores.columns):
        errors = _numbers(scores, "errors")
        unknown = np.full(len(errors), np.nan)
        return {
            "errors": errors,
            "all_errors": errors,
            "words": words,
            "lost": errors,
            "invented": unknown,
            "hallucinated": unknown,
        }
    for name in KINDS:
        if name not in scores:
            raise RoomtoneError(
                f"compare: the scores have no column {name!r}; {nearest(name, map(str, scores.columns))}"
            )
    substitutions, deletions, insertions = (_numbers(scores, name) for name in KINDS)
    lost = substitutions + deletions
    flags = [_numbers(scores, name) for name in ("looped", "too_long") if name in scores]
    flagged = np.where(np.isnan(insertions), np.nan, np.nanmax([np.zeros(len(words)), *flags], axis=0))
    invents = (flagged > 0) | as_many_inserted(insertions, words)
    return {
        "errors": np.where(invents, lost, lost + insertions), "all_errors": lost + insertions, "words": words, "lost": lost,
        "invented": insertions, "hallucinated": np.where(np.isnan(insertions), np.nan, invents),
    }  # fmt: skip


def as_many_inserted(insertions: np.ndarray, words: np.ndarray) -> np.ndarray:
    """Return which samples have `FEWEST_INVENTED` inserted words or more, and at least as many as were spoken.

    Args:
        insertions: inserted words of each sample, NaN where not known [shape=(samples,)].
        words: words of each reference [shape=(samples,)].
    """
    found: np.ndarray = (insertions >= FEWEST_INVENTED) & (insertions >= words)
    return found


def _numbers(scores: pd.DataFrame, name: str) -> np.ndarray:
    column = scores[name]
    if column.dtype == object:
        import pandas as pd

        try:
            column = pd.to_numeric(column)
        except (TypeError, ValueError) as error:
            raise RoomtoneError(f"compare: the column {name!r} is to hold counts or nulls; {error}") from error
    values: np.ndarray = column.to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = (values < 0) | np.isinf(values)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise RoomtoneError(
            f"compare: the column {name!r} is to hold counts from 0 on or nulls, got {values[row]:g} in row {row} ({int(wrong.sum())} such rows)"
        )
    return values
