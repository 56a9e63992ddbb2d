"""The page of a bounty for people who do not read JSON: the answer, who and what, how it was measured, what it cannot show."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomtone.core.bounded.regular_files import read_text
from roomtone.coverage.views.matrix_view.embed import page_style
from roomtone.fairness.bounty.claim import Terms
from roomtone.fairness.bounty.ruling import CANNOT_BE_TOLD, NOT_UPHELD, UPHELD, Ruling
from roomtone.fairness.bounty.sending import Sent, disagreement
from roomtone.fairness.report.caveats import speech_note
from roomtone.fairness.report.formatting import percent, points

if TYPE_CHECKING:
    import pandas as pd

#: No script, no request: only the page's own style and the recordings beside it.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; media-src 'self' file:"
_EXAMPLES = 6
_HEADLINES = {
    UPHELD: "The measurement supports the claim.",
    NOT_UPHELD: "The measurement does not support the claim.",
    CANNOT_BE_TOLD: "This measurement cannot tell whether the claim holds.",
}


def render_page(
    terms: Terms, ruling: Ruling, sent: Sent, scores: pd.DataFrame, licences: Sequence[str], *, audio: bool
) -> bytes:
    """Return `index.html`; the same folder gives the same bytes.

    Args:
        terms: that were registered.
        ruling: what the counts say.
        sent: what came back.
        scores: counts with labels beside them.
        licences: lines of Markdown.
        audio: whether the recordings lie beside the page.
    """
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"percent": percent, "points": points}
    here = Path(__file__)
    style = page_style() + read_text(here.parent.parent / "report" / "report.css")
    scores = scores.merge(sent.first[["sample_id", "hypothesis"]], on="sample_id")
    repeated, differing = disagreement(sent.first, sent.repeat)
    text = environment.from_string(read_text(here.with_name("bounty.html"))).render(
        style=Markup(style), policy=_POLICY, terms=terms, claim=terms.claim, ruling=ruling, headline=_HEADLINES[ruling.verdict],
        figures=ruling.figures(terms.claim), sent=sent, repeated=repeated, differing=differing, licences=licences, audio=audio,
        examples=_examples(terms, scores),
        asked_again=max(0, sent.requests - sent.in_flight - len(sent.first) - len(sent.repeat)), most_examples=_EXAMPLES, notes=speech_note(scores),
    )  # fmt: skip
    return text.encode()


def _examples(terms: Terms, scores: pd.DataFrame) -> list[dict[Any, Any]]:
    """Return recordings of the group: one a speaker, those in the middle of their errors, so that none is an outlier."""
    rows = scores[terms.claim.of_group(scores)].dropna(subset=["hits"])
    errors = rows[["substitutions", "deletions", "insertions"]].sum(axis=1).astype(int)
    rows = rows.assign(errors=errors).sort_values("sample_id").drop_duplicates("speaker")
    rows = rows.sort_values(["errors", "sample_id"], ascending=False)
    start = max(0, (len(rows) - _EXAMPLES) // 2)
    return rows.iloc[start : start + _EXAMPLES].to_dict("records")
