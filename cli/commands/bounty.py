"""`roomtone bounty plan|run|write|check`: an outsider's claim about a recogniser, from the plan to what its maker says to it."""

from __future__ import annotations

import math
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from roomtone.core.errors import RoomtoneError, nearest

if TYPE_CHECKING:
    import pandas as pd
    from omegaconf import DictConfig

    from roomtone.augment.corpora.utterance import Utterance
    from roomtone.fairness.bounty.choosing import Choice
    from roomtone.fairness.bounty.claim import Claim, Terms
    from roomtone.fairness.bounty.sending import Sent

CONFIG_NAME = "bounty"
POSITIONAL = "step"
_TERMS, _SET, _ANSWERS = "plan.json", "set", "answers"


def run(cfg: DictConfig) -> int:
    """Do one step; 0, or 2 where the budget is too small, a run stopped at it, or a claim is not upheld."""
    from roomtone.cli.compose import plain

    steps = {"plan": _plan, "run": _run, "write": _write, "check": _check}
    values = plain(cfg)
    if values["step"] not in steps:
        said = "" if values["step"] is None else f", got {values['step']!r} ({nearest(str(values['step']), steps)})"
        raise RoomtoneError(
            f"bounty: plan, run, write or check{said}; e.g. roomtone bounty plan claim='accent=… points=5'"
        )
    values["asr"] = _recogniser(values["asr"])
    return steps[values["step"]](values)


def _recogniser(asr: dict[str, Any]) -> dict[str, Any]:
    """Return the recogniser's settings; an address that holds a key is refused, since addresses are handed over."""
    from roomtone.cli.commands.evaluate import check_needs

    check_needs(asr)
    if asr.get("recogniser") == "hypotheses":
        raise RoomtoneError(
            "bounty: a file of hypotheses cannot be asked again; asr=http, asr=command or another recogniser"
        )
    url = urlsplit(str(asr.get("url") or ""))
    if "@" in url.netloc or url.query:
        raise RoomtoneError(
            "asr.url: holds a name, a key or a query, and addresses are handed over; keys belong into asr.api_key_env"
        )
    return asr | ({"grammar": None} if asr.get("grammar") == "auto" else {})


def _plan(values: dict[str, Any]) -> int:
    from importlib.metadata import version

    from roomtone.augment.corpora.durations import durations_s
    from roomtone.augment.scenarios.planner import read_utterances
    from roomtone.augment.scenarios.speech_table import speech_table
    from roomtone.augment.settings import generate_settings
    from roomtone.cli.compose import plain
    from roomtone.fairness.bounty.choosing import Goal, choose, what_would_do, with_repeats
    from roomtone.fairness.bounty.claim import Terms, parse_claim, write_terms
    from roomtone.fairness.recognisers import make_recogniser, public_identity

    claim = parse_claim(values["claim"])
    home = Path(values["dir"])
    _refuse_replacing(home, values)
    minutes, requests, repeat = _budget(values)
    assumed = values["assume"]
    true_gap = 2 * claim.points if assumed["points"] is None else assumed["points"]
    goal = Goal(
        claim.points / 100, true_gap / 100, assumed["wer"], assumed["speaker_sd"], values["power"], values["alpha"]
    )
    settings = generate_settings(plain(_generate_config(values, claim, values["seed"], None)))
    utterances = _of_preset_levels(settings, read_utterances(settings))
    speech = speech_table(utterances, durations_s(utterances)).astype({"utterance_id": str})
    of_group = _of_group(claim, speech)
    choice = choose(
        speech,
        of_group,
        goal,
        minutes=with_repeats(minutes, repeat),
        requests=with_repeats(requests, repeat),
        seed=values["seed"],
    )
    terms = Terms(
        claim, public_identity(values["asr"]), values["normalizer"], float(values["alpha"]), math.floor(repeat * len(choice.utterances)),
        minutes, requests, values["seed"], choice.utterances,
        {"points": true_gap, "wer": goal.wer, "speaker_sd": goal.speaker_sd, "power": goal.power}, f"roomtone {version('roomtone')}",
    )  # fmt: skip
    write_terms(terms, home / _TERMS)
    at_once = make_recogniser(values["asr"]).at_once or os.cpu_count() or 1
    for line in _plan_lines(terms, choice, values["price_per_minute"], repeat, at_once):
        print(line)
    if choice.chance < goal.power:
        print(what_would_do(speech, of_group, goal, choice, repeat=repeat, seed=values["seed"]))
    print(f"plan: {home / _TERMS}; next: roomtone bounty run with the same corpus=…, asr=… and dir={home}")
    return 0 if choice.chance >= goal.power else 2


def _refuse_replacing(home: Path, values: dict[str, Any]) -> None:
    if (home / _TERMS).exists() and not values["overwrite"]:
        raise RoomtoneError(f"{home / _TERMS}: a plan is there; dir=… names another folder, overwrite=true replaces it")
    if (home / _ANSWERS).exists():
        raise RoomtoneError(f"{home}: its recordings were sent already; a new claim needs a folder of its own: dir=…")


def _budget(values: dict[str, Any]) -> tuple[float | None, int | None, float]:
    """Return minutes, requests and the share that is sent twice."""
    budget, price, repeat = values["budget"], values["price_per_minute"], values["repeat"]
    for name, value in [*((f"budget.{key}", budget[key]) for key in budget), ("price_per_minute", price)]:
        if value is not None and not (isinstance(value, int | float) and value > 0):
            raise RoomtoneError(f"{name}: a number above 0 or null, got {value!r}")
    if not (isinstance(repeat, int | float) and 0 <= repeat <= 1):
        raise RoomtoneError(f"repeat: a share between 0 and 1, got {repeat!r}")
    if budget["money"] is not None and price is None:
        raise RoomtoneError("budget.money: needs price_per_minute=…, what a minute of audio costs")
    limits = [budget["minutes"], *([budget["money"] / price] if budget["money"] is not None else [])]
    known = [float(limit) for limit in limits if limit is not None]
    return min(known, default=None), None if budget["requests"] is None else int(budget["requests"]), float(repeat)


def _of_preset_levels(settings: Any, utterances: Sequence[Utterance]) -> Sequence[Utterance]:
    """Return the utterances, the claim's levels checked: a misspelt one is said before anything is registered."""
    from roomtone.augment.scenarios.scenario import design_conditions, inline_presets, parse_scenario

    scenario = parse_scenario(settings.scenario)
    design_conditions(
        scenario, settings.design, inline_presets(scenario, settings.presets, settings.search), settings.seed
    )
    return utterances


def _of_group(claim: Claim, speech: pd.DataFrame) -> Any:
    if claim.column not in speech:
        known = [str(name).removeprefix("attr_") for name in speech if str(name).startswith(("accent", "attr_"))]
        raise RoomtoneError(
            f"claim: this corpus says nothing of {claim.column!r}; {nearest(claim.column.removeprefix('attr_'), known)}"
        )
    of_group = claim.of_group(speech)
    if not of_group.any():
        known = sorted({str(value) for value in speech[claim.column].dropna().unique()})
        raise RoomtoneError(f"claim: no recording has {claim.column}={claim.group}; {nearest(claim.group, known)}")
    return of_group


def _plan_lines(terms: Terms, choice: Choice, price: float | None, repeat: float, at_once: int) -> list[str]:
    asked = len(choice.utterances) + terms.repeats
    minutes = choice.minutes * asked / len(choice.utterances)
    cost = "cost not known (price_per_minute=…)" if price is None else f"cost {price * minutes:.2f}"
    assumed = terms.assumed
    return [
        f"claim: {terms.claim}",
        f"set: {len(choice.utterances)} recordings by {choice.people} speakers of {terms.claim.group} and {choice.others} others, {choice.minutes:.1f} minutes",
        f"to be sent: {asked} requests ({terms.repeats} of them repeats), {minutes:.1f} minutes of audio, {cost}; "
        f"{minutes / 60 / at_once:.2f} hours if recognising takes as long as speaking, {at_once} at once",
        f"chance of deciding: {100 * choice.chance:.0f} % if the true gap is 0 or {assumed['points']:g} points (others' WER {100 * assumed['wer']:g} %, "
        f"speakers' standard deviation {100 * assumed['speaker_sd']:g} points)"
,
        f"hash of the claim: {terms.sha256}",
        "send it to somebody now: who has it can tell later that the claim came before the measurement",
    ]  # fmt: skip


def _generate_config(values: dict[str, Any], claim: Claim, seed: int, utterances: Sequence[str] | None) -> DictConfig:
    """Return the configuration of `generate` that renders a claim's condition for some utterances of the corpus."""
    from omegaconf import open_dict

    from roomtone.cli.arguments import Arguments
    from roomtone.cli.compose import compose_config

    cfg = compose_config(Arguments(("design=full",), values["config_dir"]), "generate")
    with open_dict(cfg):
        for name in {"corpus", "accents", "executor", "cache_dir"} & set(values):
            cfg[name] = values[name]
        cfg.seed = seed
        levels = claim.levels or {"room": "none"}
        cfg.scenario = {
            "name": "bounty",
            "description": str(claim),
            "factors": {factor: [level] for factor, level in levels.items()},
        }
        cfg.design.clean = False
        cfg.output.dir = str(Path(values["dir"]) / _SET)
        if utterances is not None:
            cfg.corpus["select"] = {"where": {"utterance_id": list(utterances)}}
    return cfg


def _run(values: dict[str, Any]) -> int:
    from roomtone.augment.generation import generate, rejection_line
    from roomtone.cli.commands.generate import set_config
    from roomtone.cli.compose import plain
    from roomtone.fairness.bounty.claim import parse_claim, read_terms

    home = Path(values["dir"])
    terms = read_terms(home / _TERMS)
    if values["claim"] is not None and parse_claim(values["claim"]) != terms.claim:
        raise RoomtoneError(
            f"{home}: the plan there is for the claim {terms.claim}; another claim needs a plan in another folder: dir=…"
        )
    cfg = _generate_config(values, terms.claim, terms.seed, terms.utterances)
    summary = generate(plain(cfg), config=set_config(cfg))
    for entry in summary.rejected[:5]:
        print(f"rejected: {rejection_line(entry)}")
    key = values["asr"].get("api_key_env")
    if key and not os.environ.get(str(key)):
        print(f"the environment variable {key} (asr.api_key_env) is not set: recordings are sent without a key")
    sent = _sent(terms, values, budget=True)
    failed = sent.first.loc[sent.first["hypothesis"].isna(), "reason"]
    print(
        f"sent: {len(sent.first)} of {len(terms.utterances)} recordings, {len(sent.repeat)} a second time; {len(failed)} got no answer"
    )
    if len(failed):
        print(f"no answer, most often: {failed.mode().iloc[0]}; retry_failed=true asks again, and pays again")
    lost = f", {sent.in_flight} of them perhaps lost with an interrupted run" if sent.in_flight else ""
    print(f"paid for: {sent.requests} requests, {sent.minutes:.1f} minutes of audio{lost}")
    if sent.unsent:
        print(f"stopped at the budget: {sent.unsent} requests are left")
        return 2
    print(f"next: roomtone bounty write with the same asr=… and dir={home}")
    return 0


def _sent(terms: Terms, values: dict[str, Any], *, budget: bool) -> Sent:
    """Send what the budget holds, or (for `write`) nothing, and return all that came back."""
    from roomtone.core.dataset.manifest import read_manifest
    from roomtone.fairness.bounty.checking import check_recogniser
    from roomtone.fairness.bounty.sending import Budget, send

    check_recogniser(terms, values["asr"])
    home = Path(values["dir"])
    rows = read_manifest(home / _SET)
    rows = rows[terms.claim.in_condition(rows)]
    place = {name: k for k, name in enumerate(terms.utterances)}
    rows = rows.sort_values("utterance_id", key=lambda names: names.map(place)).reset_index(drop=True)
    limits = Budget(terms.minutes or math.inf, terms.requests or math.inf) if budget else Budget(0.0, 0.0)
    return send(
        rows, home / _SET, values["asr"], home / _ANSWERS, repeats=terms.repeats, budget=limits,
        retry_failed=budget and values["retry_failed"], progress=budget,
    )  # fmt: skip


def _write(values: dict[str, Any]) -> int:
    from roomtone.augment.corpora.licences import set_licences, terms
    from roomtone.fairness.bounty.checking import check_recogniser
    from roomtone.fairness.bounty.claim import read_terms
    from roomtone.fairness.bounty.handover import write_folder

    home = Path(values["dir"])
    planned = read_terms(home / _TERMS)
    check_recogniser(planned, values["asr"])
    if not (home / _ANSWERS).is_dir():
        raise RoomtoneError(f"{home}: nothing was sent yet; roomtone bounty run dir={home} …")
    for licence in set_licences(home / _SET) if values["audio"] else ():
        if licence and terms(licence).no_derivatives:
            raise RoomtoneError(
                f"the recordings are under {licence}, which allows no adaptations; audio=false hands over the rest"
            )
    sent = _sent(planned, values, budget=False)
    key = os.environ.get(str(values["asr"].get("api_key_env") or ""))
    ruling, digest = write_folder(
        planned, sent, home / _SET, Path(values["to"]), licences=_licences(home / _SET),
        audio=values["audio"], secret=key,
    )  # fmt: skip
    print(ruling.sentence(planned.claim))
    print(f"hash of the claim: {planned.sha256}")
    print(f"hash of the folder: {digest}")
    print(f"folder: {values['to']}; its index.html is for people")
    return 0


def _licences(dataset: Path) -> list[str]:
    """Return whom to credit and what is allowed, as the set itself states it."""
    from roomtone.augment.corpora.licences import credit_lines
    from roomtone.core.dataset.run_record import read_record
    from roomtone.core.dataset.storage import open_storage

    try:
        corpora = [dict(run["config"]["corpus"]) for run in read_record(open_storage(dataset))["runs"]]
    except (TypeError, KeyError, ValueError) as error:
        raise RoomtoneError(f"{dataset}/dataset.json: does not say of what corpus the set is") from error
    return credit_lines(dataset, corpora)


def _check(values: dict[str, Any]) -> int:
    from roomtone.fairness.bounty.checking import ask_again, on_other_speakers
    from roomtone.fairness.bounty.handover import read_folder
    from roomtone.fairness.bounty.ruling import UPHELD

    if values["bounty"] is None:
        raise RoomtoneError(
            "bounty check needs the folder: roomtone bounty check bounty=FOLDER registered=HASH asr=… dataset=SET"
        )
    handed = read_folder(Path(values["bounty"]), values["registered"])
    if handed.page_checked and handed.licences != _licences(handed.folder / "set"):
        raise RoomtoneError(
            f"refused: {handed.folder / 'LICENCES.md'} is not what the set states: {'; '.join(_licences(handed.folder / 'set'))}"
        )
    claim = handed.terms.claim
    print(f"claim: {claim}")
    proof = (
        "registered beforehand"
        if values["registered"]
        else "registered=HASH would say whether it came before the measurement"
    )
    print(f"hash of the claim: {handed.terms.sha256} ({proof})")
    print(f"folder: no file was changed; {handed.ruling.sentence(claim)}")
    if not handed.page_checked:
        print(
            f"its index.html is of another version ({handed.terms.made_by}) and was not compared: these are the figures"
        )
    if values["share"]:
        again = ask_again(handed, values["asr"], share=values["share"], seed=secrets.randbits(64))
        print(again)
        if again.forged:
            raise RoomtoneError(
                "refused: the folder's answers are not those of this recogniser; they are forged, or it has changed since"
            )
    if values["dataset"] is None:
        print("not checked on other speakers: dataset=SET names a set with this condition")
        return 0 if handed.ruling.verdict == UPHELD else 2
    ruling, left_out = on_other_speakers(handed, Path(values["dataset"]), values["asr"], progress=True)
    if left_out:
        print(f"{left_out} recordings are left out: their speakers are in the folder")
    print(f"other speakers: {ruling.sentence(claim)}")
    return 0 if ruling.verdict == UPHELD else 2
