"""The gallery: a page that needs nothing from outside, with a picture and a sound for each preset."""

import dataclasses
import re

import numpy as np
import pytest
import soundfile

from roomtone.augment.gallery.info import every_preset, preset_info
from roomtone.augment.gallery.page import write_gallery
from roomtone.augment.gallery.pictures import curve
from roomtone.augment.gallery.sound import preset_sound
from roomtone.core.extras import how_to_install


def test_every_preset_has_words_and_a_source():
    presets = every_preset()
    assert len(presets) > 70
    for info in presets:
        assert info.description
        assert info.source
        assert info.name in info.example
        assert info.certainty or info.name == "recordings"  # your own, so that no number is ours


def test_how_sure_a_preset_is_is_counted_from_its_comments():
    text = "a: 1  # (standard)\nb: 2  # 5 to 6 (recalled; arithmetic)\nc: 3  # (estimate)\nd: 4  # ready (no grade)\n# (run), (read)\n"
    info = dataclasses.replace(preset_info("noise", "white"), text=text)
    assert info.certainty == {"standard, read, measured or computed": 2, "recalled": 1, "estimated": 1}


@pytest.mark.slow
def test_the_page_has_a_player_and_a_picture_for_each_and_asks_the_network_for_nothing(tmp_path):
    presets = [preset_info("noise", "white"), preset_info("equipment", "alarm_high"), preset_info("handset", "gsm")]
    presets.append(preset_info("noise", "recordings"))
    page = write_gallery(presets, tmp_path / "gallery")
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"https?://", text.replace("http://www.w3.org", ""))
    files = re.findall(r'src="([^"]+)"', text)
    assert len(files) == 6  # the fourth needs recordings, and says so
    for name in files:
        assert (page.parent / name).stat().st_size > 1000
    assert "Needs a folder of recordings" in text
    samples, rate = soundfile.read(page.parent / "noise-white.flac")
    assert samples.size == 6 * rate


def test_hostile_words_stay_words(tmp_path):
    (tmp_path / "noise").mkdir()
    evil = "<script>alert(1)</script>"
    (tmp_path / "noise" / "evil.yaml").write_text(
        f"description: '{evil}'\nsource: '{evil}'\nop: recordings\npath: nowhere\n"
    )
    page = write_gallery([preset_info("noise", "evil", (tmp_path,))], tmp_path / "out")
    assert evil not in page.read_text(encoding="utf-8")


def test_the_curve_is_the_spectrum_of_the_sound():
    """A tone of 800 Hz with harmonics peaks in the third-octaves around 800 Hz."""
    info = preset_info("equipment", "scanner_800hz")
    what, unit, x, y = curve(info, preset_sound(info))
    assert what.startswith("spectrum")
    assert unit == "Hz"
    assert x[int(np.argmax(y))] == pytest.approx(800, rel=0.13)


def test_a_preset_whose_package_is_missing_says_what_to_install_and_ends_no_gallery(monkeypatch, tmp_path):
    from importlib.metadata import PackageNotFoundError, version

    from roomtone.augment.gallery.info import preset_info
    from roomtone.augment.gallery.page import write_gallery

    def without(name):
        if name == "webrtc-noise-gain":
            raise PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr("roomtone.augment.ops.packages.version", without)
    info = preset_info("handset", "car_kit")
    assert info.needs == f"webrtc-noise-gain: {how_to_install('phones')}"
    assert ".[phones]" in write_gallery([info], tmp_path).read_text()
