"""The page of a bounty for people who do not read JSON: the answer, who and what, how it was measured, what it cannot show."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomtone.core.bounded.regular_files import read_text
from roomtone.core.dataset.run_record import read_record
from roomtone.core.dataset.storage import open_storage
from roomtone.coverage.views.matrix_view.embed import page_style
from roomtone.fairness.bounty.claim import Claim, Terms
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
    terms: Terms, ruling: Ruling, sent: Sent, scores: pd.DataFrame, licences: Sequence[str], described: Mapping[str, str], *, audio: bool,
) -> bytes:  # fmt: skip
    """Return `index.html`; the same folder gives the same bytes.

    Args:
        terms: that were registered.
        ruling: what the counts say.
        sent: what came back.
        scores: counts with labels beside them.
        licences: lines of Markdown.
        described: of `descriptions`.
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
        place=place_in_words(terms.claim, described), examples=_examples(terms, scores),
        asked_again=max(0, sent.requests - sent.in_flight - len(sent.first) - len(sent.repeat)), most_examples=_EXAMPLES, notes=speech_note(scores),
    )  # fmt: skip
    return text.encode()


def descriptions(dataset: Path) -> dict[str, str]:
    """Return what a set says of the presets of its levels, by name; nothing where it says nothing.

    Args:
        dataset: of the recordings; a stranger may have made it.
    """
    try:
        presets = read_record(open_storage(dataset))["runs"][0]["config"]["presets"]
        return {
            str(name): " ".join(str(preset["description"]).split())
            for named in presets.values()
            for name, preset in named.items()
            if preset.get("description")
        }
    except (TypeError, KeyError, IndexError, AttributeError):
        return {}


def place_in_words(claim: Claim, described: Mapping[str, str]) -> str:
    """Return the condition for who knows no presets: what each is, and how loud beside the speech.

    Args:
        claim: with its levels.
        described: name of a preset -> description.

    >>> from roomtone.fairness.bounty.claim import parse_claim
    >>> place_in_words(parse_claim("accent=a noise=babble@-5dB room=ward points=5"), {"babble": "Six talkers"})
    'ward; Six talkers, 5 dB above the speech'
    """
    said = []
    for level in claim.levels.values():
        name, _, snr = level.partition("@")
        found = re.fullmatch(r"([-+]?[0-9.]+)dB", snr)
        db = float(found[1]) if found else 0.0
        beside = f"{abs(db):g} dB {'below' if db > 0 else 'above'} the speech" if db else "as loud as the speech"
        said.append(described.get(name, name) + (f", {beside}" if found else f", {snr}" if snr else ""))
    return "; ".join(said)


def _examples(terms: Terms, scores: pd.DataFrame) -> list[dict[Any, Any]]:
    """Return recordings of the group: one a speaker, those in the middle of their errors, so that none is an outlier."""
    rows = scores[terms.claim.of_group(scores)].dropna(subset=["hits"])
    errors = rows[["substitutions", "deletions", "insertions"]].sum(axis=1).astype(int)
    rows = rows.assign(errors=errors).sort_values("sample_id").drop_duplicates("speaker")
    rows = rows.sort_values(["errors", "sample_id"], ascending=False)
    start = max(0, (len(rows) - _EXAMPLES) // 2)
    return rows.iloc[start : start + _EXAMPLES].to_dict("records")
