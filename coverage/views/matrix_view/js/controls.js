// The controls: which layer, which words, which group, which order. Plain form controls, each with its name.

/** Return the row of controls; `changed(what)` is called after the state has changed. */
function controls(model, changed) {
  const box = el("div", { class: "controls" }, layerChoice(model, changed));
  const line = el("div", { class: "line" }, filterBox(model, changed));
  if (model.factors.length > 1) line.append(groupChoice(model, changed), foldAll(model, changed));
  const order = model.statuses ? [["holes", "most holes first"]] : [];
  const rows = [["order", "as given"], ["name", "by name"], ...order, ["value", "worst in this layer first"]];
  line.append(choice(`Sort ${model.rows.axis}s`, rows, "order", (value) => {
    model.state.rows = value;
    changed("order");
  }));
  if (model.columnCount > 1) {
    line.append(choice(`Sort ${model.columns.axis}s`, rows, "order", (value) => {
      model.state.columns = value;
      changed("order");
    }));
  }
  box.append(line);
  return box;
}

const FAMILIES = { coverage: "What the set holds", evaluation: "What the recogniser did" };

function layerChoice(model, changed) {
  const families = Object.entries(FAMILIES).filter(([family]) => model.layers.some((layer) => layer.family === family));
  const name = `layer-${model.key}`;
  return el("div", { class: "layers" }, ...families.map(([family, title]) => {
    const layers = model.layers.filter((layer) => layer.family === family);
    return el("fieldset", {}, el("legend", {}, title), ...layers.map((layer) => layerButton(model, layer, name, changed)));
  }));
}

function layerButton(model, layer, name, changed) {
  const input = el("input", { type: "radio", name, value: layer.id, checked: layer.id === model.state.layer });
  input.addEventListener("change", () => {
    model.state.layer = layer.id;
    changed("layer");
  });
  return el("label", {}, input, el("span", {}, layer.label));
}

function filterBox(model, changed) {
  const input = el("input", { type: "search", placeholder: "e.g. " + example(model), spellcheck: "false", autocomplete: "off" });
  let waiting = 0;
  input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      model.state.words = input.value;
      changed("words");
    }, 120);
  });
  return el("label", { class: "field filter" }, el("span", {}, "Show only"), input);
}

/** Return words that this very matrix knows. */
function example(model) {
  const last = model.factors[model.factors.length - 1];
  const level = [...(last?.levels || [])].reverse().find((name) => name !== "none") || model.columns.names[0];
  return [model.rows.names[model.rowCount - 1], level].filter(Boolean).map((name) => name.split("@")[0]).map((name) => (name.length > 14 ? name.split(/[_\s]/u)[0].slice(0, 14) : name)).join(" ");
}

function groupChoice(model, changed) {
  const options = [...model.factors.map((factor, f) => [f, factor.name]), ["", "no grouping"]];
  return choice("Group by", options, 0, (value) => {
    model.state.group = value === "" ? null : Number(value);
    model.state.collapsed.clear();
    changed("group");
  });
}

function foldAll(model, changed) {
  const button = el("button", { type: "button", class: "fold-all" }, "Fold all");
  button.addEventListener("click", () => {
    const { group, collapsed } = model.state;
    if (group === null) return;
    const levels = model.factors[group].levels.map((_, level) => level).filter((level) => foldable(model, group, level));
    if (collapsed.size) collapsed.clear();
    else levels.forEach((level) => collapsed.add(level));
    changed("fold");
  });
  model.foldLabel = () => {
    button.textContent = model.state.collapsed.size ? "Unfold all" : "Fold all";
    button.disabled = model.state.group === null;
  };
  return button;
}

/** A level with one column only has nothing to fold. */
function foldable(model, factor, level) {
  return model.sizes[factor][level] > 1;
}

function choice(name, options, chosen, change) {
  const select = el("select", {}, ...options.map(([value, text]) => el("option", { value, selected: value === chosen }, text)));
  select.addEventListener("change", () => change(select.value));
  return el("label", { class: "field" }, el("span", {}, name), select);
}
