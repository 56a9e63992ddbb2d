// The samples of a cell: play, see, compare with the clean recording at the same moment, read what was heard.

/** So many samples show at first, so that what else is known of the cell is in reach. */
const FIRST = 2;

/** Return the nodes of a cell's samples. */
function sampleList(model, cell, part) {
  if (!cell.samples.length) return [el("p", {}, "There are no samples in this cell.")];
  const shown = cell.samples.length, of = cell.of;
  const which = shown < of ? `${shown} of ${plural(of, "sample")}, drawn over the speakers` : plural(of, "sample");
  const items = cell.samples.map((sample) => sampleItem(model, sample, sample.clean === null ? null : part.clean[sample.clean]));
  items.slice(FIRST).forEach((item) => (item.hidden = true));
  const more = el("button", { type: "button", class: "link", onclick: () => showAll(items, more) }, `show all ${written(shown)}`);
  return [el("h3", {}, which), part.note ? el("p", { class: "small" }, part.note) : null, el("ol", {}, ...items), shown > FIRST ? more : null].filter(Boolean);
}

function showAll(items, more) {
  items.forEach((item) => (item.hidden = false));
  more.remove();
  items[FIRST].querySelector("button")?.focus();
}

function sampleItem(model, sample, clean) {
  const who = [sample.speaker || "speaker not stated", sample.seconds === null ? null : `${written(sample.seconds, 1)} s`].filter(Boolean).join(", ");
  const item = el("li", { class: "sample" });
  item.append(el("p", { class: "text", dir: "auto" }, sample.text || "(no transcript)"));
  item.append(el("p", { class: "who" }, el("bdi", {}, who)));
  if (sample.audio) item.append(new Player(sample, clean).root);
  else item.append(pictures(sample), el("p", { class: "small" }, sample.why || "There is no audio file to play."));
  item.append(measured(model, sample));
  if (sample.words) item.append(heard(sample.words));
  return item;
}

/** One player with two recordings, the render and the clean one; changing over keeps the moment. */
class Player {
  constructor(sample, clean) {
    this.title = sample.text || sample.id;
    this.versions = [{ name: "this condition", ...sample }];
    if (clean && clean.audio) this.versions.push({ name: "clean", ...clean });
    this.audios = this.versions.map((version) => el("audio", { preload: "none", src: version.audio }));
    this.on = 0;
    this.button = el("button", { type: "button", class: "play", onclick: () => this.toggle() });
    this.stage = el("div", { class: "stage", onclick: (event) => this.sought(event) }, ...this.versions.map((version, i) => pictures(version, i > 0)));
    this.head = el("span", { class: "playhead", "aria-hidden": "true" });
    this.stage.append(this.head);
    this.problem = el("p", { class: "warn", role: "status" });
    this.root = el("div", { class: "player" }, this.button, this.stage, ...this.audios);
    if (this.versions.length > 1) this.root.append(whichVersion(this.versions, (which) => this.change(which)));
    this.root.append(this.problem);
    this.audios.forEach((audio) => this.listen(audio));
    document.addEventListener("roomtone-play", (event) => event.detail !== this && this.audios.forEach((audio) => audio.pause()));
    this.show();
  }

  get audio() {
    return this.audios[this.on];
  }

  listen(audio) {
    for (const event of ["play", "pause", "ended"]) audio.addEventListener(event, () => this.show());
    audio.addEventListener("timeupdate", () => this.move());
    audio.addEventListener("error", () => (this.problem.textContent = `This browser cannot play ${decodeURI(audio.getAttribute("src"))}.`));
  }

  show() {
    this.button.textContent = this.audio.paused ? "▶" : "❚❚";
    this.button.setAttribute("aria-label", `${this.audio.paused ? "Play" : "Pause"} ${this.versions[this.on].name}: ${this.title}`);
    this.move();
  }

  move() {
    const { duration, currentTime } = this.audio;
    this.head.style.setProperty("--at", `${duration ? (100 * currentTime) / duration : 0}%`);
  }

  /** Play, and let every other player of the page stop. */
  start() {
    document.dispatchEvent(new CustomEvent("roomtone-play", { detail: this }));
    this.audio.play().catch(() => {});
  }

  toggle() {
    if (this.audio.paused) this.start();
    else this.audio.pause();
  }

  async sought(event) {
    const box = this.stage.getBoundingClientRect();
    await loaded(this.audio);
    if (Number.isFinite(this.audio.duration)) this.audio.currentTime = ((event.clientX - box.left) / box.width) * this.audio.duration;
    this.start();
  }

  async change(which) {
    const moment = this.audio.currentTime, playing = !this.audio.paused;
    this.audio.pause();
    this.on = which;
    this.stage.dataset.on = String(which);
    await loaded(this.audio);
    this.audio.currentTime = moment;
    this.show();
    if (playing) this.start();
  }
}

/** Load a recording as far as its length is known, or has failed. */
async function loaded(audio) {
  if (audio.readyState >= 1 || audio.error) return;
  const done = new Promise((resolve) => ["loadedmetadata", "error"].forEach((event) => audio.addEventListener(event, resolve, { once: true })));
  audio.preload = "auto";
  audio.load();
  await done;
}

function whichVersion(versions, change) {
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
