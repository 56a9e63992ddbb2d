"""L2-ARCTIC: `SPK/{wav,transcript}/arctic_a0001.*`, 24 speakers of six first languages.

The corpus has no metadata file; the table of speakers is in its README, and here. All speakers read the same prompts,
and not all read all of them. The spontaneous part (`suitcase_corpus`) is not read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from roomtone.augment.corpora.readers.base import Reader
from roomtone.augment.corpora.utterance import Utterance
from roomtone.core.audio.segment import AudioRef
from roomtone.core.bounded.regular_files import read_text
from roomtone.core.errors import RoomtoneError

#: first language -> speaker -> gender. Languages are from the README; genders [recalled], two of each a language.
SPEAKERS = {
    "Arabic": {"ABA": "M", "SKA": "F", "YBAA": "M", "ZHAA": "F"},
    "Mandarin": {"BWC": "M", "LXC": "F", "NCC": "F", "TXHC": "M"},
    "Hindi": {"ASI": "M", "RRBI": "M", "SVBI": "F", "TNI": "F"},
    "Korean": {"HJK": "F", "HKK": "M", "YDCK": "F", "YKWK": "M"},
    "Spanish": {"EBVS": "M", "ERMS": "M", "MBMPS": "F", "NJS": "F"},
    "Vietnamese": {"HQTV": "M", "PNV": "F", "THV": "F", "TLV": "M"},
}


@dataclass(frozen=True)
class L2Arctic(Reader):
    """The L2-ARCTIC reader has no keys of its own."""

    kind: ClassVar[str] = "l2_arctic"

    def utterances(self) -> Iterator[Utterance]:
        """Yield the utterances of the speakers whose folders are there."""
        home = self.folder()
        files = self.audio_files(home)
        here = [(first, speaker, sex) for first, group in SPEAKERS.items() for speaker, sex in group.items()]
        here = [item for item in here if (home / item[1]).is_dir()]
        if not here:
            raise RoomtoneError(f"{home}: no folder of an L2-ARCTIC speaker (ABA, SKA, …) is in it")
        for first_language, speaker, sex in here:
            recorded = {path.stem for path in (home / speaker / "wav").glob("*.wav")}
            texts = {path.stem: path for path in (home / speaker / "transcript").glob("*.txt")}
            for name in sorted(recorded | set(texts)):
                file, problem = files.find(f"{speaker}/wav/{name}.wav")
                text = read_text(texts[name], errors="replace") if name in texts else None
                yield self.utterance(
                    f"{speaker}/{name}",
                    AudioRef(file),
                    text=None if text is None else " ".join(text.split()),
                    speaker=speaker,
                    accent=first_language,
                    attributes={"first_language": first_language, "gender": sex},
                    problem=problem,
                )
