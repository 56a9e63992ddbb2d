"""Figures as files and for notebooks; the same figure gives the same bytes."""

from __future__ import annotations

import base64
import io
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from roomtone.core.files import write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@contextmanager
def _quiet() -> Iterator[None]:
    """An accent's name may be in a script that the font lacks; a box in the picture is no reason to stop."""
    import matplotlib

    with warnings.catch_warnings(), matplotlib.rc_context({"hatch.linewidth": 0.4, "svg.hashsalt": "roomtone"}):
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        warnings.filterwarnings("ignore", message=".*font does not support.*")
        warnings.filterwarnings("ignore", message="constrained_layout not applied")
        yield


def as_svg(figure: Figure) -> str:
    """Return a figure as an inline `<svg>` element."""
    buffer = io.StringIO()
    with _quiet():
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]


def as_png(figure: Figure, *, dpi: float | None = None) -> bytes:
    """Return a figure as PNG; `dpi` is the figure's own unless it is given.

    Args:
        figure: to be drawn.
        dpi: dots per inch; None takes the figure's own.
    """
    buffer = io.BytesIO()
    with _quiet():
        figure.savefig(buffer, format="png", dpi=dpi or figure.dpi, metadata={"Software": None})
    return buffer.getvalue()


def as_image(figure: Figure, alt: str, *, dpi: float = 80, colours: int = 48) -> str:
    """Return a figure as an `<img>` element that holds its PNG, small enough to be kept in a notebook.

    Args:
        figure: few flat colours, as a heat map has.
        alt: what it shows, escaped already.
        dpi: pixels an inch.
        colours: of the picture's palette.
    """
    from PIL import Image

    picture = Image.open(io.BytesIO(as_png(figure, dpi=dpi))).convert("RGB")
    buffer = io.BytesIO()
    picture.quantize(colours, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
        buffer, format="PNG", optimize=True
    )
    data = base64.b64encode(buffer.getvalue()).decode()
    return f'<img alt="{alt}" style="max-width:100%" src="data:image/png;base64,{data}">'


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write a figure as PNG or SVG, by the file's ending, so that it appears whole.

    Args:
        figure: to be drawn.
        path: ends in `.png` or `.svg`.
    """
    if str(path).lower().endswith(".svg"):
        write_whole(path, as_svg(figure).encode())
        return
    write_whole(path, as_png(figure))
