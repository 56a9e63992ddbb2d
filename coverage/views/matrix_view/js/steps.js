// What to do next: at most ten things, each with how much it closes and the command to copy.

/** Return the list of next steps; `show(words)` filters the matrix to what a step is about. */
function nextSteps(model, say, show) {
  const steps = model.steps || [];
  const list = steps.length ? el("ol", { class: "steps" }, ...steps.map((step) => stepItem(step, say, show))) : null;
  const missing = steps.some((step) => step.kind === "record" || step.kind === "render");
  const nothing = missing ? null : el("p", {}, model.nothing_to_do || "Nothing is missing against these goals.");
  return el("section", { class: "next", "aria-label": "What to do next" }, el("h2", {}, "What to do next"), nothing, list);
}

/** Return the first step in one line, for above the matrix; the whole list is below it. Null where there is none. */
function firstStep(model, list) {
  const step = model.steps?.[0];
  if (!step) return null;
  const all = el("button", { type: "button", class: "link", onclick: () => list.scrollIntoView() }, model.steps.length > 1 ? `all ${model.steps.length} steps` : "how");
  return el("p", { class: "first-step" }, el("b", {}, "Next: "), el("span", { class: `kind ${step.kind}` }, step.kind), " ", el("span", { dir: "auto" }, step.text), " ", all);
}

function stepItem(step, say, show) {
  const item = el("li", {}, el("span", { class: `kind ${step.kind}` }, step.kind), " ", el("span", { dir: "auto" }, step.text));
  if (step.words) {
    item.append(" ", el("button", { type: "button", class: "link", "aria-label": `Show in the matrix: ${step.words}`, onclick: () => show(step.words) }, "show"));
  }
  if (step.command) item.append(el("div", { class: "command" }, el("code", {}, step.command), copyButton(step.command, say)));
  return item;
}
