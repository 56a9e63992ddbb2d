// Which rows and columns are on show, and in which order: words that filter, factors that group, measures that sort.

/** Return {rows, columns, unknown}: the indices that the words leave, and the words that match nothing. "In quotes" is a whole name.
 *  Words that name accents are alternatives; words for one factor too; words for different factors must all hold. */
function filtered(model) {
  const words = model.state.words.toLowerCase().match(/"[^"]+"|\S+/gu) || [];
  const has = (name, word) => (/^".+"$/u.test(word) ? name.toLowerCase() === word.slice(1, -1) : name.toLowerCase().includes(word));
  let rows = null;
  const columnsBy = new Map();
  const unknown = [];
  for (const word of words) {
    const named = model.everyRow().filter((r) => has(model.rows.names[r], word));
    if (named.length) rows = new Set([...(rows || []), ...named]);
    const [place, columns] = columnsNamed(model, word, has);
    if (columns.length && !named.length) columnsBy.set(place, new Set([...(columnsBy.get(place) || []), ...columns]));
    if (!named.length && !columns.length) unknown.push(word);
  }
  const keeps = (c) => [...columnsBy.values()].every((set) => set.has(c));
  return {
    rows: unknown.length ? [] : model.everyRow().filter((r) => !rows || rows.has(r)),
    columns: unknown.length ? [] : model.everyColumn().filter(keeps),
    unknown,
  };
}

/** Return the factor that a word names a level of, with the columns that have it; else the columns whose name holds it. */
function columnsNamed(model, word, has) {
  for (const [f, factor] of model.factors.entries()) {
    const levels = new Set(factor.levels.flatMap((level, i) => (has(level, word) ? [i] : [])));
    const columns = levels.size ? model.everyColumn().filter((c) => levels.has(factor.at[c])) : [];
    if (columns.length) return [f, columns];
  }
  return ["name", model.everyColumn().filter((c) => has(model.columns.names[c], word))];
}

/** Return the rows in order: as given, by name, most holes first, or worst value first. */
function sortedRows(model, rows) {
  return sorted(rows, model.state.rows, (r) => measure(model, r, { all: true }, model.state.rows), (r) => model.rows.names[r]);
}

/** Return what to sort by: holes, or how bad the layer's value is; the unknown goes last. */
function measure(model, row, slot, by) {
  if (by === "holes") {
    const { met, aimed } = model.tally(row, slot);
    return aimed ? (aimed - met) / aimed : -1;
  }
  const value = model.value(model.layer, "sort" in model.layer.fields ? "sort" : "value", row, slot);
  if (typeof value !== "number") return -Infinity;
  return model.layer.better === "high" ? -value : value;
}

function sorted(items, by, measured, named) {
  if (by === "order") return [...items];
  if (by === "name") return [...items].sort((a, b) => named(a).localeCompare(named(b), "en", { numeric: true }));
  const of = new Map(items.map((item) => [item, measured(item)]));
  return [...items].sort((a, b) => of.get(b) - of.get(a) || items.indexOf(a) - items.indexOf(b));
}

/** Return the factors in the order of the header's rows: the one that groups first. Without grouping none leads. */
function factorOrder(model) {
  const all = model.factors.map((_, f) => f);
  return model.state.group === null ? all : [model.state.group, ...all.filter((f) => f !== model.state.group)];
}

/** Return the slots of the columns on show, sorted and with collapsed levels as one slot each. */
function slotsOf(model, columns) {
  const by = model.state.columns;
  const group = model.state.group;
  if (group === null) {
    const named = (c) => model.columns.names[c];
    return sorted(columns, by, (c) => measure(model, ALL, { col: c }, by), named).map((col) => ({ col }));
  }
  const ranks = levelRanks(model, columns);
  const own = new Map(columns.map((c) => [c, by === "order" || by === "name" ? c : -measure(model, ALL, { col: c }, by)]));
  const order = factorOrder(model);
  const before = (a, b) => {
    for (const f of order) {
      const apart = ranks[f][model.factors[f].at[a]] - ranks[f][model.factors[f].at[b]];
      if (apart) return apart;
    }
    return own.get(a) - own.get(b);
  };
  return collapsed(model, [...columns].sort(before));
}

/** Return the rank of each level of each factor: its place in the scenario, or that of its margin when sorted by a measure. */
function levelRanks(model, columns) {
  const by = model.state.columns;
  return model.factors.map((factor, f) => {
    const levels = factor.levels.map((_, level) => level);
    const slot = (level) => ({ factor: f, level, cols: columns.filter((c) => factor.at[c] === level) });
    const order = sorted(levels, by, (level) => levelMeasure(model, slot(level), by), (level) => factor.levels[level]);
    const ranks = [];
    order.forEach((level, rank) => (ranks[level] = rank));
    return ranks;
  });
}

/** Return a level's measure; where its margin is not known, the worst of its columns stands for it. */
function levelMeasure(model, slot, by) {
  const own = measure(model, ALL, slot, by);
  if (own !== -Infinity) return own;
  return Math.max(-Infinity, ...slot.cols.map((col) => measure(model, ALL, { col }, by)));
}

function collapsed(model, columns) {
  const factor = model.factors[model.state.group];
  const slots = [];
  for (const col of columns) {
    const level = factor.at[col];
    const last = slots[slots.length - 1];
    if (!model.state.collapsed.has(level)) slots.push({ col });
    else if (last && last.level === level) last.cols.push(col);
    else slots.push({ factor: model.state.group, level, cols: [col] });
  }
  return slots;
}
