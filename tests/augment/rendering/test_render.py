"""The label is the truth: asked, rendered, and measured back by code that is not the renderer's."""

import dataclasses

import numpy as np
import pytest
from scipy.signal import fftconvolve

from roomtone.augment import Condition
from roomtone.augment.ops.channel.chain import Chain
from roomtone.augment.rendering import file_level, mixing
from roomtone.augment.rendering import render as render_module
from roomtone.augment.rendering.tolerances import LabelError, UnmetLevelError
from roomtone.augment.rooms.bank import DIRECT_SAMPLE
from roomtone.core.errors import RoomtoneError

RATE = 16000


def own_lag(reference, output, span=200):
    """Lag of the cross-correlation's peak, by plain sums."""
    lags = range(-span, span + 1)
    pad = np.pad(output.astype(np.float64), span)
    sums = [float(np.dot(reference, pad[span + lag : span + lag + reference.size])) for lag in lags]
    return lags[int(np.argmax(np.abs(sums)))]


@pytest.mark.parametrize("snr", [-5, 0, 5, 20])
@pytest.mark.parametrize("noise", ["white", "pink", "babble", "modulated"])
@pytest.mark.parametrize("room", ["none", "ward"])
def test_snr_measured_back_from_stems(snr, noise, room, speech, active_level):
    made = Condition(noise=f"{noise}@{snr}dB", room=room).render(speech, RATE, key=0)
    level, activity = active_level(made.stems.speech, RATE)
    rms = 10 * np.log10(np.mean(made.stems.noise.astype(np.float64) ** 2))
    assert level - rms == pytest.approx(snr, abs=0.1)
    assert made.measured["measured_snr_db"] == pytest.approx(level - rms, abs=0.05)
    assert made.measured["activity"] == pytest.approx(activity, abs=0.005)


def test_equipment_snr_holds_while_it_sounds(speech, active_level):
    made = Condition(equipment="alarm_high@10dB").render(speech, RATE, key=0)
    level, _ = active_level(made.stems.speech, RATE)
    sounding = made.stems.equipment[made.stems.sounding].astype(np.float64)
    assert level - 10 * np.log10((sounding**2).mean()) == pytest.approx(10, abs=0.2)
    assert made.measured["measured_equipment_snr_long_db"] >= made.measured["measured_equipment_snr_db"]


@pytest.mark.parametrize(("equipment", "louder"), [("mri_spin_echo", True), ("busy_tone", False)])
def test_the_loudest_10_ms_of_a_machine_are_stated(equipment, louder, speech, active_level):
    made = Condition(equipment=f"{equipment}@10dB").render(speech, RATE, key=0)
    power = np.convolve(made.stems.equipment.astype(np.float64) ** 2, np.ones(160) / 160, "valid").max()
    stated = made.measured["measured_equipment_snr_loudest_db"]
    assert stated == pytest.approx(active_level(made.stems.speech, RATE)[0] - 10 * np.log10(power), abs=0.6)
    assert (made.measured["measured_equipment_snr_db"] - stated > 3) is louder


def test_output_is_the_sum_of_its_stems_at_the_stated_level(speech, active_level):
    made = Condition("babble@5dB+fan@10dB", level_dbov=-30.0).render(speech, RATE, key=0)
    mix = made.stems.microphone().astype(np.float64)
    gain = np.dot(made.pcm, mix) / np.dot(mix, mix) / 32768
    # the microphone hears the speech at -26; P.56 may read a little differently 4 dB below
    spread_db = made.measured["active_level_spread_db"]
    assert spread_db < 0.2
    assert 20 * np.log10(gain) == pytest.approx(-4.0, abs=0.01 + spread_db)
    assert np.abs(made.pcm / 32768 - gain * mix).max() <= 0.51 / 32768
    level, _ = active_level(made.stems.speech * gain, RATE)
    assert level == pytest.approx(-30.0, abs=0.01)


@pytest.mark.parametrize("condition", ["clean", "pink@10dB", "landline_mulaw", "gsm", "fan@10dB+voip_opus"])
def test_speech_stays_where_it_was(condition, speech):
    made = Condition(condition).render(speech, RATE, key=0)
    assert own_lag(made.stems.clean, made.pcm / 32768) == 0


@pytest.mark.parametrize("room", ["ward", "office", "car_cabin", "corridor"])
def test_the_direct_path_stays_where_the_clean_speech_was(room):
    """A click through the room: its first arrival within a sample of where the click was."""
    click = np.zeros(RATE, dtype=np.float32)
    click[4000] = 0.5
    for key in range(4):
        condition = Condition(room=room)
        recipe = condition.recipe(RATE, RATE, key=key)
        entry = condition.room_entry(recipe)
        heard = fftconvolve(click, entry.speech)[DIRECT_SAMPLE:][:RATE]
        first = int(np.argmax(np.abs(heard) > 0.5 * np.abs(heard[3990:4011]).max()))
        assert abs(first - 4000) <= 1


def test_silence_is_refused_before_anything_is_rendered():
    with pytest.raises(UnmetLevelError, match="silence"):
        Condition("pink@5dB")(np.zeros(RATE, dtype=np.float32), RATE)


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.ones((2, 100), dtype=np.float32), "mono"),
        (np.ones(100, dtype=np.int16), "float samples"),
        (np.full(100, np.nan, dtype=np.float32), "not all finite"),
        (np.zeros(0, dtype=np.float32), "mono"),
    ],
)
def test_arrays_that_are_not_mono_float_are_refused(samples, message):
    with pytest.raises(RoomtoneError, match=message):
        Condition("clean")(samples, RATE)


def test_rate_in_khz_is_noticed(speech):
    with pytest.raises(RoomtoneError, match="in kHz"):
        Condition("clean")(speech, 16)


def test_keys_draw_anew_and_repeat(speech):
    condition = Condition("white@5dB")
    assert np.array_equal(condition(speech, RATE, key="a"), condition(speech, RATE, key="a"))
    assert not np.array_equal(condition(speech, RATE, key="a"), condition(speech, RATE, key="b"))
    assert not np.array_equal(condition(speech, RATE), condition(speech, RATE))


def test_adding_a_stage_moves_no_other_draw(speech):
    alone = Condition("white@5dB").recipe(speech.size, RATE, key="k")
    with_handset = Condition("white@5dB+gsm").recipe(speech.size, RATE, key="k")
    assert alone.noise is not None
    assert alone.noise.keys() == with_handset.noise.keys()


class TestPlantedFaults:
    """Each fault is put where a bug would be; the render must refuse to call itself what it is not."""

    def test_a_gain_skewed_by_0_3_db(self, speech, monkeypatch):
        honest = render_module.mix_stems

        def skewed(*args):
            stems = honest(*args)
            return dataclasses.replace(stems, noise=stems.noise * np.float32(10 ** (0.3 / 20)))

        monkeypatch.setattr(render_module, "mix_stems", skewed)
        with pytest.raises(LabelError, match=r"pink@5dB: snr_db asked 5.0 dB, got 4\.[67]"):
            Condition("pink@5dB")(speech, RATE)

    def test_a_gain_skewed_behind_the_stems(self, speech, monkeypatch):
        """The stems are right and their sum is not."""
        honest = mixing.Stems.microphone
        monkeypatch.setattr(
            mixing.Stems, "microphone", lambda s: honest(s) + s.noise * np.float32(10 ** (0.3 / 20) - 1)
        )
        with pytest.raises(LabelError, match="snr_db asked 5.0"):
            Condition("pink@5dB")(speech, RATE)

    @pytest.mark.parametrize("shift", [-1, 1, 3])
    @pytest.mark.parametrize("condition", ["landline_mulaw", "pink@0dB+gsm", "voip_opus_loss", "ward+intercom"])
    def test_a_handset_that_shifts(self, condition, shift, speech, monkeypatch):
        honest = Chain.apply_measured

        def late(self, samples, rate):
            heard, report = honest(self, samples, rate)
            return np.roll(heard, shift), report

        monkeypatch.setattr(Chain, "apply_measured", late)
        with pytest.raises(LabelError, match=f"asked_delay_samples asked 0 samples, got {shift} "):
            Condition(condition)(speech, RATE)

    @pytest.mark.parametrize("shift", [-1, 1, 3])
    def test_a_room_that_is_applied_late(self, shift, speech, monkeypatch):
        monkeypatch.setattr(mixing, "DIRECT_SAMPLE", DIRECT_SAMPLE - shift)
        with pytest.raises(LabelError, match=f"asked_delay_samples asked 0 samples, got {shift} "):
            Condition("office")(speech[8000:13000], RATE)

    @pytest.mark.parametrize("shift", [-1, 1, 3])
    def test_a_response_that_lies_late_in_its_bank(self, shift, speech, monkeypatch):
        """The convolution is right and the response is not: its direct sound is not where the bank says."""
        honest = Condition.room_entry

        def late(self, recipe):
            entry = honest(self, recipe)
            return dataclasses.replace(entry, speech=np.roll(entry.speech, shift))

        monkeypatch.setattr(Condition, "room_entry", late)
        with pytest.raises(LabelError, match=f"asked_delay_samples asked 0 samples, got {shift} "):
            Condition("office")(speech[8000:13000], RATE)

    def test_a_room_that_is_not_applied_at_all(self, speech, monkeypatch):
        monkeypatch.setattr(mixing, "convolve", lambda samples, response, start, count: samples[:count])
        with pytest.raises(LabelError, match="asked_delay_samples asked 0 samples, got None"):
            Condition("office")(speech, RATE)

    def test_a_codec_that_was_swapped(self, speech, monkeypatch):
        honest = Chain.apply_measured

        def swapped(self, samples, rate):
            heard, report = honest(self, samples, rate)
            return heard, report | {"codec": "g711_alaw"}

        monkeypatch.setattr(Chain, "apply_measured", swapped)
        with pytest.raises(LabelError, match="asked_codec asked g711_mulaw, got g711_alaw"):
            Condition("landline_mulaw")(speech, RATE)

    @pytest.mark.parametrize("condition", ["clean", "pink@10dB", "gsm", "pink@10dB+gsm"])
    def test_a_level_that_is_0_3_db_off(self, condition, speech, monkeypatch):
        honest = file_level.to_file_scale

        def loud(samples, gain):
            return honest(samples, gain * 10 ** (0.3 / 20))

        monkeypatch.setattr(file_level, "to_file_scale", loud)
        with pytest.raises(LabelError, match=r"level_dbov asked -26.0 dB, got -25\.[67]"):
            Condition(condition)(speech, RATE)


class TestAsAudiomentationsTransform:
    def test_it_composes_and_freezes(self, speech):
        import random

        from audiomentations import Compose, Gain

        transform = Condition("white@10dB").as_transform()
        chain = Compose([transform, Gain(-3, -3, p=1.0)])
        random.seed(1)
        first = chain(speech, RATE)
        assert first.shape == speech.shape
        assert not np.array_equal(first, chain(speech, RATE))
        random.seed(1)
        assert np.array_equal(first, chain(speech, RATE))
        transform.freeze_parameters()
        assert np.array_equal(transform(speech, RATE), transform(speech, RATE))

    def test_probability_zero_leaves_the_speech_alone(self, speech):
        assert np.array_equal(Condition("white@10dB").as_transform(p=0.0)(speech, RATE), speech)
