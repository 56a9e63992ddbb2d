"""No reader goes round `core/bounded/regular_files.py`, `lines.py` and `yaml_text.py`: each call that opens a file for reading is looked at.

Allowed are a handle that is open already, a name that `check_regular` has seen in the same function, what is written, and the
package's own files. A pipe in the place of any other would be waited for without end.
"""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("core", "coverage", "augment", "measure", "fairness", "cli")

#: Files that open what is no file of a user's or a stranger's: the openers themselves, and a script of the maintainers'.
EXEMPT = ("core/bounded/regular_files.py", "core/bounded/yaml_text.py", "augment/corpora/demo_voice/")
#: Library calls that open what their first argument names.
OPENERS = {
    *(
        "read_csv",
        "read_table",
        "read_parquet",
        "read_schema",
        "read_metadata",
        "ParquetFile",
        "read_json",
        "memory_map",
    ),
    *("SoundFile", "loadtxt", "genfromtxt", "fromfile"),
}
#: The same, where the owner's name tells them from others.
OWNED = {
    ("np", "load"),
    ("gzip", "open"),
    ("tarfile", "open"),
    ("av", "open"),
    ("shutil", "copyfile"),
    ("gzip", "GzipFile"),
}
#: Of YAML only the bounded reader.
YAML = {"safe_load", "load", "full_load", "unsafe_load", "load_all"}
#: Calls of these forms read what was checked before: parts of a manifest (`manifest_parts` has read their footers), a container that
#: `headers.container` has opened, a recording that was read just before it is copied.
CHECKED_BEFORE = {
    ("core/dataset/manifest.py", "scan_manifest"),
    ("core/audio/decoding/sound_file.py", "_opened"),
    ("measure/write_presets.py", "_write_loop"),
    ("fairness/exports/fairlearn.py", ""),
}


def offences(path, text):
    """Return the lines of a file that open a file in another way."""
    tree = ast.parse(text)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _opens(node):
            around = [f for f in functions if f.lineno <= node.lineno <= (f.end_lineno or 0)]
            inner = max(around, key=lambda f: f.lineno, default=None)
            name = "" if inner is None else inner.name
            if (path, name) not in CHECKED_BEFORE and not _is_safe(node, inner):
                found.append(f"{path}:{node.lineno} {ast.unparse(node)[:80]}")
    return found


def _opens(node):
    called = node.func
    if isinstance(called, ast.Name):
        return (called.id == "open" and not _writes(node)) or called.id in OPENERS - {"read_json"}
    if not isinstance(called, ast.Attribute):
        return False
    owner = called.value.id if isinstance(called.value, ast.Name) else ""
    if called.attr in ("read_text", "read_bytes"):
        return owner not in ("self", "storage") and "__file__" not in ast.unparse(called.value)
    if (owner, called.attr) in OWNED:
        return not any(word.arg == "fileobj" for word in node.keywords) and not _writes(node)
    if owner == "yaml":
        return called.attr in YAML
    mode = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
    return called.attr in OPENERS or (called.attr == "open" and mode in ("r", "rb", "rt"))


def _writes(node):
    modes = [*node.args[1:2], *(word.value for word in node.keywords if word.arg == "mode")]
    return any(isinstance(mode, ast.Constant) and set(str(mode.value)) & set("wxa") for mode in modes)


def _is_safe(node, function):
    """Return whether the first argument is a handle that is open, or a name that was checked."""
    first = node.args[0] if node.args else None
    if isinstance(node.func, ast.Attribute) and node.func.attr in ("read_text", "read_bytes"):
        first = node.func.value
    if first is None or function is None:
        return False
    if isinstance(first, ast.Call) and ast.unparse(first.func) in ("io.BytesIO", "open_regular"):
        return True
    checked, handles = set(), set()
    for inner in ast.walk(function):
        if isinstance(inner, ast.Call) and ast.unparse(inner.func) == "check_regular":
            name = ast.unparse(inner.args[0])
            checked |= {name, f"str({name})"}
        elif isinstance(inner, ast.With):
            handles |= {ast.unparse(item.optional_vars) for item in inner.items if item.optional_vars is not None}
        elif isinstance(inner, ast.arg) and inner.annotation is not None:
            kind = ast.unparse(inner.annotation)
            if "Path" not in kind and "str" not in kind:
                handles.add(inner.arg)
    text = ast.unparse(first)
    return text in checked or text in handles or text.startswith("self._")


def test_every_reader_goes_through_the_shared_openers():
    found, files = [], [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    for path in files:
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith(EXEMPT):
            found += offences(name, path.read_text(encoding="utf-8"))
    assert len(files) > 200
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "open(path)",
        "open(path, 'rb')",
        "open(path, mode='r', encoding='utf-8')",
        "path.open('rb')",
        "path.read_text(encoding='utf-8')",
        "(folder / 'evaluation.json').read_bytes()",
        "pd.read_csv(path)",
        "pq.read_table(path)",
        "tarfile.open(path, 'r:')",
        "gzip.open(path)",
        "np.load(path, mmap_mode='r')",
        "yaml.safe_load(text)",
        "soundfile.SoundFile(path)",
    ],
)
def test_a_planted_reader_is_found(line):
    assert offences("x.py", f"def read(path: Path):\n    return {line}\n")


@pytest.mark.parametrize(
    "line",
    [
        "with open_regular(path) as file:\n        return pd.read_csv(file)",
        "check_regular(path)\n    return pq.ParquetFile(path)",
        "open(path, 'w')",
        "Path(__file__).with_name('page.html').read_text(encoding='utf-8')",
        "tarfile.open(fileobj=file, mode='r:')",
    ],
)
def test_what_is_right_is_let_through(line):
    assert not offences("x.py", f"def read(path: Path):\n    {line}\n")
