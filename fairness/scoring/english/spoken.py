"""`spoken_english`: English as it is said, however it is written.

"8, 8, 1", "881" and "eight eight one" are the same words, and so are "$5.50" and "five dollars fifty", "1.5 mg" and "one point five
milligrams", "it's" and "it is", "colour" and "color". Where a figure can be read in several ways the text keeps them all, and scoring
counts the one that is nearest to the other side. "1.5 mg" has no reading "fifteen milligrams".

Sources of the conventions: what Whisper's English normaliser equates (Radford and others 2022, appendix C), and the readings of figures
in NIST's SCTK filter `en20030506.glm`. The code is our own.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator, Sequence

from roomtone.fairness.scoring.english import words
from roomtone.fairness.scoring.english.figures import SCALES, TENS, UNITS, Reading
from roomtone.fairness.scoring.english.readings import NUMBER, READERS, measure, readings_of

#: A word, or the ways in which what is written there can be read; the first is the plainest.
Token = str | tuple[Reading, ...]

_APOSTROPHES = str.maketrans(
    dict.fromkeys("\u2018\u2019\u02bc\uff07`\u00b4", "'") | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-")
)
_VULGAR = re.compile(r"(?<=\d)(?=[\u00bc-\u00be\u2150-\u215e])")
#: Letters of any script with the marks that combine with them.
_MARKS = "".join(c for c in map(chr, range(0x300, 0x20000)) if unicodedata.category(c)[0] == "M")
_LETTER = rf"(?:[^\W\d_]|[{_MARKS}])"
_UNIT = "|".join(re.escape(unit) for unit in words.UNITS)
_MONTH = "|".join(sorted(words.MONTHS, key=len, reverse=True))
_TOKEN = re.compile(
    rf"""
    (?P<money>[{"".join(map(re.escape, words.MONEY))}]\s?(?:{NUMBER})(?i:\s?(?:k|m|bn|thousand|million|billion|trillion)\b)?)
  | (?P<clock>\b\d{{1,2}}:\d{{2}}(?!\d|:)(?i:\s?[ap]\.?\s?m\b\.?)?|\b\d{{1,2}}(?i:\s?[ap]\.?\s?m\b\.?))
  | (?P<date>\b(?i:{_MONTH})\.?\s\d{{1,2}}(?:st|nd|rd|th)?\b(?![:/]?\d)|\b\d{{1,2}}(?:st|nd|rd|th)?\s(?:of\s)?(?i:{_MONTH})\b)
  | (?P<decade>'?\b\d?\d?\d0'?s\b)
  | (?P<ordinal>\b\d+(?:,\d{{3}})*(?i:st|nd|rd|th)\b)
  | (?P<mixed>\b\d+[\s-]\d{{1,3}}[/\u2044]\d{{1,3}}(?![/\d]))
  | (?P<fraction>\b\d{{1,3}}[/\u2044]\d{{1,3}}(?![/\d]))
  | (?P<ratio>\b\d+:\d+(?!:))
  | (?P<version>\b\d+(?:\.\d+){{2,}})
  | (?P<measure>(?:{NUMBER})\s?(?i:{_UNIT})(?![\w/]))
  | (?P<number>(?:{NUMBER}))
  | (?P<initials>\b(?:[A-Za-z]\.)+[A-Za-z]\b\.?|\b[A-Z]{{2,5}}(?![\w'-]))
  | (?P<word>(?:'(?=(?i:cause|em|til|bout)\b))?{_LETTER}(?:{_LETTER}|'(?={_LETTER}))*)
  | (?P<sign>[%&+@=\u00b0\#/-]|(?<=\w\w)\.(?=\w\w))
    """,
    re.VERBOSE,
)
#: Marks a hyphen between words until `_compounds` has read it.
_HYPHEN = "-"
_SIGNS = {"%": "percent", "&": "and", "+": "plus", "@": "at", "=": "equals", "\u00b0": "degrees"}
_DIGIT_WORDS = frozenset(UNITS) | frozenset(TENS[2:])
_MULTIPLES = {"double": 2, "triple": 3, "treble": 3}
_BESIDE_OH = _DIGIT_WORDS | set(_MULTIPLES)


def spoken_english(text: str) -> list[Token]:
    """Return the tokens of an English text.

    Args:
        text: a reference or a hypothesis.

    >>> spoken_english("It's 8, 8, 1")
    ['it', (('is',), ('has',)), 'eight', 'eight', 'one']
    """
    if _SIMPLE.fullmatch(text) and not _CAPITALS.search(text):
        return _simple(text)
    prepared = _VULGAR.sub(" ", text.translate(_APOSTROPHES))
    folded = unicodedata.normalize("NFKC", prepared).translate(_APOSTROPHES)
    kept = "".join(c for c in folded if unicodedata.category(c) != "Cf")
    if not any(c.islower() for c in kept):
        kept = kept.lower()  # a transcript in capitals holds no initials
    found: list[Token] = []
    for match in _TOKEN.finditer(kept):
        found += _read(match)
    return list(_joined_letters(_number_words(list(_compounds(_plain(found))))))


#: Words with nothing between them but spaces and commas: most transcripts, and no figure, hyphen or initial in them.
_SIMPLE = re.compile(r"[A-Za-z]+(?:'[A-Za-z]+)*(?:[,;:?!]? [A-Za-z]+(?:'[A-Za-z]+)*)*[?!]?")
_CAPITALS = re.compile(r"[A-Z]{2}")
_SIMPLE_WORD = re.compile(r"[A-Za-z']+")
#: Words that the next one may change.
_IN_CONTEXT = frozenset({"and", "a", "oh", "o", "cent", *_MULTIPLES})


def _simple(text: str) -> list[Token]:
    """Return what the whole way returns for a text of plain words, in a tenth of the time."""
    found: list[Token] = []
    letters = False
    for word in _SIMPLE_WORD.findall(text.lower()):
        letters = letters or len(word) == 1
        found += _simple_word(word)
    if letters or not _IN_CONTEXT.isdisjoint(token for token in found if isinstance(token, str)):
        return list(_joined_letters(_number_words(found)))
    return found


@functools.lru_cache(maxsize=1 << 16)
def _simple_word(word: str) -> tuple[Token, ...]:
    return tuple(_plain(_word(word, False)))


def _read(match: re.Match[str]) -> list[Token]:
    kind, part = str(match.lastgroup), match[0]
    lower = part.casefold()
    if kind == "word":
        if lower == "no" and re.match(r"\.\s?\d", match.string[match.end() :]):
            return ["number"]
        return _word(lower, match.string[match.end() : match.end() + 1] == ".")
    if kind == "sign":
        return _sign(lower, match)
    if kind == "initials":
        letters = tuple(lower.replace(".", ""))
        own = _word("".join(letters), False)  # ML is a unit too, as ml is
        if len(own) != 1:
            return own
        readings = ((own[0],),) if isinstance(own[0], str) else own[0]
        return [tuple(dict.fromkeys((*readings, letters)))]
    if kind == "number":
        return [readings_of(lower)]
    if kind == "measure":
        return list(measure(lower))
    return [READERS[kind](lower)]


def _plain(tokens: Sequence[Token]) -> list[Token]:
    """Return the tokens with those of one reading written out."""
    out: list[Token] = []
    for token in tokens:
        if isinstance(token, str):
            out.append(token)
        elif len(token) == 1:
            out += token[0]
        else:
            out.append(token)
    return out


def _word(word: str, dotted: bool) -> list[Token]:
    if word in words.FILLERS:
        return []
    if word in words.CONTRACTIONS:
        return [_spelt(words.CONTRACTIONS[word])]
    stem, apostrophe, ending = word.rpartition("'")
    if apostrophe and ending == "t" and stem.endswith("n") and stem[:-1] in words.NOT_CONTRACTED:
        return [words.canonical_spelling(stem[:-1]), "not"]
    if apostrophe and ending in words.CONTRACTED:
        return [stem, tuple((full,) for full in words.CONTRACTED[ending])]
    if apostrophe and ending == "s" and stem in words.BEFORE_IS:
        return [stem, (("is",), ("has",))]
    if apostrophe and ending == "s":
        return [((words.canonical_spelling(word),), (words.canonical_spelling(stem + "s"),))]
    if word in words.ABBREVIATIONS and (dotted or word not in words.DOTTED_ONLY):
        return [_spelt(words.ABBREVIATIONS[word])]
    if word in words.ALONE:
        return [words.unit_words(word)]
    return [words.canonical_spelling(word)]


def _spelt(readings: tuple[Reading, ...]) -> tuple[Reading, ...]:
    return tuple(tuple(words.canonical_spelling(word) for word in reading) for reading in readings)


def _sign(sign: str, match: re.Match[str]) -> list[Token]:
    text, start, end = match.string, match.start(), match.end()
    if sign == "-":
        if end < len(text) and text[end].isdigit() and (start == 0 or text[start - 1].isspace()):
            return [(("minus",), ("negative",))]
        joined = start > 0 and end < len(text) and text[start - 1].isdigit() and text[end].isdigit()
        between = start > 0 and end < len(text) and text[start - 1].isalnum() and text[end].isalnum()
        return [((), ("to",), ("dash",), ("through",))] if joined else [_HYPHEN] if between else []
    if sign == "#":
        return [(("number",), ("hash",), ("hashtag",), ("pound",))] if end < len(text) and text[end].isdigit() else []
    if sign == ".":
        return [((), ("dot",), ("point",))]
    if sign == "/":
        return [((), ("slash",), ("or",), ("per",))]
    return [_SIGNS[sign]]


def _compounds(tokens: list[Token]) -> Iterator[Token]:
    """Yield the tokens; words joined by hyphens may be read as one word, written-out numbers aside."""
    run: list[str] = []
    for k, token in enumerate(tokens):
        if token == _HYPHEN:
            continue
        if run and isinstance(token, str) and tokens[k - 1] == _HYPHEN:
            run.append(token)
            continue
        yield from _compound(run)
        run = [token] if isinstance(token, str) else []
        if not run:
            yield token
    yield from _compound(run)


def _compound(run: list[str]) -> list[Token]:
    if len(run) < 2 or not _DIGIT_WORDS.isdisjoint(run):
        return list(run)
    return [(tuple(run), (words.canonical_spelling("".join(run)),))]


def _number_words(tokens: list[Token]) -> list[Token]:
    """Return written-out numbers in one form: no "and" after hundred, "a hundred" as "one hundred", "oh" as "zero", doubles written out."""
    out: list[Token] = []
    for k, token in enumerate(tokens):
        before, after = (out[-1] if out else None), (tokens[k + 1] if k + 1 < len(tokens) else None)
        big = ("hundred", *SCALES[1:])
        if token == "and" and before in big and after in _DIGIT_WORDS:
            continue
        if token == "a" and after in big:
            out.append("one")
        elif token == "cent" and before == "per":
            out[-1] = "percent"
        else:
            if token in ("oh", "o") and (_said(before, -1) in _BESIDE_OH or _said(after, 0) in _DIGIT_WORDS):
                token = "zero"
            if isinstance(before, str) and before in _MULTIPLES and token in _DIGIT_WORDS:
                out[-1:] = [token] * _MULTIPLES[before]
                continue
            out.append(token)
    return out


def _said(token: Token | None, which: int) -> str | None:
    """Return the first (0) or last (-1) word of a token as it is most often read."""
    return token if token is None or isinstance(token, str) else (token[0] or (None,))[which]


def _joined_letters(tokens: list[Token]) -> Iterator[Token]:
    """Yield the tokens; a run of single letters ("m r i") may be read as the word they spell."""
    run: list[str] = []
    for token in [*tokens, ""]:
        if isinstance(token, str) and len(token) == 1 and token.isalpha():
            run.append(token)
            continue
        if len(run) > 1:
            yield (tuple(run), ("".join(run),))
        else:
            yield from run
        run = []
        if token != "":
            yield token
