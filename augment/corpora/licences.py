"""What the licences of a set's corpora ask, as far as their names say it. It is a reading of names and no legal advice.

A render is an adaptation of its recording. So `NoDerivatives` forbids passing it on, `ShareAlike` binds it to its corpus's licence, and a
set made of corpora whose licences ask different things can be passed on in parts, each under its own, but not as a whole under one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from roomtone.core.printable import markdown_text

#: Licences that ask for nothing, or for the names of the authors only, beside the Creative Commons family.
_FREE = {"CC0-1.0", "PDDL-1.0", "Unlicense", "0BSD"}
_NAMED = {"MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ODC-By-1.0"}
_SHARED = {"ODbL-1.0"}
_CC = re.compile(r"CC-BY((?:-NC|-ND|-SA)*)-\d\.\d", re.IGNORECASE)


@dataclass(frozen=True)
class Terms:
    """What one licence asks; `known` is false where its name does not say."""

    licence: str
    known: bool = True
    attribution: bool = True
    non_commercial: bool = False
    no_derivatives: bool = False
    share_alike: bool = False


def terms(licence: str) -> Terms:
    """Return what a licence asks, by its SPDX identifier.

    >>> terms("CC-BY-NC-SA-4.0").non_commercial, terms("CC0-1.0").attribution, terms("LicenseRef-Ours").known
    (True, False, False)
    """
    if licence in _FREE:
        return Terms(licence, attribution=False)
    if licence in _NAMED or licence in _SHARED:
        return Terms(licence, share_alike=licence in _SHARED)
    match = _CC.fullmatch(licence)
    if match is None:
        return Terms(licence, known=False)
    parts = match[1].upper().split("-")
    return Terms(licence, non_commercial="NC" in parts, no_derivatives="ND" in parts, share_alike="SA" in parts)


def licence_notes(licences: Iterable[str | None]) -> list[str]:
    """Return what whoever passes a set on should know, one sentence each; nothing where nothing is asked.

    Args:
        licences: those of all corpora in the set; None where a corpus does not state one.
    """
    licences = list(licences)
    stated = sorted({licence for licence in licences if licence})
    found = [terms(licence) for licence in stated]
    notes = []
    if any(licence is None for licence in licences):
        notes.append("A corpus in this set states no licence: ask its owners before passing the set on.")
    for one in found:
        if not one.known:
            notes.append(f"{one.licence}: the name does not say what it asks; read it before passing the set on.")
        if one.no_derivatives:
            notes.append(f"{one.licence} allows no adaptations, and a render is one: its samples may not be passed on.")
    commercial = [one.licence for one in found if one.non_commercial]
    if commercial:
        notes.append(f"Samples under {', '.join(commercial)} may not be used commercially.")
    return notes + _conflicts(found)


def _conflicts(found: list[Terms]) -> list[str]:
    """Return which licences cannot be met by one licence for the whole set."""
    shared = [one for one in found if one.share_alike]
    notes = []
    if len({_family(one) for one in shared}) > 1:
        names = " and ".join(one.licence for one in shared)
        notes.append(f"Incompatible: {names} each ask that adaptations bear that very licence.")
    for one in shared:
        others = [
            other.licence
            for other in found
            if other.non_commercial and not one.non_commercial and not other.share_alike
        ]
        if others:
            notes.append(
                f"Incompatible: {one.licence} asks that adaptations may be used commercially, {', '.join(others)} that not."
            )
    if notes:
        notes.append(
            "So the set as a whole can bear no one licence: keep each sample under its corpus's own (column `attr_licence`)."
        )
    return notes


def _family(one: Terms) -> tuple[bool, bool, str]:
    """Return what makes two ShareAlike licences one: Creative Commons lets later versions stand for earlier ones."""
    match = _CC.fullmatch(one.licence)
    return one.non_commercial, match is None, "" if match else one.licence


def set_licences(dataset: str | Path) -> list[str | None]:
    """Return the licences of a set's samples, each once, sorted; None, last, where a sample bears none.

    Args:
        dataset: the set's folder or URL.

    Raises:
        RoomtoneError: it holds no manifest.
    """
    from roomtone.core.dataset.manifest import common_schema, manifest_parts, read_part

    parts = manifest_parts(dataset)
    schema = common_schema(parts)
    found: set[str | None] = set()
    for part in parts:
        named = "attr_licence" in schema.names
        found |= set(read_part(part, schema, ["attr_licence"])[0].to_pylist()) if named else {None}
    return [*sorted(licence for licence in found if licence), *([None] if None in found else [])]


def credit_lines(dataset: str | Path, corpora: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the card's lines on whom to credit and what the licences ask, in Markdown.

    Args:
        dataset: the set's folder or URL.
        corpora: the keys of each run's corpus, from `dataset.json`.

    Raises:
        RoomtoneError: it holds no manifest.
    """
    named = {str(corpus.get("name") or corpus.get("reader")): corpus for corpus in corpora}
    lines = [
        f"- {markdown_text(name)}: {markdown_text(corpus.get('attribution') or 'nobody to credit was stated')}; "
        f"licence {markdown_text(corpus.get('licence') or 'not stated')}."
        for name, corpus in sorted(named.items())
    ]
    return lines + [f"- {markdown_text(note)}" for note in licence_notes(set_licences(dataset))]
