// From a value to what a cell shows: its text, its class (colour and hatching live in the style sheet), and a sentence.

const SIGNS = { worse: "▲", better: "▽", no_gap: "≈", not_enough_data: "?", saturated: "■" };
const RAMP_STEPS = 8;

/** Return {text, cls} of a row and slot in a layer. */
function paint(model, layer, row, slot) {
  const value = model.value(layer, "value", row, slot);
  const margin = row === ALL || slot.col === undefined;
  if (layer.colour === "goal") return margin ? paintTally(model, layer, row, slot, value) : paintGoal(model, layer, row, slot, value);
  if (value === null) return { text: "–", cls: "unknown" };
  if (layer.colour === "verdict") return paintVerdict(model, layer, row, slot, value);
  const thin = model.value(layer, "thin", row, slot);
  const cls = thin ? "thin" : layer.colour === "diverging" ? divergingClass(layer, value) : rampClass(layer, value);
  return { text: shortly(layer, value), cls };
}

function paintGoal(model, layer, row, slot, value) {
  const status = model.status(row, slot);
  if (status === "i" || status === "x") return { text: value ? shortly(layer, value) : "", cls: status === "x" && value ? "out bad" : "out" };
  if (value === null) return { text: "–", cls: "unknown" };
  const goal = model.value(layer, "goal", row, slot) || 0;
  const short = status === "p" || status === "e";
  if (!goal) return { text: value ? shortly(layer, value) : "·", cls: `${magnitude(layer, value)}${short ? " other" : ""}` };
  if (value >= goal) return { text: shortly(layer, value), cls: `met${short ? " other" : ""}` };
  const text = layer.format === "percent" ? shortly(layer, value) : ofGoal(layer, value, goal);
  return { text, cls: shareClass(value / goal) };
}

/** Return "4/6", thousands as "1.2k/6.3k". */
function ofGoal(layer, value, goal) {
  const brief = (number) => (number < 1000 ? shortly(layer, number) : `${written(number / 1000, number < 10000 ? 1 : 0)}k`);
  return `${brief(value)}/${brief(goal)}`;
}

/** Return the widest texts that cells can have in the layers with goals. */
function widestOfGoals(model) {
  const goals = (layer) => (layer.colour === "goal" && layer.format !== "percent" && layer.fields.goal?.cells) || [];
  return model.layers.map((layer) => [layer, goals(layer).reduce((most, goal) => Math.max(most, goal || 0), 0)]).map(([layer, most]) => (most ? ofGoal(layer, most, most) : ""));
}

/** A margin counts what its cells hold together and has no goal of its own, so it is grey; only an empty one is a hole. A mean share has the colour of that share. */
function paintTally(model, layer, row, slot, value) {
  if (value === null) return { text: "–", cls: "unknown" };
  const hole = value === 0 && model.tally(row, slot).aimed > 0;
  const cls = layer.format === "percent" && value < 1 ? shareClass(value) : layer.format === "percent" ? "met" : hole ? "short0" : "plain1";
  return { text: shortly(layer, value), cls };
}

function shareClass(share) {
  return share <= 0 ? "short0" : `short${1 + Math.min(3, Math.floor(share * 4))}`;
}

function magnitude(layer, value) {
  const most = layer.domain ? layer.domain[1] : 0;
  return value && most ? `plain${Math.min(4, Math.floor((value / most) * 5))}` : "plain";
}

function rampClass(layer, value) {
  return `ramp${rampStep(layer, value)}`;
}

function rampStep(layer, value) {
  const [low, high] = layer.domain;
  return Math.max(0, Math.min(RAMP_STEPS - 1, Math.floor(((value - low) / (high - low)) * RAMP_STEPS)));
}

/** Return one of nine steps about zero; the middle one is narrow, so that what is coloured differs. */
function divergingClass(layer, value) {
  const step = Math.max(-4, Math.min(4, Math.round((value / layer.domain[1]) * 4)));
  return step < 0 ? `less${-step}` : step > 0 ? `more${step}` : "even";
}

function paintVerdict(model, layer, row, slot, value) {
  const size = model.value(layer, "size", row, slot);
  const told = value === "worse" || value === "better";
  const text = told && size !== null ? `${SIGNS[value]} ${signed(100 * size)}` : SIGNS[value] || value;
  return { text, cls: `verdict ${value}` };
}

function signed(points, digits = 0) {
  const text = written(Math.abs(points), digits);
  return text === "0" ? "0" : `${points < 0 ? "−" : "+"}${text}`;
}

/** Return a value as a cell has room for it. */
function shortly(layer, value) {
  if (layer.format === "percent") return `${Math.round(100 * value) === 0 && value > 0 ? "<1" : written(roundedShare(layer, value))}`;
  if (layer.format === "points") return layer.colour === "diverging" ? signed(100 * value) : written(100 * value);
  if (layer.format === "minutes") return written(value, value < 10 ? 1 : 0);
  return Math.abs(value) >= 10000 ? `${written(value / 1000)}k` : written(value, 1);
}

/** A goal that is not met never reads 100. */
function roundedShare(layer, value) {
  const rounded = Math.round(100 * value);
  return layer.colour === "goal" && value < 1 ? Math.min(rounded, 99) : rounded;
}

/** Return a value with its unit, for a sentence. */
function fully(layer, value) {
  if (value === null || value === undefined) return "not known";
  if (layer.format === "percent") return `${written(layer.colour === "goal" ? roundedShare(layer, value) : 100 * value, 1)} %`;
  if (layer.format === "points") return `${layer.colour === "diverging" ? signed(100 * value, 1) : written(100 * value, 1)} points`;
  if (layer.format === "verdict") return { worse: "gap, worse off", better: "gap, better off", no_gap: "no gap", not_enough_data: "not enough data", saturated: "saturated" }[value];
  return `${written(value, layer.format === "minutes" ? 1 : 0)}${layer.unit ? ` ${layer.unit}` : ""}`;
}

/** Return the sentence of a row and slot in a layer: what a screen reader says and the line above the grid shows. */
function sentence(model, layer, row, slot) {
  const value = model.value(layer, "value", row, slot);
  const parts = [`${layer.label}: ${fully(layer, value)}`];
  const goal = model.value(layer, "goal", row, slot);
  if (goal && layer.format !== "percent") parts[0] += ` (goal ${written(goal, 1)})`;
  const low = model.value(layer, "low", row, slot), high = model.value(layer, "high", row, slot);
  if (low !== null && high !== null) parts.push(`95 % interval ${fully(layer, low)} to ${fully(layer, high)}`);
  const status = model.status(row, slot);
  if (status && layer.family === "coverage") parts.push(STATUS[status]);
  if (row === ALL || slot.col === undefined) {
    const { met, aimed } = model.tally(row, slot);
    if (aimed && layer.family === "coverage") parts.push(`${written(met)} of ${plural(aimed, "cell")} meet their goals`);
  }
  const gap = layer.colour === "verdict" ? null : model.gap(row, slot);
  if (gap) parts.push(`a gap was found: ${gap} off`);
  if (model.value(layer, "thin", row, slot)) parts.push("fewer than three speakers");
  return parts.join("; ");
}
