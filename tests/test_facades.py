"""The public face of every package: complete, lazy, documented, and free of names that a module would shadow."""

import ast
import importlib
import inspect
import pkgutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("augment", "coverage", "fairness", "measure")
PUBLIC = [(package, name) for package in PACKAGES for name in importlib.import_module(f"roomtone.{package}").__all__]


@pytest.mark.parametrize(("package", "name"), PUBLIC)
def test_each_public_name_is_what_it_says_whatever_was_imported_before(package, name):
    module = importlib.import_module(f"roomtone.{package}")
    for found in pkgutil.walk_packages(module.__path__, f"{module.__name__}."):
        importlib.import_module(found.name)
    value = getattr(module, name)
    assert not inspect.ismodule(value)
    if callable(value):
        assert inspect.getdoc(value)


@pytest.mark.parametrize("package", PACKAGES)
def test_an_unknown_name_is_an_error_that_names_the_nearest(package):
    module = importlib.import_module(f"roomtone.{package}")
    name = module.__all__[-1]
    with pytest.raises(AttributeError, match=f"did you mean .*{name}"):
        getattr(module, f"{name}s")


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_a_package_loads_nothing_heavy(package):
    program = (
        f"import sys, roomtone.{package}\n"
        "heavy = {'pandas', 'numba', 'scipy', 'matplotlib', 'hydra', 'librosa', 'soundfile', 'duckdb'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-P", "-c", program], check=True, timeout=120)


@pytest.mark.parametrize(("package", "name"), PUBLIC)
def test_a_public_function_says_what_it_takes_and_raises(package, name):
    """Arguments one by one, and what is raised where its code raises."""
    value = getattr(importlib.import_module(f"roomtone.{package}"), name)
    if not inspect.isfunction(value):
        pytest.skip("a class or a constant")
    text = inspect.getdoc(value)
    names = [p for p in inspect.signature(value).parameters if p != "_"]
    if len(names) > 1:
        assert "Args:" in text, name
        missing = [p for p in names if f"{p}:" not in text and f"{p}," not in text]
        assert missing == []
    source = inspect.getsource(value)
    if any(isinstance(node, ast.Raise) for node in ast.walk(ast.parse(textwrap.dedent(source)))):
        assert "Raises:" in text


def test_notebooks_and_readme_import_from_the_facades_alone():
    import re

    faces = {f"roomtone.{package}" for package in PACKAGES} | {"roomtone.cli.main"}
    texts = [*(ROOT / "notebooks").glob("*.ipynb"), ROOT / "README.md"]
    assert len(texts) >= 5
    used = {m[1] for path in texts for m in re.finditer(r"from (roomtone[\w.]*) import", path.read_text("utf-8"))}
    assert used
    assert used <= faces
