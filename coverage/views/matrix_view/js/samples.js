// The samples of a cell: play, see, compare with the clean recording at the same moment, read what was heard.

/** Return the nodes of a cell's samples. */
function sampleList(model, cell, part) {
  if (!cell.samples.length) return [el("p", {}, "There are no samples in this cell.")];
  const shown = cell.samples.length, of = cell.of;
  const which = shown < of ? `${shown} of ${plural(of, "sample")}, drawn over the speakers` : plural(of, "sample");
  const list = el("ol", {}, ...cell.samples.map((sample) => sampleItem(model, sample, sample.clean === null ? null : part.clean[sample.clean])));
  return [el("h3", {}, which), part.note ? el("p", { class: "small" }, part.note) : null, list].filter(Boolean);
}

function sampleItem(model, sample, clean) {
  const who = [sample.speaker || "speaker not stated", sample.seconds === null ? null : `${written(sample.seconds, 1)} s`].filter(Boolean).join(", ");
  const item = el("li", { class: "sample" });
  item.append(el("p", { class: "text", dir: "auto" }, sample.text || "(no transcript)"));
  item.append(el("p", { class: "who" }, el("bdi", {}, who)));
  if (sample.audio) item.append(player(sample, clean));
  else item.append(pictures(sample), el("p", { class: "small" }, sample.why || "There is no audio file to play."));
  item.append(measured(model, sample));
  if (sample.words) item.append(heard(sample.words));
  return item;
}

/** One player with two recordings: the render, and the clean one; changing over keeps the moment. */
function player(sample, clean) {
  const versions = [{ name: "this condition", ...sample }];
  if (clean && clean.audio) versions.push({ name: "clean", ...clean });
  const audios = versions.map((version) => el("audio", { preload: "none", src: version.audio }));
  const stage = el("div", { class: "stage" }, ...versions.map((version, i) => pictures(version, i > 0)));
  const head = el("span", { class: "playhead", "aria-hidden": "true" });
  stage.append(head);
  let on = 0;
  const play = el("button", { type: "button", class: "play" }, "▶");
  const name = () => play.setAttribute("aria-label", `${audios[on].paused ? "Play" : "Pause"} ${versions[on].name}: ${sample.text || sample.id}`);
  const move = () => head.style.setProperty("--at", `${audios[on].duration ? (100 * audios[on].currentTime) / audios[on].duration : 0}%`);
  const problem = el("p", { class: "warn", role: "status" });
  audios.forEach((audio) => {
    for (const event of ["play", "pause", "ended"]) {
      audio.addEventListener(event, () => {
        play.textContent = audios[on].paused ? "▶" : "❚❚";
        name();
      });
    }
    audio.addEventListener("timeupdate", move);
    audio.addEventListener("error", () => (problem.textContent = `This browser cannot play ${decodeURI(audio.getAttribute("src"))}.`));
  });
  const start = () => {
    document.dispatchEvent(new CustomEvent("roomtone-play", { detail: audios }));
    return audios[on].play().catch(() => {});
  };
  document.addEventListener("roomtone-play", (event) => event.detail !== audios && audios.forEach((audio) => audio.pause()));
  play.addEventListener("click", () => (audios[on].paused ? start() : audios[on].pause()));
  stage.addEventListener("click", (event) => {
    const box = stage.getBoundingClientRect();
    seek(audios[on], (event.clientX - box.left) / box.width).then(start);
  });
  name();
  const box = el("div", { class: "player" }, play, stage, ...audios);
  if (versions.length > 1) box.append(compare(versions, (which) => {
    const moment = audios[on].currentTime, playing = !audios[on].paused;
    audios[on].pause();
    on = which;
    stage.dataset.on = String(on);
    audios[on].currentTime = moment;
    name();
    move();
    if (playing) start();
  }));
  box.append(problem);
  return box;
}

async function seek(audio, share) {
  if (audio.readyState < 1) {
    audio.load();
    await new Promise((done) => ["loadedmetadata", "error"].forEach((event) => audio.addEventListener(event, done, { once: true })));
  }
  if (Number.isFinite(audio.duration)) audio.currentTime = share * audio.duration;
}

function compare(versions, change) {
  const name = `version-${Math.random().toString(36).slice(2)}`;
  const radios = versions.map((version, i) => {
    const input = el("input", { type: "radio", name, checked: i === 0 });
    input.addEventListener("change", () => change(i));
    return el("label", {}, input, el("span", {}, version.name));
  });
  return el("div", { class: "versions", role: "radiogroup", "aria-label": "Which recording" }, ...radios);
}

/** Waveform (peaks as text, drawn here) over the spectrogram (a small picture made when the page was written). */
function pictures(version, other = false) {
  const box = el("div", { class: other ? "pictures second" : "pictures" });
  if (version.peaks) {
    const name = `Waveform and spectrogram of ${version.name || "this sample"}`;
    box.append(waveform(version.peaks), el("img", { class: "spectrogram", src: `data:image/png;base64,${version.picture}`, alt: name }));
  }
  return box;
}

const PEAK_SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

function waveform(peaks) {
  const heights = [...peaks].map((sign) => PEAK_SIGNS.indexOf(sign) / 63);
  const upper = heights.map((height, i) => `${i} ${(1 - Math.max(0.015, height)).toFixed(3)}`);
  const lower = heights.map((height, i) => `${i} ${(1 + Math.max(0.015, height)).toFixed(3)}`).reverse();
  const path = svg("path", { d: `M${[...upper, ...lower].join("L")}Z` });
  return svg("svg", { class: "wave", viewBox: `0 0 ${heights.length - 1} 2`, preserveAspectRatio: "none", "aria-hidden": "true" }, path);
}

/** What was measured on this very file, beside what was asked for. */
function measured(model, sample) {
  const list = el("dl", { class: "measured" });
  (model.measures || []).forEach((measure, i) => {
    const found = sample.measured[i];
    if (found === null || found === undefined) return;
    const [value, asked] = Array.isArray(found) ? found : [found, null];
    const text = typeof value === "number" ? `${fixed(value, measure.digits)}${measure.unit ? ` ${measure.unit}` : ""}` : value;
    const wanted = asked === null ? null : el("small", {}, ` asked ${fixed(asked, measure.digits)}`);
    list.append(el("div", {}, el("dt", {}, measure.label), el("dd", {}, text, wanted)));
  });
  return list;
}

const OPS = { S: "heard as", D: "lost", I: "invented" };

/** The words said over the words heard. */
function heard(words) {
  const said = el("tr", {}, el("th", { scope: "row" }, "said"));
  const got = el("tr", {}, el("th", { scope: "row" }, "heard"));
  for (const [op, reference, hypothesis] of words) {
    const kind = OPS[op] ? { class: `op ${op}`, title: OPS[op] } : {};
    said.append(el("td", { dir: "auto", ...(op === "D" ? kind : {}) }, reference ?? "·"));
    got.append(el("td", { dir: "auto", ...kind }, hypothesis ?? "·"));
  }
  const errors = words.filter(([op]) => OPS[op]).length;
  const caption = el("caption", {}, errors ? plural(errors, "error") : "every word as said");
  return el("div", { class: "heard", tabindex: "0", role: "group", "aria-label": "Words said and heard" }, el("table", {}, caption, el("tbody", {}, said, got)));
}
