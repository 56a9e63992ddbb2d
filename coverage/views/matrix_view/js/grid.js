// The grid: one table, one stop of the tab key, arrow keys within. Headers and margins stay while the cells scroll.

const GROUPS = -2, MARGIN = -1;

class Grid {
  /** `on.open(row, slot)` when a cell is chosen, `on.look(row, slot)` when one is pointed at, `on.fold(level)` for a group. */
  constructor(model, on) {
    this.model = model;
    this.on = on;
    this.active = { r: 0, c: 0 };
    this.table = el("table", { role: "grid" });
    this.root = el("div", { class: "scroller" }, this.table);
    this.table.addEventListener("keydown", (event) => this.pressed(event));
    this.table.addEventListener("click", (event) => this.clicked(event));
    this.table.addEventListener("pointerover", (event) => this.pointed(event));
    this.table.addEventListener("focusin", (event) => this.pointed(event));
  }

  /** Build the table for the rows and columns on show. */
  render() {
    const { model } = this;
    const { rows, columns } = filtered(model);
    this.rows = sortedRows(model, rows);
    this.slots = slotsOf(model, columns);
    this.cells = new Map();
    const { rows: heads, over } = headerRows(model, this.slots);
    this.over = over;
    const margin = this.bodyRow(ALL, MARGIN);
    margin.classList.add("margins");
    const body = el("tbody");
    this.rows.forEach((row, r) => body.append(this.bodyRow(row, r)));
    this.table.replaceChildren(this.columnWidths(), el("thead", {}, ...heads, margin), body);
    this.table.setAttribute("aria-label", `${model.rows.axis} by ${model.columns.axis}`);
    this.starts();
    this.activate(this.active.r, this.active.c);
    this.settle();
  }

  /** Change texts and colours only: another layer over the same cells. */
  repaint() {
    for (const [key, cell] of this.cells) this.paintCell(cell, ...this.placeOf(key));
    this.table.removeAttribute("aria-busy");
  }

  placeOf(key) {
    const [r, c] = key.split(",").map(Number);
    return [r === MARGIN ? ALL : this.rows[r], c === MARGIN ? { all: true } : this.slots[c]];
  }

  bodyRow(row, r) {
    const name = row === ALL ? this.model.rowName(ALL) : this.model.rows.names[row];
    const line = el("tr", {}, el("th", { scope: "row", dir: "auto" }, breakable(name)));
    line.append(this.cell(row, { all: true }, r, MARGIN));
    this.slots.forEach((slot, c) => line.append(this.cell(row, slot, r, c)));
    return line;
  }

  cell(row, slot, r, c) {
    const cell = document.createElement("td");
    cell._at = [r, c];
    this.cells.set(`${r},${c}`, cell);
    this.paintCell(cell, row, slot);
    return cell;
  }

  paintCell(cell, row, slot) {
    const { text, cls } = paint(this.model, this.model.layer, row, slot);
    const gap = this.model.gap(row, slot);
    cell.className = [slot.all ? "all" : slot.col === undefined || row === ALL ? "margin" : "", cls, gap && `gap-${gap}`].filter(Boolean).join(" ");
    cell.textContent = text;
  }

  /** Columns are as wide as the words over them and the counts in them need, and a little narrower where all of them then fit. */
  columnWidths() {
    const { model } = this, style = getComputedStyle(this.root);
    const room = this.root.parentElement?.clientWidth || 1200, narrow = room < 640;
    const sans = style.getPropertyValue("--sans"), size = style.getPropertyValue("--name-size").trim() || "13px";
    const names = Math.max(longestOf([model.rowName(ALL)], `700 ${size} ${sans}`), longestOf(this.rows.map((row) => model.rows.names[row]), `400 ${size} ${sans}`));
    const first = Math.round(Math.max(72, Math.min(narrow ? 92 : 200, names + 10)));
    const all = narrow ? 46 : 56;
    const font = style.getPropertyValue("--head-font").trim() || "11px sans-serif";
    const { plain, bold } = headerWords(model, this.slots);
    const words = Math.max(longestOf(plain, font), longestOf(bold, `700 ${font}`));
    const counts = longestOf(widestOfGoals(model), `400 ${style.getPropertyValue("--cell-size").trim() || "12.5px"} ${sans}`);
    const fitting = Math.floor((room - first - all - 1) / Math.max(1, this.slots.length));
    const ideal = Math.ceil(Math.max(44, counts + 8, Math.min(narrow ? 72 : 110, words + 10)));
    const width = fitting < ideal && fitting >= Math.max(words + 7, counts + 8) ? fitting : ideal;
    const columns = [first, all, ...this.slots.map(() => width)];
    return el("colgroup", {}, ...columns.map((px) => el("col", { style: `width:${px}px` })));
  }

  /** Mark the first column of each group, so that a gap shows where one ends. */
  starts() {
    this.slots.forEach((_, c) => {
      if (c && this.over[c] === this.over[c - 1]) return;
      for (let r = MARGIN; r < this.rows.length; r++) this.cells.get(`${r},${c}`).classList.add("start");
    });
  }

  /** Tell the scroller what its fixed parts hide, so that a focused cell never lies under them. */
  settle() {
    const head = this.table.tHead, names = head.querySelector(".margins th"), all = head.querySelector(".margins td");
    const frozen = names.offsetWidth + all.offsetWidth;
    this.root.style.setProperty("--frozen", `${frozen}px`);
    this.root.style.setProperty("--names", `${names.offsetWidth}px`);
    this.root.style.scrollPadding = `${head.offsetHeight}px 0 0 ${frozen}px`;
  }

  element(r, c) {
    return r === GROUPS ? this.over[Math.max(0, c)] : this.cells.get(`${r},${c}`);
  }

  /** Make one cell the stop of the tab key. */
  activate(r, c) {
    const top = this.model.state.group === null ? MARGIN : GROUPS;
    const row = Math.max(top, Math.min(this.rows.length - 1, r));
    const column = Math.max(row === GROUPS ? 0 : MARGIN, Math.min(this.slots.length - 1, c));
    const cell = this.element(row, column) || this.element(MARGIN, MARGIN);
    this.stop?.removeAttribute("tabindex");
    this.stop = cell;
    cell.setAttribute("tabindex", "0");
    this.active = { r: row, c: column };
    return cell;
  }

  focus(r, c) {
    const cell = this.activate(r, c);
    if (this.active.r !== GROUPS) cell.setAttribute("aria-label", this.said(...this.placeOf(`${this.active.r},${this.active.c}`)));
    cell.focus();
  }

  said(row, slot) {
    return `${this.model.rowName(row)}, ${this.model.slotName(slot)}. ${sentence(this.model, this.model.layer, row, slot)}`;
  }

  pressed(event) {
    const { r, c } = this.active;
    const page = 8;
    const moves = {
      ArrowUp: [r - 1, c], ArrowDown: [r + 1, c], ArrowLeft: [r, c - 1], ArrowRight: [r, c + 1],
      PageUp: [r - page, c], PageDown: [r + page, c],
      Home: event.ctrlKey ? [MARGIN, MARGIN] : [r, MARGIN], End: event.ctrlKey ? [this.rows.length - 1, this.slots.length - 1] : [r, this.slots.length - 1],
    };
    if (moves[event.key]) {
      event.preventDefault();
      this.focus(...this.overGroup(event.key, moves[event.key]));
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.choose(r, c);
    }
  }

  /** In the row of groups left and right go from group to group, not from column to column. */
  overGroup(key, [r, c]) {
    if (this.active.r !== GROUPS || (key !== "ArrowLeft" && key !== "ArrowRight")) return [r, c];
    let to = c;
    while (key === "ArrowRight" && to < this.slots.length - 1 && this.over[to] === this.stop) to++;
    while (key === "ArrowLeft" && to > 0 && this.over[to - 1] === this.over[to]) to--;
    return [r, to];
  }

  choose(r, c) {
    const level = r === GROUPS ? this.over[c]?.dataset.level : undefined;
    if (level !== undefined) this.on.fold(Number(level));
    else if (r !== GROUPS) this.on.open(...this.placeOf(`${r},${c}`));
  }

  clicked(event) {
    const cell = event.target.closest("td, th[data-level]");
    if (!cell) return;
    const [r, c] = cell._at || [GROUPS, this.over.indexOf(cell)];
    this.focus(r, c);
    this.choose(r, c);
  }

  pointed(event) {
    const cell = event.target.closest("td");
    if (!cell?._at) return;
    const [r, c] = cell._at;
    this.on.look(...this.placeOf(`${r},${c}`));
    this.lit?.forEach((node) => node.classList.remove("lit"));
    this.lit = [cell.parentElement.firstElementChild, this.headOver(c)].filter(Boolean);
    this.lit.forEach((node) => node.classList.add("lit"));
  }

  /** Return the innermost header cell over a column. */
  headOver(c) {
    return c === MARGIN ? null : this.cells.get(`${MARGIN},${c}`);
  }
}
