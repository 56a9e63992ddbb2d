"""What must be said of the speech beside every picture and figure of a set: whether it is synthetic."""

from __future__ import annotations

from typing import Any

from roomtone.coverage.counting.source import open_source


def speech_notes(source: Any) -> list[str]:
    """Return what must be said before any number: one sentence where some speech is synthetic, else nothing.

    Args:
        source: of a matrix.
    """
    with open_source(source) as opened:
        if "speech_origin" not in opened.columns:
            return []
        share = opened.connection.execute(
            f"SELECT avg(CAST(speech_origin = 'synthetic' AS DOUBLE)) FROM {opened.relation} WHERE speech_origin IS NOT NULL"
        ).fetchall()[0][0]
    if not share:
        return []
    which = "This speech is" if share == 1 else f"{100 * share:.0f} % of this speech is"
    return [
        f"{which} synthetic: it shows that the pipeline works, and says nothing about how a recogniser treats people."
    ]
