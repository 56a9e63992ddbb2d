"""Runs the notebooks and keeps outputs that show the point: small pictures, no path or time of the machine, no sound.

    python -P notebooks/refresh.py                      all of them
    python -P notebooks/refresh.py notebooks/fairness.ipynb

A player becomes a line of text, because a sound takes a hundred times the bytes of the sentence that it speaks; the matrix component keeps
what shows where scripts do not run.
"""

from __future__ import annotations

import base64
import io
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from PIL import Image

#: Bytes of all pictures of one notebook.
MAX_PICTURES = 60_000
MAX_COLOURS = 32
_COMPONENT = re.compile(r'<div class="roomtone-matrix".*?</style>\n(.*?)\n</div>\n<script>.*?</script>\n?', re.S)
_PICTURE = re.compile(r"data:image/png;base64,([A-Za-z0-9+/=]+)")
_PLAYER = "a player: run the cell to listen"


def refresh(path: Path) -> int:
    """Run one notebook, write it with small outputs, and return the bytes of its pictures."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=1800, resources={"metadata": {"path": str(path.parent)}}).execute()
    total = 0
    for cell in notebook.cells:
        cell.metadata = {}
        if cell.cell_type == "code":
            cell.execution_count = None
            cell.outputs = [small for output in cell.outputs if (small := _small(output)) is not None]
            total += sum(picture_bytes(output) for output in cell.outputs)
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    text = nbformat.writes(notebook)
    for place in {tempfile.gettempdir(), str(Path.home()), str(path.resolve().parents[1])}:
        if f"{place}/" in text:
            raise SystemExit(f"{path}: an output names {place}: {text[text.index(place + '/') - 80 :][:200]!r}")
    if total > MAX_PICTURES:
        raise SystemExit(f"{path}: {total:,} bytes of pictures, more than {MAX_PICTURES:,}")
    path.write_text(text + "\n", encoding="utf-8")
    return total


def _small(output: Any) -> Any | None:
    """Return an output as it is kept, or None where it says nothing about the subject."""
    if output.output_type == "error":
        raise SystemExit(f"{output.ename}: {output.evalue}")
    if output.output_type == "stream":
        return None if output.name == "stderr" else output
    data = output.data
    output.metadata = {}
    output.pop("execution_count", None) if output.output_type == "display_data" else output.update(execution_count=None)
    if "image/png" in data:
        data["image/png"] = _flat(data["image/png"])
        data.pop("text/plain", None)
    if "text/markdown" in data:
        data.pop("text/plain", None)
    if "<audio" in data.get("text/html", ""):
        output.data = {"text/plain": _PLAYER}
    elif "text/html" in data:
        found = _COMPONENT.search(data["text/html"])
        if found:
            data["text/html"] = found[1]
            data.pop("text/plain", None)
    return output


def _flat(picture: str) -> str:
    """Return a PNG in base64 with few colours, as figures need them."""
    image = Image.open(io.BytesIO(base64.b64decode(picture))).convert("RGB")
    buffer = io.BytesIO()
    image.quantize(MAX_COLOURS, dither=Image.Dither.NONE).save(buffer, format="PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()


def picture_bytes(output: Any) -> int:
    """Return the bytes of the pictures in one output."""
    data = output.get("data", {})
    texts = [data["image/png"]] if "image/png" in data else []
    texts += _PICTURE.findall("".join(data.get("text/html", "")))
    return sum(len(base64.b64decode(text)) for text in texts)


if __name__ == "__main__":
    named = [Path(word) for word in sys.argv[1:]] or sorted(Path(__file__).parent.glob("*.ipynb"))
    for notebook_path in named:
        print(f"{notebook_path.name}: {refresh(notebook_path):,} bytes of pictures")
