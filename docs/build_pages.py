"""Pages that are generated: presets as `roomtone list` has them, columns of a set, keys of every command and group.

MkDocs loads this file as a hook (`mkdocs.yml`) and calls `on_files`. The functions that write a page need no MkDocs.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mkdocs.structure.files import Files

    from roomtone.augment.gallery.info import PresetInfo

#: What each column of a manifest says; `tests/docs` checks that none is missing.
MEANING = {
    "sample_id": "content key of the render, free of dots and slashes",
    "utterance_id": "the clean recording that it was made from",
    "replicate": "number of the render, where an utterance has several in one condition",
    "seed": "root of the run's random draws",
    "audio_path": "the file, relative to the set",
    "sample_rate_hz": "rate of the file",
    "num_samples": "its length in samples",
    "duration_s": "its length in seconds",
    "pcm_sha256": "hash of its decoded 16-bit samples",
    "text": "transcript; null where the corpus has none",
    "words": "words of the transcript",
    "language": "BCP 47 tag",
    "speaker": "who speaks, as the corpus says; may be null",
    "accent": "self-reported accent under the accent map; several are joined with |",
    "accent_raw": "the accent as the corpus writes it",
    "corpus": "where the speech comes from",
    "speech_origin": "recorded or synthetic",
    "condition": "the levels of all factors, joined with +; clean is none of them",
    "room": "level of the factor room",
    "noise": "level of the factor noise",
    "equipment": "level of the factor equipment",
    "handset": "level of the factor handset",
    "snr_db": "SNR that was asked, at the microphone: active speech level (P.56) less the noise's RMS",
    "equipment_snr_db": "the same for equipment, while it sounds",
    "effort_db": "by how many dB the talker is louder than in normal speech, which shapes the voice's spectrum and not its level; null: as recorded",
    "t60_s": "reverberation time that the room's preset asks: mean of 500 and 1000 Hz where the walls are of materials, else broadband; "
    "of a talker who walks, where the walk begins",
    "level_dbov": "active speech level of the file as it was set: what was asked, or less where a loud noise would have clipped",
    "measured_snr_db": "SNR measured on this render, at the microphone",
    "measured_snr_rms_db": "SNR by RMS over the whole file, as many other tools define it",
    "measured_equipment_snr_db": "equipment SNR measured while it sounds",
    "measured_equipment_snr_long_db": "equipment SNR over the whole render",
    "measured_equipment_snr_loudest_db": "equipment SNR over the loudest 10 ms of the machine",
    "noise_sounding_share": "share of the render in which recorded noise sounds",
    "measured_t30_s": "reverberation time measured on this room response: mean of the octaves 500 and 1000 Hz where the walls are of materials, else broadband;"
    " null where the talker walks, see measured_path_ends",
    "measured_t30_octaves": "reverberation time by octave, JSON, centre in Hz to s; null in an octave where "
    "octave filters of orders 3 and 6 differ by more than 5 %; all is null where the preset names no materials or the talker walks",
    "measured_two_slopes": "of coupled rooms: JSON, reverberation times of the early slope (-5 to -15 dB) and the late one (-35 to -50 dB), s, "
    "each the mean of the octaves 500 and 1000 Hz; else null",
    "measured_c50_db": "clarity C50 of this room response; null where the talker walks, see measured_path_ends",
    "measured_drr_db": "direct-to-reverberant ratio of this room response; null where the talker walks, see measured_path_ends",
    "measured_codec": "codec, read back from its own stream",
    "measured_codec_rate_hz": "rate of that stream",
    "measured_codec_kbit_s": "bit rate of that stream",
    "measured_lost_share": "share of packets, or of the time, that was lost",
    "frames_lost": "how many frames were sent and did not arrive, or too late for the jitter buffer",
    "frames_affected": "how many frames differ by more than -40 dB from those without loss: the lost ones, and later ones whose decoder had lost its state; "
    "less than frames_lost where frames were lost in pauses",
    "time_added_s": "time that a jitter buffer added by playing periods of the voice once more, s; null without one",
    "time_removed_s": "time that a jitter buffer took out by leaving out periods, s; null without one",
    "output_snr_db": "SNR behind the handset: active level (P.56) of the speech less the RMS level of the background, the handset's own noise "
    "taken off both; null where it cannot be told, which is most often behind handsets that suppress well (see How labels are measured)",
    "active_level_dbov": "active speech level of the speech as it is in this file, behind noise suppression too; null where it cannot be told",
    "active_level_spread_db": "how far that level may be off: by how much its reading varies with gain, and what the handset's own noise may add",
    "activity": "share of the time that is speech (P.56)",
    "clipped_share": "share of samples that the rendering clipped, in the handset or in the file; the corpus's own clipping is not counted",
    "delay_samples": "delay against the clean speech that is left, known from the responses: 0; null where no one delay holds, see time_map",
    "measured_delay_samples": "delay left over, measured",
    "time_map": "of a talker who walks or a jitter buffer: JSON, [time in the clean speech, time in the file] in s, straight between; "
    "times below 0 or beyond the duration are not in the file; else null",
    "measured_path_ends": "of a talker who walks: JSON, distance, T30 (also by octave), C50, DRR and SNR (of all speech, said from there) "
    "where the file starts and where it ends",
    "unmeasured": "why a measured column, or an octave in it, is null: JSON, column to reason",
    "noise_asset": "noise recordings used",
    "room_asset": "room realisation used",
    "equipment_asset": "equipment recordings used",
    "recipe": "every drawn number of the render, as JSON: the same file comes back from it",
    "row_sha256": "seal over all other columns, so that an edited label is found",
}
#: Primary configurations, in the order of the commands.
PRIMARIES = (
    "generate",
    "corpus_report",
    "coverage",
    "evaluate",
    "compare",
    "export",
    "verify",
    "measure",
    "list",
    "show",
    "listen",
)
GROUPS = ("corpus", "scenario", "design", "output", "executor", "asr")


def on_files(files: Files, config: Any) -> Files:
    """Add the generated pages to those of the folder.

    Args:
        files: what MkDocs found.
        config: MkDocs' own.
    """
    from mkdocs.structure.files import File

    def keep(name: str, content: bytes) -> None:
        files.append(File.generated(config, f"reference/presets/{name}", content=content))

    with tempfile.TemporaryDirectory() as folder:
        pages = {
            "presets": presets_page(lambda info: picture_and_player(info, Path(folder), keep)),
            "columns": columns_page(),
            "configuration": configuration_page(),
        }
    for name, page in pages.items():
        files.append(File.generated(config, f"reference/{name}.md", content=page))
    return files


def presets_page(media: Callable[[PresetInfo], str] = lambda info: "") -> str:
    """Return every room, noise, equipment and handset: what it is, how it looks and sounds, its source, how sure it is.

    Args:
        media: returns the picture and the player of a preset as HTML.
    """
    from roomtone.augment.gallery.info import every_preset
    from roomtone.core.vocabulary import FACTORS

    lines = [
        "# Presets",
        "",
        "Noises and machines are heard alone; a room or a handset is heard on clean speech of the bundled corpus, which is synthetic.",
        "`roomtone show NAME` prints one with its YAML, `roomtone listen LEVEL audio=my.wav to=x.wav` puts your own recording through it.",
        "",
        '"How sure" counts the numbers of its YAML by where the comment beside them says that they come from.',
        "",
    ]
    presets = every_preset()
    for factor in FACTORS:
        lines += [f"## {factor}", ""]
        for info in presets:
            if info.factor == factor:
                lines += [f"### {info.name}", "", _plain(info.description), "", media(info), ""]
                lines += [f"- {name}: {_plain(text)}" for name, text in _facts(info) if text]
                lines.append("")
    return "\n".join(lines)


def _facts(info: PresetInfo) -> Iterator[tuple[str, str]]:
    yield "Key figures", ", ".join(info.figures)
    yield "Source", info.source
    yield "How sure", ", ".join(f"{count} {grade}" for grade, count in info.certainty.items())
    yield "Needs", info.needs or ""


def picture_and_player(info: PresetInfo, folder: Path, keep: Callable[[str, bytes], None]) -> str:
    """Return the picture and the player of a preset as HTML, or nothing where it needs what is not at hand.

    Args:
        info: which preset.
        folder: where presets are written of rooms with one placing instead of several, which are simulated in a fraction of the time.
        keep: called with the name and the bytes of the sound's file.
    """
    import numpy as np

    from roomtone.augment.gallery.pictures import as_svg
    from roomtone.augment.gallery.sound import SAMPLE_RATE_HZ, preset_sound
    from roomtone.core.audio.encoding import encode

    if info.needs:
        return ""
    search: tuple[Path, ...] = ()
    if info.factor == "room":
        (folder / "room").mkdir(exist_ok=True)
        own = [line for line in info.text.splitlines() if not line.startswith("realisations:")]
        (folder / "room" / f"{info.name}.yaml").write_text("\n".join([*own, "realisations: 1", ""]), encoding="utf-8")
        search = (folder,)
    sound = preset_sound(info, search)
    pcm = np.clip(np.round(sound.samples * 32768), -32768, 32767).astype(np.int16)
    file = f"{info.factor}-{info.name}.flac"
    keep(file, encode(pcm, SAMPLE_RATE_HZ, "flac"))
    player = f'<audio controls preload="none" src="presets/{file}" aria-label="{info.name}"></audio>'
    return f"<div>{as_svg(info, sound, search)}<br>{player}</div>"


def columns_page() -> str:
    """Return the columns of a manifest with their types and meaning."""
    from roomtone.core.dataset.columns import COLUMNS, REQUIRED

    lines = [
        "# Columns of a set",
        "",
        "`manifest/*.parquet` has one row a rendered file. Further columns are kept: `attr_*` are the corpus's own attributes.",
        "A measured column is null where its factor is `none`, or where `unmeasured` says why.",
        "",
        "| column | type | meaning |",
        "|---|---|---|",
    ]
    for name, kind in COLUMNS.items():
        required = " (required)" if name in REQUIRED else ""
        lines.append(f"| `{name}` | {kind} | {_cell(MEANING[name])}{required} |")
    return "\n".join([*lines, ""])


def configuration_page() -> str:
    """Return every primary configuration and every option of the groups, each key under its comment."""
    conf = _conf()
    lines = [
        "# Configuration",
        "",
        "Every key is `key=value` on the command line; a group's keys are `group.key=value`.",
        "",
    ]
    for name in PRIMARIES:
        lines += [f"## {name}", "", *_yaml(conf / f"{name}.yaml")]
    for group in GROUPS:
        lines += [f"## group {group}", ""]
        for path in sorted((conf / group).rglob("*.yaml")):
            lines += [
                f"### {group}={path.stem}" if path.parent.name == group else "### keys of every corpus",
                "",
                *_yaml(path),
            ]
    return "\n".join(lines)


def _yaml(path: Path) -> Iterator[str]:
    yield "```yaml"
    yield path.read_text(encoding="utf-8").rstrip()
    yield "```"
    yield ""


def _conf() -> Path:
    from roomtone.augment.scenarios.presets import packaged_dir

    return packaged_dir()


def _plain(text: str) -> str:
    """Return words as Markdown that shows them as they are."""
    return re.sub(r"([\\`*_<>\[\]|])", r"\\\1", " ".join(text.split()))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
