// The model of a matrix: what the contract's JSON says, and which rows and columns are on show. No DOM in here.
//
// A slot is what one column of the grid shows: {all: true} the margin over all columns, {col} one column,
// {factor, level, cols} the margin of a collapsed factor level. A row is an index, or ALL for the margin over all rows.

const ALL = -1;
const STATUS = { c: "all goals met", p: "partly filled", e: "empty", n: "no goal", i: "ignored", x: "must be empty" };

class Model {
  constructor(json) {
    Object.assign(this, json);
    this.rowCount = json.rows.names.length;
    this.columnCount = json.columns.names.length;
    this.factors = json.columns.factors;
    this.layerOf = new Map(json.layers.map((layer) => [layer.id, layer]));
    this.sizes = this.factors.map((factor) => count(factor.at, factor.levels.length));
    this.state = {
      layer: json.first || json.layers[0].id,
      group: this.factors.length > 1 ? 0 : null,
      rows: "order",
      columns: "order",
      words: "",
      collapsed: new Set(),
    };
  }

  get layer() {
    return this.layerOf.get(this.state.layer);
  }

  /** Return one value of a layer's field at a row and slot, or null where it is not known. */
  value(layer, field, row, slot) {
    const table = layer.fields[field];
    if (!table) return null;
    const found = this.at(table, row, slot);
    return found === undefined ? null : found;
  }

  at(table, row, slot) {
    if (slot.all) return row === ALL ? table.all : table.rows?.[row];
    if (slot.col !== undefined) return row === ALL ? table.columns?.[slot.col] : table.cells[row * this.columnCount + slot.col];
    const size = this.factors[slot.factor].levels.length;
    return row === ALL ? table.level_totals?.[slot.factor]?.[slot.level] : table.levels?.[slot.factor]?.[row * size + slot.level];
  }

  /** Return the status letter of a cell; margins have none. */
  status(row, slot) {
    return this.statuses && row !== ALL && slot.col !== undefined ? this.statuses[row * this.columnCount + slot.col] : null;
  }

  /** Return "worse" or "better" where an evaluation found a gap of this row, else null. */
  gap(row, slot) {
    const verdicts = this.layerOf.get("verdict");
    const found = verdicts && row !== ALL ? this.value(verdicts, "value", row, slot) : null;
    return found === "worse" || found === "better" ? found : null;
  }

  /** Return the kinds of gaps that any cell, row or level has. */
  gapsFound() {
    const { cells = [], rows = [], levels = [] } = this.layerOf.get("verdict")?.fields.value || {};
    return new Set([...cells, ...(rows || []), ...(levels || []).flat()]);
  }

  /** Return how many of the cells that a row and slot stand for have a goal, and how many of these meet it. */
  tally(row, slot) {
    const rows = row === ALL ? this.everyRow() : [row];
    const columns = slot.all ? this.everyColumn() : slot.col !== undefined ? [slot.col] : slot.cols;
    let met = 0, aimed = 0;
    if (!this.statuses) return { met, aimed };
    for (const r of rows) {
      for (const c of columns) {
        const letter = this.statuses[r * this.columnCount + c];
        if (letter === "c") met++;
        if (letter === "c" || letter === "p" || letter === "e") aimed++;
      }
    }
    return { met, aimed };
  }

  everyRow() {
    return (this._rows ||= [...Array(this.rowCount).keys()]);
  }

  everyColumn() {
    return (this._columns ||= [...Array(this.columnCount).keys()]);
  }

  rowName(row) {
    return row === ALL ? `all ${this.rows.axis}s` : this.rows.names[row];
  }

  slotName(slot) {
    if (slot.all) return `all ${this.columns.axis}s`;
    if (slot.col !== undefined) return this.columns.names[slot.col];
    const factor = this.factors[slot.factor];
    return `${factor.name} ${factor.levels[slot.level]}, all ${plural(slot.cols.length, this.columns.axis)}`;
  }
}

function count(indices, size) {
  const counts = Array(size).fill(0);
  for (const index of indices) counts[index]++;
  return counts;
}
