// The legend: what colour, hatching and marks mean in this layer, drawn with the very classes of the cells.

/** Return what the colours and marks of a layer mean, as a strip that stands over the grid. */
function legend(model, layer) {
  const keys = { goal: goalKeys, ramp: rampKeys, diverging: divergingKeys, verdict: verdictKeys }[layer.colour](model, layer);
  return el("section", { class: "legend", "aria-label": "What the colours mean" }, el("ul", { class: "keys" }, ...keys, ...gapKeys(model)));
}

/** Return the sentences that explain a layer and its margins. */
function explained(model, layer) {
  const how = `Each square is one ${model.rows.axis} in one ${model.columns.axis}; a click on it shows what it holds${model.drawers ? " and plays its samples" : ""}. ${layer.help}`;
  return el("section", { class: "how", "aria-label": "How to read this" },
    el("h2", {}, "How to read this"), el("p", {}, how), el("p", { class: "small" }, margins(model, layer)));
}

function margins(model, layer) {
  const sum = "count once what their cells hold together: a total has no goal, so it is grey";
  const together = layer.margin_help || (layer.colour === "goal" ? sum : "are the figures over all of them");
  return `The top row and the first column (all ${model.rows.axis}s, all ${model.columns.axis}s) ${together}.`;
}

function key(cls, sample, text) {
  return el("li", {}, el("span", { class: `swatch ${cls}`, "aria-hidden": "true" }, sample), el("span", {}, text));
}

function goalKeys(model, layer) {
  const percent = layer.format === "percent";
  const present = new Set(model.statuses || "");
  const keys = [];
  const aimed = layer.fields.goal && layer.fields.goal.cells.some((goal) => goal > 0);
  if (aimed) {
    keys.push(key("met", percent ? "100" : "6", "goal met"));
    keys.push(key("short3", percent ? "67" : "4/6", percent ? "share of the goal reached" : "4 of the 6 asked for: the stronger, the more is missing"));
    keys.push(key("short0", percent ? "0" : "0/6", "a hole: nothing is there"));
    if (!percent) keys.push(key("met other", "6", "this goal is met, another of the cell is not"));
  } else {
    keys.push(key("plain3", "12", `no goal is set for ${layer.label}: the stronger the grey, the more`));
    keys.push(key("plain3 other", "12", "another goal of the cell is missed"));
  }
  if (present.has("n")) keys.push(key("plain", "·", "nothing there and nothing asked for"));
  if (present.has("i")) keys.push(key("out", "", "ignored: counts for nothing"));
  if (present.has("x")) keys.push(key("out bad", "3", "must be empty and is not"));
  return keys;
}

/** In every layer: cells with a gap that was found have an outline. */
function gapKeys(model) {
  const found = model.gapsFound();
  return [
    found.has("worse") ? key("gap-worse", "", `outlined: a gap was found, this ${model.rows.axis} is worse off here`) : null,
    found.has("better") ? key("gap-better", "", `dashed: a gap was found, this ${model.rows.axis} is better off here`) : null,
  ].filter(Boolean);
}

function rampKeys(model, layer) {
  const [low, high] = layer.domain;
  const steps = [...Array(RAMP_STEPS).keys()];
  const edge = (i) => low + ((high - low) * i) / RAMP_STEPS;
  const mark = (i) => written(layer.format === "percent" || layer.format === "points" ? 100 * edge(i) : edge(i), 1);
  const bar = el("span", { class: "ramp", "aria-hidden": "true" }, ...steps.map((i) => el("span", { class: `ramp${i}` }, mark(i))));
  const unit = layer.format === "percent" ? "%" : layer.format === "points" ? "points" : layer.unit || "";
  const text = `from ${mark(0)} to ${mark(RAMP_STEPS)} ${unit}${high < (layer.most ?? high) ? " and above" : ""}; each step starts at its number`;
  return [el("li", { class: "wide" }, bar, el("span", {}, text)), ...thinKey(layer), ...unknownKey(layer)];
}

function thinKey(layer) {
  return layer.fields.thin?.cells.some(Boolean) ? [key("thin", "33", "fewer than three speakers: this is about persons, not about the accent, so it has no colour")] : [];
}

function unknownKey(layer) {
  return layer.fields.value.cells.some((value) => value === null) ? [key("unknown", "–", "not known: no sample, or nothing to count")] : [];
}

function divergingKeys(model, layer) {
  const top = written(100 * layer.domain[1], 0);
  return [
    key("more3", `+${written(75 * layer.domain[1], 0)}`, layer.more || "more"),
    key("even", "0", "about as much"),
    key("less3", `−${written(75 * layer.domain[1], 0)}`, layer.less || "less"),
    ...thinKey(layer), ...unknownKey(layer),
    el("li", { class: "wide small" }, `The strongest colours stand for ${top} points and more.`),
  ];
}

function verdictKeys(model, layer) {
  const texts = {
    worse: "a gap: this accent is worse off, by so many points",
    better: "a gap: this accent is better off than the others",
    no_gap: "no gap of the size that matters",
    not_enough_data: "not enough data to say",
    saturated: "so much is lost that a difference cannot show",
  };
  const present = new Set(layer.fields.value.cells);
  const sample = { worse: "▲ +12", better: "▽ −9" };
  return [...Object.entries(texts).filter(([name]) => present.has(name) || name === "worse")
    .map(([name, text]) => key(`verdict ${name}`, sample[name] || SIGNS[name], text)), ...unknownKey(layer)];
}
