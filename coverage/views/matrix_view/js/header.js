// The grid's header: a row for each factor with merged cells, then the margin over all rows, which never scrolls away.

/** Return the header's rows for the slots on show, and the group header cell over each slot. */
function headerRows(model, slots) {
  const order = factorOrder(model);
  const rows = order.map((f, depth) => el("tr", { class: "factor" }, cornerCell(model, f, depth)));
  const over = [];
  let from = 0;
  while (from < slots.length) {
    const to = runEnd(model, slots, order, 0, from, slots.length);
    fill(model, slots, order, rows, over, 0, from, to);
    from = to;
  }
  return { rows, over };
}

function cornerCell(model, f, depth) {
  const named = depth === 0 && model.state.group !== null ? `${model.factors[f].name} ▾` : model.factors[f].name;
  const grouped = depth === 0 && model.state.group !== null;
  return el("th", { class: "corner", colspan: 2, scope: "row", title: grouped ? "The columns are grouped by this factor" : null }, named);
}

/** Append the cells of one run of equal levels, and below it those of the next factor. */
function fill(model, slots, order, rows, over, depth, from, to) {
  const first = slots[from];
  if (first.col === undefined || isPlain(model, first)) {
    for (let i = from; i < to; i++) {
      const cell = wholeCell(model, slots[i], order.length - depth, depth);
      rows[depth].append(cell);
      over[i] ||= cell;
    }
    return;
  }
  const f = order[depth];
  const level = model.factors[f].at[first.col];
  const cell = levelCell(model, f, level, to - from, depth);
  rows[depth].append(cell);
  if (depth === 0) setAll(over, from, to, cell);
  if (depth + 1 === order.length) return;
  let start = from;
  while (start < to) {
    const end = runEnd(model, slots, order, depth + 1, start, to);
    fill(model, slots, order, rows, over, depth + 1, start, end);
    start = end;
  }
}

function setAll(list, from, to, value) {
  for (let i = from; i < to; i++) list[i] = value;
}

/** The baseline has no level in any factor: one cell with its name says more than a column of "none". */
function isPlain(model, slot) {
  return slot.col === model.baseline && model.factors.length > 1;
}

/** Return where the run of slots with the level of `from` ends. */
function runEnd(model, slots, order, depth, from, limit) {
  const key = (slot) => (slot.col === undefined ? `collapsed ${slot.level}` : isPlain(model, slot) ? "plain" : model.factors[order[depth]].at[slot.col]);
  let end = from + 1;
  while (end < limit && key(slots[end]) === key(slots[from])) end++;
  return end;
}

function wholeCell(model, slot, span, depth) {
  if (slot.col !== undefined) {
    const label = el("span", { class: "stick", dir: "auto" }, breakable(model.columns.names[slot.col]));
    return el("th", { class: "level plain-name start", rowspan: span, scope: "col" }, label);
  }
  const factor = model.factors[slot.factor];
  const label = el("span", { class: "stick", dir: "auto" }, breakable(factor.levels[slot.level]));
  const all = el("small", {}, `all ${slot.cols.length}`);
  return el(
    "th",
    { class: "level group folded start", rowspan: span, scope: "col", "aria-expanded": "false", "data-level": slot.level },
    el("span", { class: "fold", "aria-hidden": "true" }, "+"), label, all,
  );
}

function levelCell(model, f, level, span, depth) {
  const name = model.factors[f].levels[level];
  const grouped = depth === 0 && model.state.group !== null && f === model.state.group;
  const label = el("span", { class: "stick", dir: "auto" }, breakable(name));
  const classes = ["level", name === "none" ? "none" : "", grouped ? "group" : "", depth === 0 ? "start" : ""];
  const foldable = grouped && span > 1;
  const attributes = { class: classes.filter(Boolean).join(" "), colspan: span, scope: span > 1 ? "colgroup" : "col" };
  if (foldable) Object.assign(attributes, { "aria-expanded": "true", "data-level": level });
  return el("th", attributes, foldable ? el("span", { class: "fold", "aria-hidden": "true" }, "−") : null, label);
}

/** Return the words that stand over one column each and cannot be broken, by their weight. */
function headerWords(model, slots) {
  const plain = new Set(), bold = new Set();
  for (const slot of slots) {
    const folded = slot.col === undefined;
    const names = folded ? [model.factors[slot.factor].levels[slot.level]] : namesOver(model, slot);
    for (const name of names) for (const word of pieces(name)) (folded || isPlain(model, slot) ? bold : plain).add(word);
  }
  return { plain, bold };
}

/** Return the width of the longest of some texts, in px. */
function longestOf(texts, font) {
  const context = document.createElement("canvas").getContext("2d");
  context.font = font;
  return Math.max(0, ...[...texts].map((text) => context.measureText(text).width));
}

function namesOver(model, slot) {
  if (isPlain(model, slot)) return [model.columns.names[slot.col]];
  return model.factors.map((factor) => factor.levels[factor.at[slot.col]]);
}
