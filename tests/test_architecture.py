"""The house: which packages import which, and how large its rooms are. Imports that are lazy or for types count too."""

import ast
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: package -> the packages of the project that it may import; DESIGN of the house: imports run downwards only.
MAY_IMPORT = {
    "core": {"core"},
    "coverage": {"core", "coverage"},
    "augment": {"core", "coverage", "augment"},
    "measure": {"core", "coverage", "augment", "measure"},
    "fairness": {"core", "coverage", "fairness"},
    "cli": {"core", "coverage", "augment", "measure", "fairness", "cli", "conf"},
    "conf": set(),
}
#: Libraries that read or change audio; coverage counts rows and never opens a recording.
AUDIO_LIBRARIES = {"soundfile", "librosa", "audiomentations", "pyroomacoustics", "soxr", "av"}
#: Folders of which one file is one case of the same kind: a corpus layout, a command.
ONE_FILE_A_CASE = {"augment/corpora/readers", "cli/commands"}


def sources(root):
    """Return the Python files of the packages below a root, by dotted name inside `roomtone`."""
    return {
        ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path
        for package in MAY_IMPORT
        for path in sorted((root / package).rglob("*.py"))
    }


def imported_modules(path, known):
    """Return (line, dotted name) of everything a file imports, wherever the import stands; `roomtone.` is left out."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.removeprefix("roomtone.")) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute"
            module = (node.module or "").removeprefix("roomtone.")
            for alias in node.names:
                inner = f"{module}.{alias.name}"
                yield node.lineno, inner if inner in known else module


def faults(root):
    """Return what is wrong with the imports of a tree, a line each."""
    known = sources(root)
    graph = defaultdict(set)
    found = []
    for name, path in known.items():
        package = name.partition(".")[0]
        for line, imported in imported_modules(path, known):
            top = imported.partition(".")[0]
            if top in MAY_IMPORT and top not in MAY_IMPORT[package]:
                found.append(f"{name}:{line} imports {imported}, which is above it")
            if top == "hydra" and package != "cli":
                found.append(f"{name}:{line} imports Hydra; only cli may")
            if package == "coverage" and top in AUDIO_LIBRARIES:
                found.append(f"{name}:{line} imports {imported}; coverage never opens audio")
            if imported in known and imported != name:
                graph[name].add(imported)
    return found + [f"ring of imports: {' -> '.join(ring)}" for ring in rings(graph)]


def rings(graph):
    """Return the strongly connected components of more than one file (Tarjan 1972), each sorted."""
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph.get(node, ())):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            ring = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(ring) > 1:
                found.append(sorted(ring))

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return found


def test_imports_run_downwards_and_in_no_ring():
    assert len(sources(ROOT)) > 200
    assert faults(ROOT) == []


PLANTED = {
    "core/files.py": ("def late():\n    from roomtone.coverage.matrix import CoverageMatrix\n", "is above it"),
    "fairness/results.py": ("if TYPE_CHECKING:\n    import roomtone.augment.verification\n", "is above it"),
    "measure/room.py": ("from roomtone.cli import main\n", "is above it"),
    "coverage/matrix.py": ("def late():\n    import soundfile\n", "never opens audio"),
    "augment/generation.py": ("import hydra\n", "only cli may"),
    "core/errors.py": ("if TYPE_CHECKING:\n    from roomtone.core.files import write_whole\n", "ring of imports"),
}


@pytest.mark.parametrize("place", PLANTED)
def test_a_planted_fault_is_found(place, tmp_path):
    """Each kind of fault, lazy or for types alone, in a copy of the tree."""
    for name in sources(ROOT).values():
        copy = tmp_path / name.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(name.read_text(encoding="utf-8"), encoding="utf-8")
    planted, message = PLANTED[place]
    if "errors" in place:
        (tmp_path / "core/files.py").write_text("from roomtone.core.errors import RoomtoneError\n")
    (tmp_path / place).write_text(planted)
    assert any(message in fault for fault in faults(tmp_path))


def test_rooms_files_and_functions_are_small():
    """At most 15 files a folder, 350 lines a file, 50 lines a function without its docstring."""
    folders = defaultdict(int)
    large = []
    for path in sources(ROOT).values():
        folders[path.parent.relative_to(ROOT).as_posix()] += 1
        text = path.read_text(encoding="utf-8")
        lines = len(text.splitlines())
        if lines >= 350:
            large.append(f"{path}: {lines} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                if body and body[-1].end_lineno - body[0].lineno + 1 > 50:
                    large.append(f"{path}:{node.lineno} {node.name}: over 50 lines")
    large += [f"{name}: {n} files" for name, n in folders.items() if n > 15 and name not in ONE_FILE_A_CASE]
    assert large == []
