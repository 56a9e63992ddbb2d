"""Files that ask for the reader's secrets, or mean more than they hold."""

import gzip
import os
import resource
import subprocess
import sys
import textwrap

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from roomtone.core.bounded.yaml_text import check_references, parse_bounded_yaml
from roomtone.core.errors import RoomtoneError

SECRET = "hunter2-hunter2-hunter2"


@pytest.fixture
def scenario(tmp_path):
    """scenario(text) -> words of a command line with that scenario."""

    def make(text):
        (tmp_path / "lab" / "scenario").mkdir(parents=True, exist_ok=True)
        (tmp_path / "lab" / "scenario" / "s.yaml").write_text(text)
        return [
            "scenario=s",
            "--config-dir",
            str(tmp_path / "lab"),
            "corpus.select.max_per_accent=1",
            "executor=serial",
        ]

    return make


RESOLVERS = [
    "${oc.env:THE_SECRET}",
    "${oc.env:THE_SECRET,nothing}",
    "${oc.decode:${oc.env:THE_SECRET}}",
    "a${oc.env:THE_SECRET}b",
    "${oc.select:seed}",
    "${oc.create:{a: 1}}",
    "${oc.dict.keys:output}",
    "${oc.deprecated:seed}",
    "${hydra:runtime.cwd}",
    "${${oc.env:THE_SECRET}}",
    "${oc.env:${name}}",
]


@pytest.mark.parametrize("text", RESOLVERS)
def test_no_resolver_works_in_a_scenario(scenario, refused, monkeypatch, tmp_path, text):
    """`${oc.env:…}` in a description was resolved into `dataset.json`, which is handed on."""
    monkeypatch.setenv("THE_SECRET", SECRET)
    words = scenario(f"name: s\ndescription: '{text}'\nfactors: {{noise: [none]}}\n")
    said = refused("refer to its own keys", "generate", *words, f"output.dir={tmp_path / 'set'}")
    assert SECRET not in said
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize("text", RESOLVERS)
@pytest.mark.parametrize("factor", ["noise", "room", "handset"])
def test_nor_in_a_preset(refused, monkeypatch, tmp_path, factor, text):
    monkeypatch.setenv("THE_SECRET", SECRET)
    (tmp_path / "lab" / factor).mkdir(parents=True)
    (tmp_path / "lab" / factor / "p.yaml").write_text(f"op: coloured_noise\ndescription: '{text}'\n")
    level = "p@5dB" if factor == "noise" else "p"
    said = refused("", "plan", f"scenario.factors.{factor}=[none,{level}]", "--config-dir", tmp_path / "lab")
    assert SECRET not in said


@pytest.mark.parametrize("text", RESOLVERS)
def test_nor_in_a_sets_config(theirs, refused, monkeypatch, tmp_path, text):
    import yaml

    monkeypatch.setenv("THE_SECRET", SECRET)
    path = theirs / "config.yaml"
    config = yaml.safe_load(path.read_text())
    config["scenario"]["description"] = text
    path.write_text(yaml.safe_dump(config))
    words = ["generate", "--config-dir", theirs, "--config-name", "config", f"output.dir={tmp_path / 'again'}"]
    assert SECRET not in refused("", *words)


def test_a_variable_that_was_typed_stands_in_no_file_and_no_message(workshop, roomtone, monkeypatch, tmp_path):
    """Paths may come from the environment; what was read is in nothing that is written or said."""
    monkeypatch.setenv("THE_PLACE", str(workshop / "corpus"))
    words = [
        "generate",
        "corpus=table",
        "corpus.path=${oc.env:THE_PLACE}/table.jsonl",
        "executor=serial",
        "scenario.factors.room=[none]",
    ]
    words += ["scenario.factors.noise=[none]", "scenario.factors.equipment=[none]", "scenario.factors.handset=[none]"]
    status, out, err = roomtone(*words, f"output.dir={tmp_path / 'set'}")
    assert status == 0, err
    value = os.environ["THE_PLACE"]
    assert value not in out + err
    told = [p.name for p in (tmp_path / "set").rglob("*") if p.is_file() and value.encode() in p.read_bytes()]
    assert told == ["local.yaml"]


@pytest.mark.parametrize("key", ["scenario.description", "scenario.name", "corpus.name", "corpus.attribution"])
def test_a_variable_cannot_be_typed_into_what_is_written(refused, monkeypatch, tmp_path, key):
    monkeypatch.setenv("THE_SECRET", SECRET)
    said = refused(
        "refer to its own keys", "generate", f"{key}='${{oc.env:THE_SECRET}}'", f"output.dir={tmp_path / 'set'}"
    )
    assert SECRET not in said


def test_a_reference_within_a_file_still_works(scenario, roomtone, tmp_path):
    words = scenario("name: s\ndescription: 'about ${.name}'\nfactors: {noise: [none]}\n")
    assert roomtone("plan", *words, f"output.dir={tmp_path / 'set'}")[0] == 0


def _aliases(levels):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, levels)]
    return "\n".join(lines) + "\n"


BOMBS = {
    "aliases": "name: s\nfactors: {noise: [none]}\n" + _aliases(12),
    "an alias of itself": "name: s\na: &a [*a]\n",
    "a merge of itself": "name: s\na: &a\n  <<: *a\n",
    "merges": "\n".join(
        [
            "a0: &a0 {k: v, l: v}",
            *(f"a{i}: &a{i}\n  <<: [{', '.join([f'*a{i - 1}'] * 9)}]\n  x{i}: *a{i - 1}" for i in range(1, 12)),
        ]
    ),
    "depth in brackets": "a: " + "[" * 100_000,
    "depth in braces": "a: " + "{a: " * 20_000,
    "depth in dashes": "- " * 50_000 + "a",
    "depth in indents": "\n".join(" " * i + "a:" for i in range(1200)),
    "references": "\n".join(["a0: xxxxxxxxxx", *(f"a{i}: " + f"${{.a{i - 1}}}" * 10 for i in range(1, 12))]),
    "references in a ring": "a: ${.b}\nb: ${.a}\n",
    "a reference to what holds it": "a: {b: '${..a}'}\n",
    "many references": "\n".join(f"a{i}: ${{.a{i + 1}}}" for i in range(5000)),
    "many keys": "\n".join(f"k{i}: 1" for i in range(100_000)),
    "a long text": "a: " + "x" * 5_000_000,
    "tags": "a: !!python/object/apply:os.system ['touch owned']\n",
    "a number of many digits": "a: 1" + "0" * 900_000 + "\n",
    "a float of many digits": "a: 1e" + "9" * 100_000 + "\n",
    "sixty notation": "a: " + ":".join(["59"] * 200_000) + "\n",
    "a tagged number of many digits": 'a: !!int "' + ":".join(["59"] * 200_000) + '"\n',
    "no text": "\x00\x01",
}

SCALARS = (
    "!!bool foo",
    "!!int ''",
    "!!float ''",
    "!!timestamp foo",
    "!!timestamp 2001-01-01",
    "!!binary aGVsbG8=",
    "!!null x",
    "!!set {a}",
)


@pytest.mark.parametrize(
    "text", [*(f"op: {scalar}\n" for scalar in SCALARS), "1: 2\n", "true: a\n", "a: [{null: b}]\n", "2001-01-01: 1\n"]
)
def test_a_forced_type_and_a_key_that_is_no_text_are_one_line(refused, theirs, tmp_path, text):
    """YAML's own constructors end in KeyError, IndexError and AttributeError; OmegaConf takes neither bytes nor such keys."""
    from roomtone.core.local_paths import read_local_paths

    (tmp_path / "noise").mkdir()
    (tmp_path / "noise" / "evil.yaml").write_text(f"{text}level_db: 1\n")
    words = ["room=none", "equipment=none", "handset=none"]
    refused("evil.yaml: ", "plan", "--config-dir", tmp_path, "noise=[evil@5dB]", *words)
    (theirs / "local.yaml").write_text(f"{text}roots: {{}}\ncode: x\n")
    assert read_local_paths(theirs).roots == {}


#: Composes each scenario of a folder in a fork of its own and prints its name, the seconds of its processor, its memory in kB beyond that of before,
#: and what was said: the imports, which take longest, are made once.
_MEASURE = """
import os, resource, sys, time
from pathlib import Path
from roomtone.cli.arguments import Arguments
from roomtone.cli.compose import compose_config
from roomtone.core.errors import RoomtoneError

def attempt(name):
    before, begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    try:
        compose_config(Arguments((f"scenario={name}",), sys.argv[1]), "generate")
        said = "taken"
    except RoomtoneError as error:
        said = str(error).splitlines()[0][:200]
    seconds = time.process_time() - begun
    print(name, f"{seconds:.2f}", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, said, flush=True)

attempt("good")
for name in sorted(path.stem for path in Path(sys.argv[1], "scenario").iterdir() if path.stem != "good"):
    child = os.fork()
    if child == 0:
        attempt(name)
        os._exit(0)
    os.waitpid(child, 0)
"""


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """What became of each bomb: its name -> seconds, kilobytes, what was said."""
    home = tmp_path_factory.mktemp("bombs")
    (home / "scenario").mkdir()
    (home / "scenario" / "good.yaml").write_text("name: good\nfactors: {noise: [none]}\n")
    for number, text in enumerate(BOMBS.values()):
        (home / "scenario" / f"bomb{number}.yaml").write_text(text)
    done = subprocess.run(
        [sys.executable, "-P", "-c", _MEASURE, str(home)],
        capture_output=True, text=True, timeout=600, check=False, cwd=home,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert not (home / "owned").exists()
    found = [line.split(" ", 3) for line in done.stdout.splitlines()]
    assert found[0][3] == "taken", found[0]
    return {name: (float(seconds), int(kilobytes), said) for name, seconds, kilobytes, said in found}


@pytest.mark.parametrize("kind", BOMBS)
def test_a_bomb_ends_in_one_line_and_takes_little(kind, measured):
    """Measured in seconds of the processor (2 of its own, with those of compiling a message) and kilobytes, not by the clock."""
    seconds, kilobytes, said = measured[f"bomb{list(BOMBS).index(kind)}"]
    assert not said.startswith("taken"), said
    assert kilobytes < 100_000
    assert seconds < 5.0


@pytest.mark.parametrize(
    "text",
    [
        "op: coloured_noise\nlow_hz: .inf\n",
        "op: coloured_noise\nlow_hz: .nan\n",
        "op: mix\nparts: [{op: coloured_noise, level_db: 1.0e+308}]\n",
        "op: coloured_noise\nlevel_db: 1000000000000\n",
        "op: coloured_noise\nlow_hz: 1.0e+400\n",
    ],
)
def test_numbers_that_are_none_or_beyond_all_measure_are_one_line(refused, tmp_path, text):
    """`ValueError` and `OverflowError` came from wherever such a number first met a logarithm or a file of JSON."""
    (tmp_path / "noise").mkdir()
    (tmp_path / "noise" / "evil.yaml").write_text(text)
    refused("a number there lies within", "listen", "evil@10dB", "--config-dir", tmp_path, f"to={tmp_path / 'a.wav'}")


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=st.text(alphabet="ab&*[]{}:-,.$ \n'\"!<>|#%@?0", max_size=200))
def test_any_text_is_values_or_one_line(text):
    said = ""
    try:
        values = parse_bounded_yaml(text, where="x")
        check_references(values, where="x")
    except RoomtoneError as error:
        said = str(error)
    assert "\n" not in said


def test_a_gigabyte_in_one_line_of_gzip_is_refused_by_its_size(tmp_path):
    """1.5 GB in one line, 1.5 MB on disk; read in a process that may take 700 MB."""
    path = tmp_path / "table.jsonl.gz"
    with gzip.open(path, "wb", compresslevel=6) as file:
        for _ in range(300):
            file.write(b'{"audio": "' if not _ else b"a" * 1_000_000)
    script = textwrap.dedent("""
        import resource, sys
        from pathlib import Path
        from roomtone.augment.corpora.readers.tables import read_rows
        from roomtone.core.errors import RoomtoneError
        resource.setrlimit(resource.RLIMIT_AS, (1_500_000_000, 1_500_000_000))
        try:
            list(read_rows(Path(sys.argv[1])))
        except RoomtoneError as error:
            print(error)
    """)
    done = subprocess.run(
        [sys.executable, "-P", "-c", script, str(path)], capture_output=True, text=True, timeout=300, check=False
    )
    assert "which no table has" in done.stdout, done.stderr[-1000:]


def test_lines_of_an_honest_table_are_read_as_before(tmp_path):
    from roomtone.core.bounded.lines import open_bounded_text

    (tmp_path / "t.csv").write_bytes("\ufeffa,b\r\né,2\n".encode())
    with open_bounded_text(tmp_path / "t.csv") as file:
        assert list(file) == ["a,b\r\n", "é,2\n"]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > 0
