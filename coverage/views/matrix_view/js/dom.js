// Small helpers. Text of a set reaches the page as text nodes and attribute values only; nothing here parses HTML.

const SVG = "http://www.w3.org/2000/svg";

/** Return a new element; `attributes` are set one by one (null and false are left out), children are nodes or texts. */
function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** Return a new SVG element. */
function svg(tag, attributes, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}

/** Return the pieces of a name between which a line may break: before `_` and `@`, after `+`, `|` and spaces. */
function pieces(name) {
  return name.split(/(?<=[+|\s])|(?=[@_])/u);
}

/** Return a name with places where a line may break. The text itself stays as it is. */
function breakable(name) {
  const parts = pieces(name);
  const box = document.createDocumentFragment();
  parts.forEach((part, i) => box.append(...(i ? [document.createElement("wbr"), part] : [part])));
  return box;
}

// a formatter made once: toLocaleString makes one for each call, and 6,000 cells then take a second
const formats = new Map();

function format(most, least) {
  const key = `${most} ${least}`;
  if (!formats.has(key)) formats.set(key, new Intl.NumberFormat("en-GB", { maximumFractionDigits: most, minimumFractionDigits: least }));
  return formats.get(key);
}

/** Return a number as a reader writes it: at most `digits` decimals, thousands apart, a true minus. */
function written(value, digits = 0) {
  return format(digits, 0).format(value).replace("-", "−");
}

/** Return a number with so many decimals, as a measurement is written. */
function fixed(value, digits) {
  return format(digits, digits).format(value).replace("-", "−");
}

/** Return "1 cell", "2 cells". */
function plural(count, noun) {
  return `${written(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** Return a button that copies a text and says so. */
function copyButton(text, say) {
  const button = el("button", { type: "button", class: "copy", "aria-label": `Copy the command: ${text}` }, "Copy");
  button.addEventListener("click", async () => {
    const copied = await putOnClipboard(text);
    button.textContent = copied ? "Copied" : "Select it by hand";
    say(copied ? "Command copied" : "This browser does not let a page copy; select the command by hand");
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
  return button;
}

async function putOnClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // pages opened from disk are no secure context everywhere: the older way still works there
    const box = el("textarea", { "aria-hidden": "true", style: "position:fixed;opacity:0" });
    box.value = text;
    document.body.append(box);
    box.select();
    const copied = document.execCommand("copy");
    box.remove();
    return copied;
  }
}
