"""The notebooks as they are committed: small outputs that show the point, of no machine and no moment; numbers come from code."""

from __future__ import annotations

import base64
import io
import json
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
#: Bytes of all pictures of one notebook, and pixels of its tallest.
MAX_PICTURES, MAX_HEIGHT = 60_000, 700
#: Numbers that are names: of standards, levels and units of a heading.
NAMES = re.compile(r"`[^`]*`|ITU-T [A-Z]\.\d+|G\.711|^#+ \d+\.|\(see [^)]*\)", re.M)


def test_there_are_four():
    assert [path.stem for path in NOTEBOOKS] == ["conditions", "coverage", "fairness", "last_mile"]


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request) -> dict:
    """Return a committed notebook."""
    return json.loads(request.param.read_text(encoding="utf-8"))


def outputs(notebook: dict) -> list[dict]:
    return [output for cell in notebook["cells"] if cell["cell_type"] == "code" for output in cell["outputs"]]


def text_of(value) -> str:
    return value if isinstance(value, str) else "".join(value)


def pictures(notebook: dict) -> list[bytes]:
    found = []
    for output in outputs(notebook):
        data = output.get("data", {})
        texts = [text_of(data["image/png"])] if "image/png" in data else []
        texts += re.findall(r"data:image/png;base64,([A-Za-z0-9+/=]+)", text_of(data.get("text/html", "")))
        found += [base64.b64decode(text) for text in texts]
    return found


def test_pictures_are_there_and_small(notebook):
    from PIL import Image

    found = pictures(notebook)
    assert found
    assert sum(map(len, found)) < MAX_PICTURES
    for picture in found:
        assert picture[:4] == b"\x89PNG"
        assert Image.open(io.BytesIO(picture)).size[1] <= MAX_HEIGHT


def test_outputs_name_no_machine_and_no_moment(notebook):
    shown = json.dumps(outputs(notebook), ensure_ascii=False)
    shown = re.sub(r"[A-Za-z0-9+/=]{200,}", "", shown)  # the pictures
    assert not re.search(r"(/tmp|/home|/root|/Users|/work|/var)/", shown)
    assert not re.search(r"Warning|Traceback|<Figure size|IProgress|it/s|real time|ipykernel", shown)
    assert "<audio" not in shown
    for output in outputs(notebook):
        assert output["output_type"] != "error"
        assert output.get("name") != "stderr"
    assert all(cell.get("execution_count") is None for cell in notebook["cells"])


def test_numbers_of_the_text_are_those_of_the_code(notebook):
    """A number in the prose is in the cell below it too, as an assertion or an argument, or was printed by it."""
    cells = notebook["cells"]
    for i, cell in enumerate(cells):
        if cell["cell_type"] != "markdown":
            continue
        numbers = set(re.findall(r"(?<![\w.])\d+(?:\.\d+)?", NAMES.sub("", text_of(cell["source"]))))
        near = [c for c in cells[i + 1 : i + 4] if c["cell_type"] == "code"]
        source = " ".join(text_of(c["source"]) for c in near)
        assert {n for n in numbers if n not in source} == set(), text_of(cell["source"])[:60]


def test_each_reads_like_a_lecture(notebook):
    """A question first, a caveat somewhere, no stretch of code without a word about it."""
    cells = notebook["cells"]
    prose = " ".join(text_of(c["source"]) for c in cells if c["cell_type"] == "markdown") + json.dumps(
        outputs(notebook)
    )
    assert cells[0]["cell_type"] == "markdown"
    assert "?" in prose[: prose.index("##")]
    assert "What this cannot show" in prose
    kinds = "".join(c["cell_type"][0] for c in cells)
    assert "cccc" not in kinds
    assert sum(len(text_of(c["source"]).splitlines()) for c in cells if c["cell_type"] == "code") < 260
