// How measured numbers spread over all samples of a cell: a small histogram each, over the range of the whole set.

/** Of fewer samples the whole range is stated; the same number is in `cell_facts.py`. */
const FEW = 20;

/** Return the spreads of a cell, or null where nothing was measured. */
function spreadList(model, cell) {
  const known = (cell.spreads || []).map((found, i) => [model.spreads[i], found]).filter(([, found]) => found);
  if (!known.length) return null;
  const lines = known.flatMap(([spread, found]) => [el("dt", {}, spread.label), spreadLine(spread, found)]);
  return el("div", { class: "spreads" }, el("h3", {}, "What was measured on its samples"),
    el("p", { class: "small" }, "The number is the median, then the range of nine samples in ten (of all, where there are fewer than 20); the bars go over the range of the whole set, where it has one."), el("dl", {}, ...lines));
}

function spreadLine(spread, [count, q05, , median, , q95, bars]) {
  const said = (value) => fixed(value, spread.digits);
  const unit = spread.unit ? ` ${spread.unit}` : "";
  const whole = count < FEW, many = whole ? `all ${written(count)}` : "nine in ten";
  const alike = q05 === q95 ? `${many} alike` : `${many} round to this`;
  const range = said(q05) === said(q95) ? "" : `${said(q05)} to ${said(q95)}`;
  if (said(spread.low) === said(spread.high)) return el("dd", { class: "alike" }, el("b", {}, `${said(median)}${unit}`), el("small", {}, " in the whole set"));
  const name = `${spread.label}: median ${said(median)}${unit}${range ? `, ${many} from ${range}` : `, ${alike}`}, ${plural(count, "sample")}; the set goes from ${said(spread.low)} to ${said(spread.high)}`;
  const ends = el("span", { class: "ends", "aria-hidden": "true" }, el("span", {}, said(spread.low)), el("span", {}, said(spread.high)));
  return el("dd", {}, el("span", { class: "histogram" }, histogram(bars, name), ends),
    el("span", {}, el("b", {}, `${said(median)}${unit}`), el("small", {}, range || alike)));
}

function histogram(bars, name) {
  const heights = [...bars].map((sign) => PEAK_SIGNS.indexOf(sign) / 63);
  const shapes = heights.flatMap((height, i) => (height ? [svg("rect", { x: i + 0.06, y: 1 - Math.max(0.05, height), width: 0.88, height: Math.max(0.05, height) })] : []));
  return svg("svg", { class: "bars", viewBox: `0 0 ${heights.length} 1`, preserveAspectRatio: "none", role: "img", "aria-label": name }, ...shapes);
}

/** What was planned and did not become a sample, with the most frequent reason. */
function rejected(cell) {
  if (!cell.rejected) return null;
  const [count, planned, reason] = cell.rejected;
  return el("p", { class: "rejected", dir: "auto" }, el("b", {}, `${written(count)} of ${written(planned)} planned were rejected`), count > 1 ? ", most of them: " : ": ", reason);
}
