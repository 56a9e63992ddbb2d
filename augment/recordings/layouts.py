"""Noise corpora on disk: which files, from which source, in which split.

A *group* is what two files share when they are not independent: a source recording, an environment, a day at a place.
A *split* is the corpus's own division, so that a recogniser trained on one part is not tested on it.
Layouts (K. marks what is recalled and not checked against the corpus itself):

* `folder`: any folder of audio, any depth; group = the file's folder, or the file itself at the top; split = the first
  folder's name where that is train, dev, valid, test or eval.
* `musan` (SLR17): `{music,speech,noise}/<source>/*.wav`; split = music, speech or noise; group = the file.
* `demand`: `<ENVIRONMENT>/ch01.wav … ch16.wav`, sixteen microphones of one recording: one file is taken, `ch01`
  unless `channel` says another; group = the environment.
* `esc50`: `audio/{fold}-{clip}-{take}-{class}.wav` (naming K.); split = `fold1` … `fold5`; group = fold and clip, because
  fragments of one source share them.
* `wham`: `{tr,cv,tt}/*.wav` (K.); split = the folder; group = place and day from `locNN_dayN` in the name, else the file.
* `qut`: `<SCENARIO>-<LOCATION>-<SESSION>.wav` in five scenarios of two locations (K.); split = the scenario in lower
  case; group = scenario and location.
* `rirs_noises` (SLR28): `pointsource_noises/*.wav` and the files of `real_rirs_isotropic_noises/` with `noise` in their name (K.); group =
  the file; split = the folder. Its impulse responses are rooms: `room=[small=folder:…/simulated_rirs/smallroom/Room001]`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from roomtone.core.audio.reading import BadAudioError, inspect
from roomtone.core.audio.recording_files import AUDIO_SUFFIXES
from roomtone.core.errors import RoomtoneError, nearest

_LOG = logging.getLogger("roomtone")
_SPLIT_NAMES = ("train", "dev", "valid", "validation", "test", "eval")
_ESC50 = re.compile(r"(?P<fold>[1-5])-(?P<clip>\d+)-(?P<take>[A-Z]+)-(?P<label>\d+)")
_WHAM = re.compile(r"loc\d+_day\d+")
_QUT = re.compile(r"(?P<scenario>CAFE|HOME|STREET|CAR|REVERB)-(?P<location>[A-Z0-9]+)", re.IGNORECASE)

#: (group, split) of a file.
Membership = tuple[str, str | None]


@dataclass(frozen=True)
class NoiseFile:
    """One recording of a noise corpus.

    Attributes:
        id: the same when the folder moves.
        path: its file.
        group, split: see above.
        num_frames: its length at its own rate.
        sample_rate_hz: that rate, Hz.
    """

    id: str
    path: Path
    group: str
    split: str | None
    num_frames: int
    sample_rate_hz: int


def scan_noise(path: str | Path, layout: str, *, channel: int = 1) -> list[NoiseFile]:
    """Return the recordings of a noise corpus, sorted by id; a file that cannot be read is left out, and said in the log.

    Args:
        path: the corpus's folder, or the one above it; for `folder` also a single file.
        layout: `folder`, `musan`, `demand`, `esc50`, `wham`, `qut` or `rirs_noises`.
        channel: which of DEMAND's sixteen microphones, 1 to 16.

    Raises:
        RoomtoneError: no such folder, unknown layout, no file of that layout, or none that can be read.
    """
    if layout not in LAYOUTS:
        raise RoomtoneError(f"noise recordings: unknown kind {layout!r}; {nearest(layout, LAYOUTS)}")
    if not 1 <= channel <= 16:
        raise RoomtoneError(f"noise recordings: channel must be 1 to 16, got {channel}")
    root = Path(path).expanduser()
    if root.is_file() and layout == "folder":
        return [_noise_file(root.name, root, (root.name, None))]
    if not root.is_dir():
        raise RoomtoneError(f"noise recordings: no folder {str(root)!r}")
    folder, files = _find(root, layout, channel)
    if not files:
        raise RoomtoneError(f"noise recordings: no audio of kind {layout!r} under {str(root)!r}; {_EXPECTED[layout]}")
    return _readable(root, [(f"{layout}/{name}", folder / name, membership) for name, membership in files])


def _readable(root: Path, files: list[tuple[str, Path, Membership]]) -> list[NoiseFile]:
    found: list[NoiseFile] = []
    reasons: list[str] = []
    for name, file, membership in files:
        try:
            found.append(_noise_file(name, file, membership))
        except BadAudioError as error:
            reasons.append(str(error))
    if not found:
        raise RoomtoneError(
            f"noise recordings: none of {len(files)} files under {str(root)!r} can be read; the first: {reasons[0]}"
        )
    for reason in reasons:
        _LOG.warning(f"noise recording rejected: {reason}")
    return found


def _find(root: Path, layout: str, channel: int) -> tuple[Path, list[tuple[str, Membership]]]:
    """Return the folder in which the layout was found, and the sorted files there; its sub-folders are searched as well."""
    for folder in (root, *sorted(child for child in root.iterdir() if child.is_dir())):
        names = sorted(_audio_names(folder))
        files = [(name, found) for name in names if (found := LAYOUTS[layout](name, channel)) is not None]
        if files or layout == "folder":
            return folder, files
    return root, []


def _audio_names(folder: Path) -> Iterable[str]:
    for file in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)  # e.g. macOS's ._ files
        if file.suffix.lower() in AUDIO_SUFFIXES and not hidden and file.is_file():
            yield file.relative_to(folder).as_posix()


def _noise_file(name: str, file: Path, membership: Membership) -> NoiseFile:
    info = inspect(str(file))
    return NoiseFile(name, file, *membership, info.frames, info.sample_rate_hz)


def _folder(name: str, channel: int) -> Membership | None:
    del channel
    parts = name.split("/")
    split = parts[0].lower() if len(parts) > 1 and parts[0].lower() in _SPLIT_NAMES else None
    return ("/".join(parts[:-1]) if len(parts) > (1 if split is None else 2) else name), split


def _musan(name: str, channel: int) -> Membership | None:
    del channel
    parts = name.split("/")
    return (name, parts[0]) if len(parts) == 3 and parts[0] in ("music", "speech", "noise") else None


def _demand(name: str, channel: int) -> Membership | None:
    parts = name.split("/")
    wanted = len(parts) == 2 and Path(parts[-1]).stem.lower() == f"ch{channel:02d}"
    return (parts[-2], None) if wanted else None


def _esc50(name: str, channel: int) -> Membership | None:
    del channel
    folder, _, file = name.rpartition("/")
    match = _ESC50.fullmatch(Path(file).stem) if folder == "audio" else None
    return (f"fold{match['fold']}/{match['clip']}", f"fold{match['fold']}") if match else None


def _wham(name: str, channel: int) -> Membership | None:
    del channel
    parts = name.split("/")
    if len(parts) != 2 or parts[0] not in ("tr", "cv", "tt"):
        return None
    match = _WHAM.search(parts[-1])
    return (match[0] if match else name), parts[0]


def _qut(name: str, channel: int) -> Membership | None:
    del channel
    match = _QUT.match(Path(name).stem) if "/" not in name else None
    return (f"{match['scenario']}-{match['location']}".upper(), match["scenario"].lower()) if match else None


def _rirs_noises(name: str, channel: int) -> Membership | None:
    del channel
    folder, _, file = name.rpartition("/")
    if folder == "pointsource_noises" or (folder == "real_rirs_isotropic_noises" and "noise" in file.lower()):
        return name, folder
    return None


LAYOUTS: dict[str, Callable[[str, int], Membership | None]] = {
    "folder": _folder,
    "musan": _musan,
    "demand": _demand,
    "esc50": _esc50,
    "wham": _wham,
    "qut": _qut,
    "rirs_noises": _rirs_noises,
}
#: What the owners of a corpus ask, as (name, licence by its SPDX identifier); a copy may bear another, so its own LICENSE counts.
LICENCES = {
    "musan": ("MUSAN (OpenSLR 17)", "CC-BY-4.0"),
    "demand": ("DEMAND", "CC-BY-SA-3.0"),
    "esc50": ("ESC-50", "CC-BY-NC-3.0"),
    "wham": ("WHAM! noise", "CC-BY-NC-4.0"),
    "qut": ("QUT-NOISE", "CC-BY-SA-3.0"),
    "rirs_noises": ("RIRS_NOISES (OpenSLR 28)", "Apache-2.0"),
}
_EXPECTED = {
    "folder": f"expected files ending in {', '.join(AUDIO_SUFFIXES)}",
    "musan": "expected music/, speech/ and noise/ with one folder for each source",
    "demand": "expected <ENVIRONMENT>/ch01.wav and so on",
    "esc50": "expected audio/{fold}-{clip}-{take}-{class}.wav",
    "wham": "expected tr/, cv/ and tt/",
    "qut": "expected files such as CAFE-FOODCOURTB-1.wav",
    "rirs_noises": "expected pointsource_noises/ and real_rirs_isotropic_noises/",
}
