// The drawer of a cell: what is there against its goals, what that can show, what the recogniser did, and samples to hear.

class Drawer {
  /** `closed()` is called when the reader closes it; `say` speaks to screen readers. */
  constructor(model, say, closed) {
    this.model = model;
    this.say = say;
    this.closed = closed;
    this.root = el("section", { class: "drawer", hidden: true, tabindex: "-1" });
    this.root.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
  }

  open(row, slot) {
    const { model } = this;
    this.shown = [row, slot];
    const heading = el("h2", { id: `drawer-${model.key}`, tabindex: "-1" }, el("bdi", {}, model.rowName(row)), el("span", { class: "in" }, " in "), this.condition(slot));
    const close = el("button", { type: "button", class: "close", "aria-label": "Close", onclick: () => this.close() }, "×");
    this.root.setAttribute("aria-labelledby", heading.id);
    const place = el("div", { class: "samples" }), facts = [this.power(row, slot), this.answers(row, slot)];
    this.root.replaceChildren(...[el("header", {}, heading, close), this.counts(row, slot), this.owner(row, slot), place, ...facts].filter(Boolean));
    this.root.hidden = false;
    this.root.scrollTop = 0;
    heading.focus({ preventScroll: false });
    if (row !== ALL && slot.col !== undefined) this.samples(row, slot, place);
    else this.root.append(this.holes(row, slot));
  }

  close() {
    if (this.root.hidden) return;
    this.root.querySelectorAll("audio").forEach((audio) => audio.pause());
    this.root.hidden = true;
    this.closed();
  }

  /** The condition as its levels, one a line with its factor, where it has any. */
  condition(slot) {
    const { model } = this;
    if (slot.col === undefined || slot.col === model.baseline || model.factors.length < 2) return el("bdi", {}, model.slotName(slot));
    const levels = model.factors.map((factor) => [factor.name, factor.levels[factor.at[slot.col]]]).filter(([, level]) => level !== "none");
    return el("span", { class: "levels" }, ...levels.flatMap(([, level], i) => [i ? " + " : null, el("bdi", {}, breakable(level))]));
  }

  counts(row, slot) {
    const { model } = this;
    const layers = model.layers.filter((layer) => layer.family === "coverage" && layer.format !== "percent" && layer.format !== "points");
    if (!layers.length) return null;
    const lines = layers.map((layer) => this.countLine(layer, row, slot));
    const letter = model.status(row, slot);
    const { met, aimed } = model.tally(row, slot);
    const state = letter ? STATUS[letter] : aimed ? `${written(met)} of ${plural(aimed, "cell")} meet their goals` : "no goals here";
    return el("div", { class: "counts" }, el("p", { class: `state ${stateClass(letter, met, aimed)}` }, state), el("dl", {}, ...lines.flat()));
  }

  countLine(layer, row, slot) {
    const value = this.model.value(layer, "value", row, slot);
    const goal = this.model.value(layer, "goal", row, slot) || 0;
    const number = el("b", {}, value === null ? "–" : written(value, layer.format === "minutes" ? 1 : 0));
    const target = goal ? ` (goal ${written(goal, 1)})` : "";
    const bar = goal ? el("span", { class: "bar", "aria-hidden": "true" }, el("span", { class: value >= goal ? "full" : "part", style: `width:${Math.min(100, (100 * (value || 0)) / goal)}%` })) : null;
    return [el("dt", {}, layer.label), el("dd", {}, number, target, bar)];
  }

  /** Who looks after the hole, and what they noted. */
  owner(row, slot) {
    const { notes } = this.model;
    const which = notes && row !== ALL && slot.col !== undefined ? notes.of[row * this.model.columnCount + slot.col] : undefined;
    if (which === undefined) return null;
    const [owner, note] = notes.texts[which];
    return el("p", { class: "owner", dir: "auto" }, el("b", {}, owner ? `Owner: ${owner}` : "Note"), note ? ` – ${note}` : null);
  }

  power(row, slot) {
    const layer = this.model.layers.find((one) => one.id === "power");
    const value = layer ? this.model.value(layer, "value", row, slot) : null;
    if (!layer || (value === null && (row === ALL || slot.col === undefined))) return null;
    const asked = layer.fields.value.cells.filter((one) => one !== null).length;
    const several = asked > 1 ? ` A report that compares ${plural(asked, "cell")} needs more speech in each.` : "";
    const text = value === null ? `Nothing can be shown here: ${this.unshowable(row, slot)}.`
      : value >= 1 ? "This cell can show no gap at all: less speech than even a gap of 100 points needs."
      : `As the only comparison, this cell can show a gap of ${written(100 * value, value < 0.1 ? 1 : 0)} points or more.${several}`;
    return el("p", { class: "power" }, el("b", {}, text), value === null ? null : el("small", {}, ` ${layer.drawer_help || layer.help}`));
  }

  /** Why a cell can show no gap. */
  unshowable(row, slot) {
    const { model } = this;
    const count = (id, r) => (model.layerOf.has(id) ? model.value(model.layerOf.get(id), "value", r, slot) : null);
    if (!count("renders", row)) return "there is no speech";
    const speakers = count("speakers", row);
    if (!speakers) return "no speaker is known";
    if (speakers < 2) return "one speaker is not enough for an interval";
    if (!model.everyRow().some((r) => r !== row && count("renders", r))) return `no other ${model.rows.axis} has speech to compare with`;
    const others = model.everyRow().filter((r) => r !== row).reduce((sum, r) => sum + (count("speakers", r) || 0), 0);
    if (others && speakers + others < 8) return `with ${plural(speakers, "speaker")} against ${others}, no difference can have a p of 5 %; 4 against 4 can`;
    return "its words, or those of what it would be compared with, are not known";
  }

  answers(row, slot) {
    const layers = this.model.layers.filter((layer) => layer.family === "evaluation");
    const known = layers.filter((layer) => this.model.value(layer, "value", row, slot) !== null);
    if (!known.length) return null;
    const lines = known.flatMap((layer) => [el("dt", {}, layer.label), el("dd", {}, el("b", {}, fully(layer, this.model.value(layer, "value", row, slot))), this.interval(layer, row, slot))]);
    const said = this.model.sentences && row !== ALL && slot.col !== undefined ? this.model.sentences[row * this.model.columnCount + slot.col] : null;
    return el("div", { class: "answers" }, el("h3", {}, "What the recogniser did"), el("dl", {}, ...lines), said ? el("p", { class: "said" }, said) : null);
  }

  interval(layer, row, slot) {
    const low = this.model.value(layer, "low", row, slot), high = this.model.value(layer, "high", row, slot);
    return low === null || high === null ? null : el("small", {}, ` 95 %: ${fully(layer, low)} to ${fully(layer, high)}`);
  }

  /** For a margin: the cells in it that miss their goals, a line for each row, the first few by name. */
  holes(row, slot) {
    const { model } = this;
    if (!model.statuses) return "";
    const rows = row === ALL ? model.everyRow() : [row];
    const columns = slot.all ? model.everyColumn() : slot.col !== undefined ? [slot.col] : slot.cols;
    const short = rows.map((r) => [r, columns.filter((c) => "pe".includes(model.statuses[r * model.columnCount + c]))]).filter(([, own]) => own.length);
    if (!short.length) return "";
    const named = short.slice(0, 12).map(([r, own]) => el("li", {}, el("bdi", {}, model.rows.names[r]), " in ", ...this.listed(own)));
    const more = short.length > named.length ? el("p", { class: "small" }, `and in ${written(short.length - named.length)} more ${model.rows.axis}s`) : null;
    return el("div", { class: "short-cells" }, el("h3", {}, "Cells here that miss a goal"), el("ul", {}, ...named), more);
  }

  /** Return the names of some columns, the first eight, apart by commas. */
  listed(columns) {
    const names = columns.slice(0, 8).flatMap((c, i) => [i ? ", " : "", el("bdi", {}, breakable(this.model.columns.names[c]))]);
    return columns.length > 8 ? [...names, ` and ${written(columns.length - 8)} more`] : names;
  }

  /** Fill a place with the samples of a cell; how their numbers spread stands at the end. */
  async samples(row, slot, place) {
    const { model } = this;
    const index = row * model.columnCount + slot.col;
    const part = model.drawers ? model.drawers.of[index] : null;
    if (part === null || part === undefined) return void place.append(...noSamples(model, row, slot, this.say));
    place.append(el("p", { role: "status" }, "Loading the samples…"));
    const found = await loadPart(model, part);
    if (this.shown[0] !== row || this.shown[1] !== slot) return;
    if (!found) return void place.replaceChildren(el("p", { class: "warn" }, `The file ${partUrl(model, part)} is missing. Copy the folder ${model.drawers.base} together with this page.`));
    const cell = found.cells[index];
    place.replaceChildren(...[rejected(cell)].filter(Boolean), ...sampleList(model, cell, found));
    this.root.append(...[spreadList(model, cell)].filter(Boolean));
    if (cell.sentence && !model.sentences) this.root.querySelector(".answers")?.append(el("p", { class: "said" }, cell.sentence));
    this.say(`${plural(cell.samples.length, "sample")} listed`);
  }
}

/** Return the class of the mark beside a state: its colour is that of such a cell. */
function stateClass(letter, met, aimed) {
  if (letter) return { c: "good", p: "partly", e: "hole" }[letter] || "";
  return !aimed ? "" : met === aimed ? "good" : met ? "partly" : "hole";
}

function noSamples(model, row, slot, say) {
  const renders = model.layerOf.get("renders");
  if (renders && !model.value(renders, "value", row, slot)) return [el("p", {}, "There are no samples in this cell.")];
  if (!model.hint) return [];
  const quoted = (name) => JSON.stringify(name);
  const command = model.hint.replace("{row}", quoted(model.rowName(row))).replace("{column}", quoted(model.columns.names[slot.col]));
  return [el("p", {}, "Its samples, to listen to:"), el("div", { class: "command" }, el("code", {}, command), copyButton(command, say))];
}

function partUrl(model, part) {
  return `${model.drawers.base}${model.drawers.parts[part]}`;
}

/** Load a script file beside the page that calls `roomtoneParts.receive`; pages opened from disk cannot fetch. */
function loadPart(model, part) {
  const parts = window.roomtoneParts;
  const key = `${model.drawers.id} ${part}`;
  parts.asked[key] ||= new Promise((resolve) => {
    parts.waiting[key] = resolve;
    const script = el("script", { src: partUrl(model, part) });
    script.addEventListener("error", () => resolve(null));
    script.addEventListener("load", () => setTimeout(() => resolve(null), 0));
    document.head.append(script);
  });
  return parts.asked[key];
}
