"""The folder that is handed over: the terms, what was sent, what came back, what it says, and a hash of every file. Nothing in it runs.

claim.json        the terms, whose hash was registered
answers.jsonl     each request and its answer, failures too
certificate.json  what the counts say of the claim
index.html        the same for people
LICENCES.md       of the recordings
set/              the recordings with their labels and recipes, as `roomtone verify` reads them; nothing in it that was not sent
SHA256SUMS        of all other files, as `sha256sum -c` reads it
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomtone.core.bounded.lines import open_bounded_text
from roomtone.core.bounded.regular_files import check_regular, open_regular, read_bytes, read_json, read_text
from roomtone.core.dataset.manifest import read_manifest
from roomtone.core.errors import RoomtoneError
from roomtone.core.files import refuse_links, write_whole
from roomtone.fairness.bounty.claim import Terms, read_terms, write_terms
from roomtone.fairness.bounty.ruling import Ruling, rule, scores_of
from roomtone.fairness.bounty.sending import Sent

if TYPE_CHECKING:
    import pandas as pd

SUMS = "SHA256SUMS"
#: What is taken over from the set; its own pages, evaluations and local paths stay behind.
_OF_SET = ("README.md", "dataset.json", "config.yaml", "manifest", "audio", "rejected")
#: Endings of files that nothing runs.
_DATA = (".json", ".jsonl", ".md", ".html", ".yaml", ".parquet", ".flac", ".wav", ".opus")
_MOST_ANSWERS = 1_000_000
_LICENCES = "# Licences of the recordings"


@dataclass(frozen=True)
class Handed:
    """A folder that was handed over, its hashes checked.

    Attributes:
        folder, terms: where, and what was registered.
        rows: of the set's manifest, those that were sent.
        answers: one row a request: `round, sample_id, hypothesis, reason, seconds`.
        ruling: what the answers say, counted here and not read from the folder.
        licences: lines of its LICENCES.md, which its page repeats.
        page_checked: whether its page was compared with what follows from the answers: another version writes another page.
    """

    folder: Path
    terms: Terms
    rows: pd.DataFrame
    answers: pd.DataFrame
    ruling: Ruling
    licences: list[str]
    page_checked: bool

    @property
    def heard(self) -> dict[str, str | None]:
        """Return the texts of the first round by sample id."""
        return _heard(self.answers)


def write_folder(
    terms: Terms,
    sent: Sent,
    dataset: Path,
    to: Path,
    *,
    licences: Sequence[str],
    audio: bool = True,
    secret: str | None = None,
) -> tuple[Ruling, str]:
    """Write the folder and return what it says and the hash of its list of hashes.

    Args:
        terms: of the plan.
        sent: what came back.
        dataset: the set that was sent.
        to: the folder, which must be empty or absent.
        licences: lines on whom to credit and what is allowed, Markdown.
        audio: hand over the recordings; without them nobody can ask the recogniser again.
        secret: a key that must be in none of the files.

    Raises:
        RoomtoneError: the folder holds something, nothing came back, or the key is in a file.
    """
    if to.exists() and any(to.iterdir()):
        raise RoomtoneError(f"to: {to} holds something already; name another folder")
    for name in _OF_SET if audio else [one for one in _OF_SET if one != "audio"]:
        refuse_links(dataset / name)
        if (dataset / name).is_dir():
            shutil.copytree(dataset / name, to / "set" / name)
        elif (dataset / name).is_file():
            (to / "set").mkdir(parents=True, exist_ok=True)
            own = dataset / name
            check_regular(own)
            shutil.copyfile(own, to / "set" / name)
    write_terms(terms, to / "claim.json")
    rows = _rows_of(to / "set", sent.first["sample_id"])
    lines = [
        json.dumps(
            {"round": part, **{key: None if value != value else value for key, value in row.items()}},
            ensure_ascii=False,
        )
        for part, frame in (("first", sent.first), ("repeat", sent.repeat))
        for row in frame.to_dict("records")
    ]
    write_whole(to / "answers.jsonl", ("\n".join(lines) + "\n").encode())
    ruling, scores = _ruling(terms, rows, _heard(sent.first.assign(round="first")))
    write_whole(
        to / "certificate.json", (json.dumps(_certificate(terms, ruling, _counted(sent)), indent=1) + "\n").encode()
    )
    write_whole(to / "LICENCES.md", "\n".join([_LICENCES, "", *licences, ""]).encode())
    write_whole(to / "index.html", page_of(to, terms, ruling, sent, scores))
    if secret:
        _refuse_secret(to, secret)
    return ruling, _seal(to)


def _rows_of(dataset: Path, names: Any) -> pd.DataFrame:
    manifest = read_manifest(dataset)
    return manifest[manifest["sample_id"].isin(set(names))].reset_index(drop=True)


def _heard(answers: pd.DataFrame) -> dict[str, str | None]:
    first = answers[answers["round"] == "first"]
    return {
        name: text if isinstance(text, str) else None for name, text in zip(first["sample_id"], first["hypothesis"])
    }


def _counted(sent: Sent) -> dict[str, float]:
    return {"requests": sent.requests, "minutes": sent.minutes, "in_flight": sent.in_flight}


def _certificate(terms: Terms, ruling: Ruling, sent: Mapping[str, float]) -> dict[str, Any]:
    return {
        "format": "roomtone-bounty-certificate/1", "claim": str(terms.claim), "claim_sha256": terms.sha256,
        "recogniser": dict(terms.recogniser), "figures": ruling.to_json(), "sent": dict(sent),
    }  # fmt: skip


def _ruling(terms: Terms, rows: pd.DataFrame, heard: Mapping[str, str | None]) -> tuple[Ruling, pd.DataFrame]:
    """Return what answers say and the counts; a recording of the terms that has no answer is a failure."""
    scores = scores_of(rows, heard, terms.normalizer)
    return rule(terms.claim, scores, alpha=terms.alpha, missing=len(terms.utterances) - len(rows)), scores


def _refuse_secret(folder: Path, secret: str) -> None:
    for path in _files(folder):
        if secret.encode() in read_bytes(folder / path):
            raise RoomtoneError(
                f"{folder / path}: holds the key of the recogniser; hand nothing over, and take the key out of asr=…"
            )


def _files(folder: Path) -> Iterator[str]:
    """Yield the paths of all files but the list of hashes, sorted.

    Raises:
        RoomtoneError: a link, or a file of another kind than data.
    """
    refuse_links(folder)
    for path in sorted(folder.rglob("*")):
        if path.is_dir() or path == folder / SUMS:
            continue
        if not path.name.endswith(_DATA):
            raise RoomtoneError(f"{path}: a file of this kind has no place in the folder of a bounty")
        yield path.relative_to(folder).as_posix()


def _sum(path: Path) -> str:
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _seal(folder: Path) -> str:
    lines = [f"{_sum(folder / name)}  {name}\n" for name in _files(folder)]
    for path in folder.rglob("*"):
        os.chmod(path, 0o755 if path.is_dir() else 0o644)
    write_whole(folder / SUMS, "".join(lines).encode())
    return _sum(folder / SUMS)


def read_folder(folder: Path, registered: str | None = None) -> Handed:
    """Return a folder that was handed over; hashes, terms and figures are checked, nothing is asked.

    Args:
        folder: as `write_folder` makes it; a stranger may have made or changed it.
        registered: hash that the claimant sent beforehand; null where there was none.

    Raises:
        RoomtoneError: a file was changed, added or taken away, the claim is another than the registered one, or the stated figures do not
            follow from the answers.
    """
    _check_sums(folder)
    terms = read_terms(folder / "claim.json")
    if registered is not None and len(registered.strip()) != len(terms.sha256):
        raise RoomtoneError(f"registered: a hash has {len(terms.sha256)} digits, got {registered.strip()!r}")
    if registered is not None and registered.strip().lower() != terms.sha256:
        raise RoomtoneError(
            f"refused: the claim in {folder} has the hash {terms.sha256}, registered was {registered.strip()}: it is another claim"
        )
    answers = _read_answers(folder / "answers.jsonl")
    rows = _rows_of(folder / "set", answers["sample_id"])
    unknown = set(answers["sample_id"]) - set(rows["sample_id"])
    planned = set(rows["utterance_id"]) <= set(terms.utterances) and not rows["utterance_id"].duplicated().any()
    if unknown or not planned or not terms.claim.in_condition(rows).all() or not (rows["seed"] == terms.seed).all():
        raise RoomtoneError(f"refused: {folder} holds answers to recordings that the claim does not name")
    ruling, scores = _ruling(terms, rows, _heard(answers))
    stated = read_json(folder / "certificate.json")
    sent = _stated_sent(stated, answers)
    if sent is None or stated != json.loads(json.dumps(_certificate(terms, ruling, _counted(sent)))):
        raise RoomtoneError(
            f"refused: {folder / 'certificate.json'} does not follow from the answers; counted here: {ruling.sentence(terms.claim)}"
        )
    same_version = terms.made_by == f"roomtone {version('roomtone')}"
    if same_version and read_bytes(folder / "index.html") != page_of(folder, terms, ruling, sent, scores):
        raise RoomtoneError(
            f"refused: {folder / 'index.html'} does not follow from the answers; counted here: {ruling.sentence(terms.claim)}"
        )
    return Handed(folder, terms, rows, answers, ruling, _licences(folder), same_version)


def page_of(folder: Path, terms: Terms, ruling: Ruling, sent: Sent, scores: pd.DataFrame) -> bytes:
    """Return the page that follows from a folder.

    Args:
        folder: with its licences, and the recordings where they were handed over.
        terms, ruling, sent, scores: as read from it and counted.
    """
    from roomtone.fairness.bounty.page import descriptions, render_page

    return render_page(
        terms, ruling, sent, scores, _licences(folder), descriptions(folder / "set"), audio=(folder / "set" / "audio").is_dir()
    )  # fmt: skip


def _licences(folder: Path) -> list[str]:
    head, *lines = read_text(folder / "LICENCES.md").splitlines() or [""]
    if head != _LICENCES:
        raise RoomtoneError(f"refused: {folder / 'LICENCES.md'} is not of the form that a bounty writes")
    return lines[1:]


def _stated_sent(stated: Any, answers: pd.DataFrame) -> Sent | None:
    """Return what came back, with the requests that the certificate states; None where it states none."""
    counted = stated.get("sent") if isinstance(stated, dict) else None
    if not isinstance(counted, dict) or set(counted) != {"requests", "minutes", "in_flight"}:
        return None
    if not all(type(value) in (int, float) and 0 <= value < 1e12 for value in counted.values()):
        return None
    first, repeat = (answers[answers["round"] == part] for part in ("first", "repeat"))
    return Sent(first, repeat, counted["minutes"], counted["requests"], counted["in_flight"], 0)


def _check_sums(folder: Path) -> None:
    if not (folder / SUMS).is_file():
        raise RoomtoneError(f"{folder}: not the folder of a bounty, it has no {SUMS}")
    pairs = [line.partition("  ") for line in read_text(folder / SUMS).splitlines()]
    listed = {name: digest for digest, _, name in pairs}
    there = list(_files(folder))
    odd = sorted(set(listed) ^ set(there))
    changed = [name for name in there if name in listed and _sum(folder / name) != listed[name]]
    if odd or changed:
        what = (
            f"{changed[0]} was changed" if changed else f"{odd[0]} was {'taken away' if odd[0] in listed else 'added'}"
        )
        raise RoomtoneError(
            f"refused: {what} after the folder was written ({len(odd) + len(changed)} of {len(listed)} files do not hold)"
        )


def _read_answers(path: Path) -> pd.DataFrame:
    import pandas as pd

    keys: Mapping[str, tuple[type, ...]] = {
        "round": (str,), "sample_id": (str,), "hypothesis": (str, type(None)), "reason": (str, type(None)), "seconds": (int, float, type(None)),
    }  # fmt: skip
    rows: list[dict[str, Any]] = []
    try:
        with open_bounded_text(path) as file:
            for line in file:
                row = json.loads(line)
                if (
                    not isinstance(row, dict)
                    or set(row) != set(keys)
                    or not all(isinstance(row[k], kinds) for k, kinds in keys.items())
                ):
                    raise ValueError(f"line {len(rows) + 1} is no answer")
                rows.append(row)
                if len(rows) > _MOST_ANSWERS:
                    raise ValueError("too many lines")
    except (OSError, ValueError, RecursionError) as error:
        raise RoomtoneError(f"{path}: not the answers of a bounty ({error})") from error
    frame = pd.DataFrame(rows, columns=list(keys))
    if frame.duplicated(["round", "sample_id"]).any() or not set(frame["round"]) <= {"first", "repeat"}:
        raise RoomtoneError(f"{path}: a recording has two answers in one round, or the round is another")
    return frame
