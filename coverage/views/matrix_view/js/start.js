// The start: every matrix of the document gets its shadow root. What the document holds without scripts stays in the light
// tree: it is what shows where this code does not run, and what is printed.

let counter = 0;

function mount(host) {
  if (host.shadowRoot) return;
  const json = JSON.parse(host.querySelector('script[type="application/json"]').textContent);
  const model = new Model(json);
  model.key = `${Date.now().toString(36)}${counter++}`;
  const root = host.attachShadow({ mode: "open" });
  const style = el("style");
  style.textContent = host.querySelector("style").textContent;
  const live = el("p", { class: "live", role: "status" });
  const frame = el("div", { class: "frame" });
  root.append(style, frame, el("div", { class: "paper" }, el("slot")), live);
  const say = (text) => (live.textContent = text);
  theme(host, () => view.overview.draw());
  const view = assemble(model, frame, say);
}

function assemble(model, frame, say) {
  const readout = el("p", { class: "readout" });
  const look = (row, slot) => readout.replaceChildren(el("b", {}, el("bdi", {}, model.rowName(row)), " in ", el("bdi", {}, model.slotName(slot))), ` ${sentence(model, model.layer, row, slot)}`);
  const nothing = el("p", { class: "nothing", hidden: true });
  const drawer = new Drawer(model, say, () => {
    frame.classList.remove("opened");
    grid.focus(grid.active.r, grid.active.c);
  });
  const grid = new Grid(model, {
    look,
    open: (row, slot) => {
      frame.classList.add("opened");
      drawer.open(row, slot);
    },
    fold: (level) => {
      const { collapsed } = model.state;
      if (!collapsed.delete(level)) collapsed.add(level);
      changed("fold");
      grid.focus(grid.active.r, grid.active.c);
    },
  });
  const overview = new Overview(model, grid);
  const legendPlace = el("div", {}), howPlace = el("div", {});
  const bar = controls(model, (what) => changed(what));
  const steps = nextSteps(model, say, (words) => {
    const input = bar.querySelector('input[type="search"]');
    input.value = words;
    model.state.words = words;
    changed("words");
    grid.root.scrollIntoView({ block: "nearest" });
  });
  const side = el("div", { class: "side" }, howPlace, steps);
  frame.append(...[firstStep(model, steps), bar].filter(Boolean), readout, overview.root, legendPlace, el("div", { class: "main" }, el("div", { class: "sheet" }, grid.root, nothing), drawer.root, side));

  function changed(what) {
    if (what === "layer") grid.repaint();
    if (what !== "layer" || model.state.rows === "value" || model.state.columns === "value") grid.render();
    model.foldLabel?.();
    legendPlace.replaceChildren(legend(model, model.layer));
    howPlace.replaceChildren(explained(model, model.layer));
    const { unknown } = filtered(model);
    nothing.hidden = grid.rows.length > 0 && grid.slots.length > 0;
    grid.root.hidden = !nothing.hidden;
    nothing.textContent = unknown.length ? `No ${model.rows.axis} and no ${model.columns.axis} is called “${unknown.join(" ")}”.` : "Nothing has all of these words.";
    overview.draw();
    if (what) say(what === "layer" ? `Layer ${model.layer.label}` : nothing.hidden ? `${plural(grid.rows.length, model.rows.axis)} by ${plural(grid.slots.length, "column")}` : nothing.textContent);
    look(ALL, { all: true });
  }
  changed("");
  new ResizeObserver(() => {
    grid.settle();
    overview.draw();
  }).observe(grid.root);
  return { grid, overview, drawer };
}

/** Keep `data-theme` on the host: the notebook's own theme where there is one, else what the system asks for. */
function theme(host, changed) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const dark = () => {
    const { jpThemeLight, vscodeThemeKind } = document.body.dataset;
    if (jpThemeLight) return jpThemeLight === "false";
    if (vscodeThemeKind) return vscodeThemeKind.includes("dark");
    return system.matches;
  };
  const set = () => {
    const name = dark() ? "dark" : "light";
    if (host.dataset.theme === name) return;
    const first = !host.dataset.theme;
    host.dataset.theme = name;
    if (!first) changed();
  };
  system.addEventListener("change", set);
  new MutationObserver(set).observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-vscode-theme-kind"] });
  set();
}

window.roomtoneParts ||= {
  asked: {},
  waiting: {},
  receive(id, part, data) {
    this.waiting[`${id} ${part}`]?.(data);
  },
};
document.querySelectorAll(".roomtone-matrix").forEach(mount);
