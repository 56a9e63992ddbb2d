// The overview: the whole matrix at a few pixels a cell, shown where the grid is larger than its window. A click goes there.

class Overview {
  constructor(model, grid) {
    this.model = model;
    this.grid = grid;
    this.canvas = el("canvas", { role: "img" });
    this.window = el("span", { class: "window", "aria-hidden": "true" });
    this.root = el("div", { class: "overview", hidden: true }, this.canvas, this.window);
    this.root.addEventListener("pointerdown", (event) => this.go(event));
    this.root.addEventListener("pointermove", (event) => event.buttons && this.go(event));
    for (const place of [grid.root, window]) place.addEventListener("scroll", () => this.frame(), { passive: true });
    window.addEventListener("resize", () => this.frame(), { passive: true });
  }

  draw() {
    const { grid, model } = this;
    const scroller = grid.root;
    // against the width of the whole component: an open drawer takes room, and is no reason for the page to jump
    const wide = scroller.scrollWidth > this.root.parentElement.clientWidth * 1.4, tall = scroller.scrollHeight > scroller.clientHeight * 1.4;
    this.root.hidden = !(wide || tall) || !grid.slots.length;
    if (this.root.hidden) return;
    const width = this.root.clientWidth, rows = grid.rows.length, columns = grid.slots.length;
    const high = Math.max(2, Math.min(8, Math.round(180 / rows)));
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(rows * high * ratio);
    this.canvas.style.height = `${rows * high}px`;
    const colour = colours(grid.root);
    const context = this.canvas.getContext("2d");
    const w = this.canvas.width / columns, h = this.canvas.height / rows;
    grid.rows.forEach((row, r) => grid.slots.forEach((slot, c) => {
      context.fillStyle = colour(paint(model, model.layer, row, slot).cls);
      context.fillRect(Math.floor(c * w), Math.floor(r * h), Math.ceil(w) - (w > 4 ? 1 : 0), Math.ceil(h) - (h > 4 ? 1 : 0));
    }));
    this.canvas.setAttribute("aria-label", `All ${written(rows * columns)} cells at a glance, in the colours of the layer ${model.layer.label}`);
    this.frame();
  }

  /** The frame is what can be seen now: inside the scroller and inside the window. */
  frame() {
    if (this.root.hidden) return;
    const s = this.grid.root, head = this.grid.table.tHead.offsetHeight, frozen = parseFloat(s.style.getPropertyValue("--frozen")) || 0;
    const wide = s.scrollWidth - frozen, tall = s.scrollHeight - head;
    const place = s.getBoundingClientRect().top, top = Math.max(head, -place), bottom = Math.min(s.clientHeight, window.innerHeight - place);
    const box = { left: s.scrollLeft / wide, top: (s.scrollTop + top - head) / tall, width: (s.clientWidth - frozen) / wide, height: Math.max(0, bottom - top) / tall };
    for (const [side, share] of Object.entries(box)) this.window.style[side] = `${100 * Math.min(1, share)}%`;
  }

  go(event) {
    const box = this.root.getBoundingClientRect(), s = this.grid.root;
    const x = (event.clientX - box.left) / box.width, y = (event.clientY - box.top) / box.height;
    s.scrollTo({ left: x * s.scrollWidth - s.clientWidth / 2, top: y * s.scrollHeight - s.clientHeight / 2 });
  }
}

/** Return a function from a cell's class to its colour, as the style sheet has it now. */
function colours(place) {
  const probe = el("span", { class: "probe" });
  place.append(probe);
  const known = new Map();
  return (cls) => {
    if (!known.has(cls)) {
      probe.className = `probe swatch ${cls}`;
      known.set(cls, getComputedStyle(probe).getPropertyValue("--strong").trim() || getComputedStyle(probe).backgroundColor);
    }
    return known.get(cls);
  };
}
