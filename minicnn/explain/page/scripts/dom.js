// Making elements.

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") element.className = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const byId = (id) => document.getElementById(id);

// What is wider than its place can be scrolled with the keyboard; the rest is no stop on its way.
const overflow = new ResizeObserver((entries) => entries.forEach(({ target }) => (target.tabIndex = target.scrollWidth > target.clientWidth ? 0 : -1)));

// A small table of numbers. value(r, c) gives a number or a string, kind(r, c) a class; the labels head rows and columns.
function matrix({ caption, rows, columns, value, kind = () => "", rowLabel, columnLabel, digits = 4 }) {
  const head = columnLabel && make("thead", {}, make("tr", {}, ...(rowLabel ? [make("td", { class: "corner" })] : []), ...columns.map((c) => make("th", { scope: "col" }, columnLabel(c)))));
  const body = make("tbody", {}, ...rows.map((r) => make("tr", {}, ...(rowLabel ? [make("th", { scope: "row" }, rowLabel(r))] : []), ...columns.map((c) => {
    const content = value(r, c);
    return make("td", { class: kind(r, c) || null }, typeof content === "number" ? written(content, digits) : content);
  }))));
  const table = make("table", { "aria-label": caption }, head, body);
  const scroll = make("div", { class: "scroll" }, table);
  overflow.observe(scroll);
  return make("div", { class: "matrix" }, make("div", { class: "caption", "aria-hidden": "true" }, caption), scroll);
}

const range = (length) => Array.from({ length }, (_, k) => k);

// At most so many of the numbers below `length`, around one of them.
function around(length, wanted, most) {
  const first = Math.max(0, Math.min(wanted - (most >> 1), length - most));
  return range(Math.min(length, most)).map((k) => first + k);
}

// "rows 3 to 9 of 25", or nothing where all are shown.
const shownOf = (shown, total, what) => (shown.length === total ? "" : `; ${what} ${shown[0]} to ${shown.at(-1)} of ${total} shown`);

const paragraph = (...children) => make("p", {}, ...children);
const beside = (...children) => make("div", { class: "beside" }, ...children);
const sign = (text) => make("span", { class: "sign", "aria-hidden": "true" }, text);
