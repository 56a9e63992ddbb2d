"""`roomtone evaluate`: transcribe a set, score it, compare groups across conditions, report; or check a certificate on it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomtone.core.errors import RoomtoneError
from roomtone.core.printable import printable

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from roomtone.fairness.settings import Settings

CONFIG_NAME = "evaluate"
HELP = "transcribe, score and compare accents across conditions"
DEMO_CORPUS = "demo"
#: What `asr` is where none is named.
_DEMO = "demo"
#: What a recogniser cannot do without, and what to type: its key, then an example.
_NEEDS = {
    "faster_whisper": ("model", "asr.model=tiny.en (a name that the library downloads, or a folder)"),
    "transformers": ("model", "asr.model=FOLDER (a model's folder, or its name in the hub)"),
    "http": ("url", "asr.url=http://localhost:8000/v1"),
    "command": ("command", "'asr.command=\"my-asr --wav {audio}\"'"),
}


def run(cfg: DictConfig) -> int:
    """Evaluate a set, print the verdicts, and return 0, or 3 where samples have no hypothesis."""
    from omegaconf import OmegaConf

    from roomtone.fairness.evaluation import evaluate
    from roomtone.fairness.report.page import summary_lines, write_report
    from roomtone.fairness.report.profile import write_profile
    from roomtone.fairness.results import evaluation_dir, last_recogniser, local_set

    values: Any = OmegaConf.to_container(cfg, resolve=True)
    if values["dataset"] is None:
        raise RoomtoneError("evaluate needs a set: roomtone evaluate dataset=DIR")
    dataset = local_set(values["dataset"])
    settings = read_settings(values, dataset)
    if values["certificate"] is not None:
        return _check(dataset, settings, values)
    folder = evaluation_dir(dataset, settings.to)
    before = last_recogniser(folder)
    result = evaluate(dataset, settings)
    now = last_recogniser(folder)
    written = write_report(result)
    for line in summary_lines(result):
        print(printable(line))
    if before is not None and now is not None and before != now:
        print(printable(f"replaces the report of {_named(before, now)}"))
    print(f"report: {written[0]} (the same as Markdown: {written[1].name}; of the recogniser alone: {written[2].name})")
    print(f"profile: {write_profile(result)[1]}")
    return 3 if result.failed else 0


def _named(recogniser: dict[str, Any], other: dict[str, Any]) -> str:
    """Return a recogniser's name; of the same one with other settings, those that differ from the other's."""
    name = str(recogniser.get("recogniser"))
    if name != other.get("recogniser"):
        return name
    keys = [key for key in recogniser if recogniser[key] != other.get(key)]
    return " ".join([name, *(f"asr.{key}={recogniser[key]}" for key in keys)])


def read_settings(values: dict[str, Any], dataset: Path) -> Settings:
    """Return the composed configuration as the evaluation's settings, `grammar: auto` made a path or null.

    Args:
        values: the composed configuration.
        dataset: the set's folder.
    """
    from roomtone.fairness.settings import Settings
    from roomtone.fairness.settings import read_settings as read

    known = {item.name for item in dataclasses.fields(Settings)}
    asked = {key: value for key, value in values.items() if key in known}
    found: Settings = read(
        Settings,
        asked | {"asr": _asr(dict(values["asr"]), dataset), "reference": values["reference_accent"], "progress": True},
    )
    return found


def _asr(asr: dict[str, Any], dataset: Path) -> dict[str, Any]:
    """Return the recogniser's settings; the demo corpus brings a grammar of its orders, which `auto` takes.

    Raises:
        RoomtoneError: a recogniser lacks what it cannot do without, or none is named for a set of another corpus.
    """
    check_needs(asr)
    if asr.get("grammar") != "auto" and asr.get("recogniser") != _DEMO:
        return asr
    from importlib.resources import files

    from roomtone.core.dataset.manifest import read_manifest

    is_demo = set(read_manifest(dataset, columns=["corpus"])["corpus"].dropna()) == {DEMO_CORPUS}
    if asr.get("recogniser") == _DEMO:
        if not is_demo:
            raise RoomtoneError(
                "asr: name the recogniser, e.g. asr=faster_whisper asr.model=tiny.en, or asr=hypotheses path=FILE; roomtone list asr names all"
            )
        asr |= {"recogniser": "pocketsphinx"}
    if asr.get("grammar") != "auto":
        return asr
    grammar = files("roomtone.augment") / "corpora" / "demo_data" / "ward_orders.gram"
    return asr | {"grammar": str(grammar) if is_demo else None}


def check_needs(asr: dict[str, Any]) -> None:
    """Refuse a recogniser that lacks what it cannot do without, and say what to type.

    Args:
        asr: its settings.
    """
    name = str(asr.get("recogniser"))
    key, example = _NEEDS.get(name, ("recogniser", ""))
    if asr.get(key) is None and example:
        raise RoomtoneError(f"asr={name} needs asr.{key}; write {example}")


def _check(dataset: Path, settings: Settings, values: dict[str, Any]) -> int:
    """Print whether this set upholds a certificate; 2 where it does not."""
    from roomtone.fairness.evaluation import score_dataset
    from roomtone.fairness.recognisers import public_identity
    from roomtone.fairness.results import evaluation_dir
    from roomtone.fairness.slices.certificate import read_certificate, verify_certificate

    certificate = read_certificate(values["certificate"])
    scores = score_dataset(dataset, settings)
    ruling = verify_certificate(
        certificate, scores, evaluation_dir(dataset) / "certificates.jsonl", budget=values["certificate_budget"], alpha=settings.alpha,
        speaker=settings.speaker, recogniser=public_identity(settings.asr),
    )  # fmt: skip
    print(printable(ruling.reason))
    if ruling.shared_samples:
        print(f"{ruling.reproduced} of {ruling.shared_samples} listed samples have the stated errors here")
    else:
        print("none of the samples it lists is in this set, so it is a holdout")
    print(f"{ruling.queries} of {ruling.budget} queries to this set are spent")
    return 0 if ruling.upheld else 2
