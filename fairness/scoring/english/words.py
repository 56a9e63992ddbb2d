"""Tables of English words: contractions, fillers, abbreviations, units, money, and spelling variants with their rules.

Each table maps to one form on both sides of a comparison, so which of two spellings is taken does not matter.
"""

from __future__ import annotations

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FILLERS = frozenset({"uh", "um", "uhm", "umm", "erm", "er", "hmm", "hm", "mm", "mmm", "mhm", "uhh", "ehm"})

#: Contraction -> its expansions, all of the same length, so that the number of words does not depend on which is nearer.
CONTRACTIONS: dict[str, tuple[tuple[str, ...], ...]] = {
    "won't": (("will", "not"),), "can't": (("can", "not"),), "cannot": (("can", "not"),), "shan't": (("shall", "not"),),
    "ain't": (("is", "not"), ("am", "not"), ("are", "not"), ("has", "not"), ("have", "not")),
    "let's": (("let", "us"),), "i'm": (("i", "am"),), "y'all": (("you", "all"),), "o'clock": (("o'clock",),), "ma'am": (("madam",),),
    "gonna": (("going", "to"),), "wanna": (("want", "to"), ("want", "a")), "gotta": (("got", "to"), ("got", "a")),
    "gimme": (("give", "me"),), "lemme": (("let", "me"),), "dunno": (("do", "not", "know"),), "kinda": (("kind", "of"),),
    "sorta": (("sort", "of"),), "outta": (("out", "of"),), "'cause": (("because",),), "'em": (("them",),), "'til": (("until",),),
    "c'mon": (("come", "on"),), "'bout": (("about",),),
}  # fmt: skip
#: Ending after an apostrophe -> the words it may stand for.
CONTRACTED = {"re": ("are",), "ve": ("have",), "ll": ("will", "shall"), "d": ("would", "had", "did")}
#: Words after which 's is "is", "has" or "us" rather than a possessive.
BEFORE_IS = _words(
    "it he she that this what who where when how why there here everything something nothing everyone someone everybody "
    "somebody one"
)
NOT_CONTRACTED = _words("do does did is are was were has have had would could should must need might dare ought may")

ABBREVIATIONS: dict[str, tuple[tuple[str, ...], ...]] = {
    "mr": (("mister",),), "mrs": (("missus",), ("misses",)), "dr": (("doctor",), ("drive",)), "prof": (("professor",),),
    "st": (("saint",), ("street",)), "jr": (("junior",),), "sr": (("senior",),), "vs": (("versus",),), "etc": (("et", "cetera"),),
    "approx": (("approximately",),), "dept": (("department",),), "ave": (("avenue",),), "rd": (("road",),), "ft": (("feet",), ("fort",)),
    "mt": (("mount",),), "lt": (("lieutenant",),), "col": (("colonel",),), "capt": (("captain",),), "gen": (("general",),),
    "sgt": (("sergeant",),), "rev": (("reverend",),), "hon": (("honourable",),), "ok": (("okay",),), "tv": (("tv",), ("television",)),
    "govt": (("government",),), "esq": (("esquire",),), "max": (("max",), ("maximum",)), "min": (("min",), ("minutes",), ("minimum",)),
}  # fmt: skip

#: Unit as written -> singular and plural as spoken, each a text.
_UNITS = {
    "mg": "milligram", "g": "gram", "kg": "kilogram", "mcg": "microgram", "µg": "microgram", "μg": "microgram", "ug": "microgram",
    "ng": "nanogram", "ml": "milliliter", "cl": "centiliter", "dl": "deciliter", "l": "liter", "cc": "cc", "mm": "millimeter",
    "cm": "centimeter", "m": "meter", "km": "kilometer", "mi": "mile", "lb": "pound", "lbs": "pound", "oz": "ounce", "yd": "yard",
    "hz": "hertz", "khz": "kilohertz", "mhz": "megahertz", "ghz": "gigahertz", "kb": "kilobyte", "mb": "megabyte", "gb": "gigabyte",
    "tb": "terabyte", "w": "watt", "kw": "kilowatt", "mw": "megawatt", "kwh": "kilowatt hour", "v": "volt", "kv": "kilovolt",
    "mv": "millivolt", "ma": "milliamp", "j": "joule", "kj": "kilojoule", "kcal": "kilocalorie", "db": "decibel", "s": "second",
    "sec": "second", "secs": "second", "ms": "millisecond", "mins": "minute", "min": "minute", "h": "hour", "hr": "hour", "hrs": "hour",
    "mph": "mile per hour", "kph": "kilometer per hour", "kmh": "kilometer per hour", "km/h": "kilometer per hour", "m/s": "meter per second",
    "bpm": "beat per minute", "rpm": "revolution per minute", "mmol": "millimole", "mmhg": "millimeter of mercury", "iu": "international unit",
    "mg/ml": "milligram per milliliter", "mg/kg": "milligram per kilogram", "mg/l": "milligram per liter", "mg/dl": "milligram per deciliter",
    "ml/h": "milliliter per hour", "mmol/l": "millimole per liter", "psi": "psi", "kpa": "kilopascal", "ha": "hectare", "ft": "foot",
    "in": "inch", "yr": "year", "yrs": "year", "wk": "week", "wks": "week", "fps": "frame per second", "px": "pixel", "k": "thousand",
    "bn": "billion", "mn": "million", "mol": "mole", "°c": "degree celsius", "°f": "degree fahrenheit", "°": "degree", "%": "percent",
    "p": "pence", "¢": "cent", "ma/h": "milliamp hour",
}  # fmt: skip
_UNCOUNTED = frozenset(
    {"hertz", "kilohertz", "megahertz", "gigahertz", "thousand", "million", "billion", "percent", "psi", "cc", "pence"}
)
_PLURALS = {
    "foot": "feet",
    "inch": "inches",
    "degree celsius": "degrees celsius",
    "degree fahrenheit": "degrees fahrenheit",
}
#: Units that are read as units without a figure before them as well: nothing else is written so.
ALONE = _words("mg kg mcg ml cl dl mm cm km khz mhz ghz kb gb tb kw kwh mph kph kmh bpm rpm mmol mmhg lbs oz kcal hz")
#: Units that are words or letters too: with a space before them they may be meant as those.
ALSO_WORDS = _words("m g l w v j s h p k in ma mi ha min ft")
#: Abbreviations that are words as well: expanded only with their full stop.
DOTTED_ONLY = _words("max min col gen hon rev st mt lt ft ave rd")
UNITS = tuple(sorted(_UNITS, key=len, reverse=True))

MONEY = {
    "$": ("dollar", "dollars", "cent", "cents"), "£": ("pound", "pounds", "penny", "pence"), "€": ("euro", "euros", "cent", "cents"),
    "¥": ("yen", "yen", "sen", "sen"), "₹": ("rupee", "rupees", "paisa", "paise"), "₩": ("won", "won", "jeon", "jeon"),
    "₦": ("naira", "naira", "kobo", "kobo"),
}  # fmt: skip
_MONTH_NAMES = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
#: Month as written -> its name.
MONTHS = {name: name for name in _MONTH_NAMES} | {name[:3]: name for name in _MONTH_NAMES} | {"sept": "september"}


def unit_words(unit: str) -> tuple[tuple[str, ...], ...]:
    """Return how a unit is spoken: plural, singular, spelt out letter by letter.

    Args:
        unit: as it is written, e.g. `mg`.

    >>> unit_words("mg")
    (('milligrams',), ('milligram',), ('m', 'g'), ('mg',))
    """
    one = _UNITS[unit]
    head, *rest = one.split(" ")
    many = _PLURALS.get(one) or (one if one in _UNCOUNTED else " ".join([_PLURALS.get(head, head + "s"), *rest]))
    found = [tuple(many.split()), tuple(one.split())]
    if "degree" in one and len(unit) == 2:
        found += [(name, word) for name in ("degrees", "degree") for word in (unit[1],)]
        found += [(one.split()[1],), ("degrees", "centigrade")] if unit == "°c" else [(one.split()[1],)]
    if unit.isalpha():
        found += [tuple(unit), (unit,)]
    return tuple(dict.fromkeys(found))


#: British -> American, for what the rules below do not reach.
_SPELLINGS = {
    "grey": "gray", "tyre": "tire", "tyres": "tires", "cheque": "check", "cheques": "checks", "plough": "plow", "ploughs": "plows",
    "programme": "program", "programmes": "programs", "aluminium": "aluminum", "jewellery": "jewelry", "sceptical": "skeptical",
    "sceptic": "skeptic", "storey": "story", "storeys": "stories", "draught": "draft", "draughts": "drafts", "pyjamas": "pajamas",
    "moustache": "mustache", "mould": "mold", "moulds": "molds", "mouldy": "moldy", "smoulder": "smolder", "ageing": "aging",
    "acknowledgement": "acknowledgment", "judgement": "judgment", "defence": "defense", "offence": "offense", "licence": "license",
    "licences": "licenses", "pretence": "pretense", "practise": "practice", "practised": "practiced", "practising": "practicing",
    "yoghurt": "yogurt", "whisky": "whiskey", "tonne": "ton", "tonnes": "tons", "axe": "ax", "kerb": "curb", "gaol": "jail",
    "manoeuvre": "maneuver", "manoeuvres": "maneuvers", "anaesthetic": "anesthetic", "anaesthesia": "anesthesia", "anaemia": "anemia",
    "anaemic": "anemic", "paediatric": "pediatric", "paediatrician": "pediatrician", "haemoglobin": "hemoglobin", "haemorrhage": "hemorrhage",
    "oesophagus": "esophagus", "diarrhoea": "diarrhea", "foetus": "fetus", "foetal": "fetal", "oestrogen": "estrogen", "oedema": "edema",
    "orthopaedic": "orthopedic", "gynaecology": "gynecology", "gynaecologist": "gynecologist", "leukaemia": "leukemia",
    "caesarean": "cesarean", "haematology": "hematology", "encyclopaedia": "encyclopedia", "mediaeval": "medieval", "archaeology": "archeology",
    "alright": "okay", "catalogue": "catalog", "dialogue": "dialog", "analogue": "analog", "monologue": "monolog", "prologue": "prolog",
    "skilful": "skillful", "wilful": "willful", "fulfil": "fulfill", "enrol": "enroll", "enrolment": "enrollment", "instalment": "installment",
    "fulfils": "fulfills", "enrols": "enrolls", "counsellor": "counselor", "traveller": "traveler", "travellers": "travelers",
    "marvellous": "marvelous", "woollen": "woolen", "towards": "toward", "afterwards": "afterward", "backwards": "backward",
    "learnt": "learned", "burnt": "burned", "dreamt": "dreamed", "spelt": "spelled", "spoilt": "spoiled", "percent": "percent",
    "adviser": "advisor", "grannie": "granny", "hallo": "hello", "hullo": "hello", "nought": "zero", "naught": "zero", "colour": "color",
    "okey": "okay", "mum": "mom", "mums": "moms", "sulphur": "sulfur", "sulphate": "sulfate", "cosy": "cozy", "litre": "liter",
    "sombre": "somber", "lustre": "luster", "meagre": "meager", "spectre": "specter", "theatre": "theater", "calibre": "caliber",
    "centre": "center", "centred": "centered", "centres": "centers", "fibre": "fiber", "fibres": "fibers", "sabre": "saber",
}  # fmt: skip
_METRE = re.compile(r"^((?:kilo|centi|milli|micro|nano|deci)?(?:met|lit))re(s?)$")
_RE = re.compile(r"^(theat|calib|lust|spect)re(s)$")
_OUR = re.compile(
    r"^((?:un|dis|mis)?(?:col|fav|hon|lab|neighb|behavi|flav|harb|hum|od|parl|ranc|rig|rum|sav|splend|tum|vap|vig|endeav|arm|cand|clam|"
    r"glam|ferv|demean|succ|val))our(.*)$"
)
_ISE = re.compile(r"^(\w{3,}?)(is|ys)(e|ed|es|er|ers|ing|ation|ations)$")
#: Words in -ise that are -ise everywhere.
_ISE_EVERYWHERE = _words(
    "adv dev rev superv telev improv surpr compr exerc prom comprom enterpr desp disgu exc franch merchand prec conc pra "
    "appra cru bru prem dem parad expert treat likew otherw clockw anticlockw counterclockw lengthw repr chem inc circumc "
    "appr advert chast torto porpo turquo mayonna mala lia val marqu sunr moonr upr penn anywh"
)
_DOUBLE_L = re.compile(
    r"^(cancel|travel|label|model|level|fuel|signal|total|counsel|quarrel|dial|equal|channel|tunnel|initial|marshal|panel|jewel|shovel|"
    r"snorkel|swivel|unravel|revel|marvel|libel|grovel|duel|pedal)l(ed|ing|er|ers|able)$"
)


def canonical_spelling(word: str) -> str:
    """Return one spelling of a word that British and American English write differently.

    Args:
        word: in lower case.

    >>> [canonical_spelling(w) for w in ("colours", "organised", "centre", "travelling", "surprise", "kilometres")]
    ['colors', 'organized', 'center', 'traveling', 'surprise', 'kilometers']
    """
    if word in _SPELLINGS:
        return _SPELLINGS[word]
    for pattern, form in ((_METRE, r"\1er\2"), (_RE, r"\1er\2"), (_OUR, r"\1or\2"), (_DOUBLE_L, r"\1\2")):
        if pattern.match(word):
            return pattern.sub(form, word)
    found = _ISE.match(word)
    if found and found[1] not in _ISE_EVERYWHERE:
        return f"{found[1]}{found[2][0]}z{found[3]}"
    return word
