"""The component as a piece of HTML: data, style, code, and what shows where scripts do not run. Needs nothing else.

Page, notebook and report take it from here, so all of them run the same code: `component_sha256()` is stated on the element.
"""

from __future__ import annotations

import functools
import hashlib
import html
import json
from pathlib import Path
from typing import Any

from roomtone.core.bounded.regular_files import read_text
from roomtone.coverage.views.matrix_view.contract import MatrixData

#: The script's files in the order in which they build on each other.
SCRIPTS = (
    "dom", "model", "arrange", "paint", "header", "grid", "controls", "legend", "steps", "samples", "spreads", "drawer", "overview", "start",
)  # fmt: skip


@functools.cache
def component_script() -> str:
    """Return the code: all files of `js/` in one function, so that none of its names is global."""
    folder = Path(__file__).parent / "js"
    files = [read_text(folder / f"{name}.js") for name in SCRIPTS]
    return '(() => {\n"use strict";\n' + "\n".join(files) + "})();\n"


@functools.cache
def component_style() -> str:
    """Return the style sheet of the shadow root."""
    return (Path(__file__).parent / "matrix_view.css").read_text(encoding="utf-8")


@functools.cache
def page_style() -> str:
    """Return the style sheet of the pages that hold the component: type, colours in light and dark, paper."""
    return (Path(__file__).parent / "page.css").read_text(encoding="utf-8")


def component_sha256() -> str:
    """Return the hash of code and style, in hex."""
    return hashlib.sha256((component_script() + component_style()).encode()).hexdigest()


def embed(data: MatrixData, fallback: str) -> str:
    """Return the component as HTML.

    Args:
        data: what it shows.
        fallback: HTML, escaped already, that shows where scripts do not run, and on paper.
    """
    return (
        f'<div class="roomtone-matrix" data-component="sha256-{component_sha256()}">\n'
        f'<script type="application/json">{script_json(data.to_json())}</script>\n'
        f'<style media="not all">\n{component_style()}</style>\n{fallback}\n</div>\n<script>\n{component_script()}</script>\n'
    )


def script_json(data: Any) -> str:
    """Return JSON that can stand inside a script element: no text in it can close the element or start a comment."""
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


#: What a page with the component may load: its own script and style, script and audio files beside it, pictures it holds.
CONTENT_POLICY = "default-src 'none'; script-src 'unsafe-inline' 'self' file:; style-src 'unsafe-inline'; img-src data:; media-src 'self' file:"


def escaped(text: Any) -> str:
    """Return a text as HTML."""
    return html.escape(str(text))
