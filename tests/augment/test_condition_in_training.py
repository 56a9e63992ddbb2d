"""A condition in a training loop and at a prompt: it pickles, draws anew in every worker and epoch, and says what was misspelt."""

import json
import pickle
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from roomtone.augment import Condition
from roomtone.core.errors import RoomtoneError

RATE = 16000


def renders(method, *known):
    """What `draw_in_workers.py` prints: for each of `known` the hashes of renders [epoch][worker][call]."""
    words = [sys.executable, "-P", "-W", "error", Path(__file__).parent / "draw_in_workers.py", method, *known]
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.slow
def test_no_two_workers_and_no_two_epochs_hear_the_same_and_what_is_stated_repeats() -> None:
    """Two forked workers gave four distinct renders of eight and epoch 2 was epoch 1; a spawned worker died on pickling."""
    stated = ("torch", "epoch", "generator")
    forked, again = (dict(zip(("nothing", *stated), renders("fork", "nothing", *stated))) for _ in range(2))
    spawned = {"torch": renders("spawn", "torch")[0]}
    for found in (*forked.values(), *spawned.values()):
        assert len({one for epoch in found for worker in epoch for one in worker}) == 8
    assert all(forked[known] == again[known] for known in stated)
    assert forked["torch"] == spawned["torch"]
    assert forked["nothing"] != again["nothing"]


def test_without_a_key_a_script_draws_the_same_again_and_each_call_anew(speech) -> None:
    first, again = ([c(speech, RATE) for _ in range(2)] for c in (Condition("white@10dB"), Condition("white@10dB")))
    assert np.array_equal(first, again)
    assert not np.array_equal(first[0], first[1])


def test_an_epoch_and_a_generator_repeat(speech) -> None:
    condition = Condition("white@10dB")
    heard = []
    for epoch in (0, 1, 0):
        condition.set_epoch(epoch)
        heard.append([condition(speech, RATE) for _ in range(2)])
    assert np.array_equal(heard[0], heard[2])
    assert len({one.tobytes() for epoch in heard[:2] for one in epoch}) == 4
    ones, others = (Condition("white@10dB", generator=np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(ones(speech, RATE), others(speech, RATE))
    assert not np.array_equal(ones(speech, RATE), ones(speech, RATE))


@pytest.mark.parametrize("name", ["ward+babble@5dB+gsm", "alarm_high@3dB+voip_opus_loss", "clean"])
def test_a_condition_and_its_transform_pickle_and_hear_the_same(speech, name) -> None:
    condition = Condition(name, seed=2)
    before = condition(speech, RATE, key="u1")
    copied = pickle.loads(pickle.dumps(condition))  # after a call: with what it has read and built
    assert np.array_equal(copied(speech, RATE, key="u1"), before)
    assert len(pickle.dumps(condition)) < 100_000  # room banks are opened anew, not sent along
    transform = pickle.loads(pickle.dumps(condition.as_transform(p=1.0)))
    random.seed(4)
    heard = transform(speech, sample_rate=RATE)
    random.seed(4)
    assert np.array_equal(heard, condition.as_transform(p=1.0)(speech, sample_rate=RATE))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"config_dir": "/nope"}, r"^config_dir: there is no folder '/nope'"),
        ({"config_dir": "{}"}, r"^config_dir: .* holds none of the folders room, noise, equipment, handset"),
        ({"config_dir": "{}/presetz"}, r"did you mean 'presets'\?"),
        ({"name": 5}, r"^name: expected the name of a level, e.g. 'babble@5dB', got 5$"),
        ({"noise": ["babble@5dB"]}, r"^noise: expected the name of a level"),
        ({"noise": "bable@5dB"}, r"did you mean 'babble'\?"),
        ({"seed": "one"}, r"^seed: expected a whole number, got 'one'$"),
        ({"level_dbov": "loud"}, r"^level_dbov: expected a level from -96 to 0"),
        ({"level_dbov": 26}, r"^level_dbov: expected a level from -96 to 0"),
        ({"generator": 3}, r"^generator: expected a numpy.random.Generator"),
    ],
)
def test_a_misspelt_or_mistyped_argument_is_one_line(tmp_path, arguments, message) -> None:
    (tmp_path / "presets").mkdir()
    filled = {k: v.format(tmp_path) if isinstance(v, str) else v for k, v in arguments.items()}
    with pytest.raises(RoomtoneError, match=message) as caught:
        Condition(**filled)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("epoch", [-1, 0.5, "one", True])
def test_an_epoch_is_a_whole_number(epoch) -> None:
    with pytest.raises(RoomtoneError, match=r"^epoch: expected a whole number, 0 or more"):
        Condition("clean").set_epoch(epoch)
