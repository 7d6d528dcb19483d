// An array on the page: a grid of cells for each of its planes, in which numbers are marked, walked through and changed.

const MOST_CELLS = 34; // along an axis are shown at once; a larger image is shown around the chosen number

class Panel {
  constructor(handlers) {
    this.handlers = handlers;
    this.cells = new Map(); // by flat index, or by "base:row,column" in the padding
    this.marked = [];
    this.planes = [];
    this.figure = make("figure", { class: "panel" });
  }

  // Show `array` as `spec` says; only what changed is touched.
  update(spec, array, chosen, width) {
    const structure = JSON.stringify([spec.name, spec.title, spec.rows, spec.columns, spec.pads, spec.planes, spec.editable, spec.blank, array.shape]);
    this.spec = spec;
    this.array = array;
    const moved = this.scroll(chosen);
    if (structure !== this.structure || moved) this.build();
    this.structure = structure;
    this.fit(width);
    this.write();
  }

  // Bring the chosen number into the part that is shown. Returns whether that moved.
  scroll(chosen) {
    const { rows, columns, pads, planes } = this.spec;
    const [[top, bottom], [left, right]] = pads ?? [[0, 0], [0, 0]];
    const before = this.part ? String(Object.values(this.part)) : "";
    const old = this.part ?? { row: -top, column: -left };
    const height = Math.min(MOST_CELLS, top + rows + bottom);
    const breadth = Math.min(MOST_CELLS, left + columns + right);
    const own = chosen !== null && planes.some(({ base }) => chosen >= base && chosen < base + rows * columns);
    const slide = (first, length, least, end, wanted) => {
      if (wanted !== null && (wanted < first || wanted >= first + length)) first = wanted - (length >> 1);
      return Math.max(least, Math.min(first, end - length));
    };
    const within = own ? (chosen - planes.find(({ base }) => chosen >= base && chosen < base + rows * columns).base) : null;
    this.part = {
      row: slide(old.row, height, -top, rows + bottom, own ? Math.floor(within / columns) : null),
      column: slide(old.column, breadth, -left, columns + right, own ? within % columns : null),
      height, breadth,
    };
    return before !== String(Object.values(this.part));
  }

  build() {
    const { name, title, tone, rows, columns, planes, editable } = this.spec;
    const { row, column, height, breadth } = this.part;
    this.cells.clear();
    this.marked = [];
    this.figure.className = `panel tone-${tone}`;
    this.figure.dataset.name = name;
    this.figure.style.setProperty("--columns", breadth);
    const cropped = height < rows || breadth < columns ? `, rows ${Math.max(row, 0)} to ${Math.min(row + height, rows) - 1}, columns ${Math.max(column, 0)} to ${Math.min(column + breadth, columns) - 1}` : "";
    this.planes = planes.map(({ base, label }) => {
      const grid = make("div", { class: "grid", role: "grid", "aria-label": [title, label].filter(Boolean).join(", ") + (editable ? ", can be changed" : "") });
      for (let h = row; h < row + height; h++) {
        const line = make("div", { class: "row", role: "row" });
        for (let w = column; w < column + breadth; w++) {
          const inside = h >= 0 && h < rows && w >= 0 && w < columns;
          const cell = make("div", { class: "cell", role: "gridcell", tabindex: inside ? "-1" : null }, document.createTextNode(inside ? "" : (this.spec.blank ?? "0")));
          cell.base = inside ? "cell" : "cell padding";
          if (inside) cell.k = base + h * columns + w;
          cell.className = cell.base;
          this.cells.set(inside ? cell.k : `${base}:${h},${w}`, cell);
          line.append(cell);
        }
        grid.append(line);
      }
      return { base, label, grid };
    });
    const shape = this.array.shape.length ? this.array.shape.join(" × ") : "one number";
    this.figure.replaceChildren(
      make("figcaption", {}, title, make("span", { class: "shape" }, `${shape}${cropped}`)),
      make("div", { class: "planes" }, ...this.planes.map(({ label, grid }) => make("div", { class: "plane" }, label ? make("div", { class: "label" }, label) : null, grid))),
    );
  }

  // Cells as large as there is room for.
  fit(width) {
    const size = Math.max(27, Math.min(46, Math.floor((width - 6) / this.part.breadth)));
    this.characters = Math.floor((size - 2) / (0.602 * (size * 0.26 + 1.2)));
    if (size === this.size) return;
    this.size = size;
    this.figure.style.setProperty("--cell", `${size}px`);
  }

  write() {
    const { values } = this.array;
    let most = 0;
    for (const value of values) if (Math.abs(value) > most && Number.isFinite(value)) most = Math.abs(value);
    const same = most === this.most && this.characters === this.written;
    this.most = most;
    this.written = this.characters;
    for (const cell of this.cells.values()) {
      if (cell.k === undefined) continue;
      const value = values[cell.k];
      if (same && Object.is(value, cell.value)) continue;
      cell.value = value;
      const text = fitting(value, this.characters);
      if (cell.firstChild.data !== text) cell.firstChild.data = text;
      const level = most ? Math.round((4 * Math.min(Math.abs(value), most)) / most) || 0 : 0;
      const base = level ? `cell level-${level}` : "cell";
      if (cell.base !== base) {
        cell.base = base;
        cell.className = base;
      }
    }
  }

  // Where a mark {index, inside} is.
  find({ index, inside }) {
    if (inside) return this.cells.get(flat(this.array.shape, index));
    const [h, w] = index.slice(-2);
    const channel = flat(this.array.shape.slice(0, -2), index.slice(0, -2));
    return this.cells.get(`${channel * this.spec.rows * this.spec.columns}:${h},${w}`);
  }

  mark(marks) {
    for (const cell of this.marked) cell.kinds = "";
    const touched = new Set(this.marked);
    this.marked = [];
    for (const mark of marks) {
      const cell = this.find(mark);
      if (!cell) continue;
      touched.add(cell);
      this.marked.push(cell);
      if (!(cell.kinds ?? "").includes(` ${mark.kind}`)) cell.kinds = `${cell.kinds ?? ""} ${mark.kind}`;
    }
    for (const cell of touched) if (cell.className !== cell.base + (cell.kinds ?? "")) cell.className = cell.base + (cell.kinds ?? "");
  }

  // One cell of each plane can be reached with the Tab key: the chosen one, or the first.
  reachable(chosen) {
    for (const plane of this.planes) {
      const { rows, columns } = this.spec;
      const own = chosen !== null && chosen >= plane.base && chosen < plane.base + rows * columns;
      const first = plane.base + Math.max(this.part.row, 0) * columns + Math.max(this.part.column, 0);
      const cell = this.cells.get(own ? chosen : plane.stop !== undefined && this.cells.has(plane.stop) ? plane.stop : first);
      if (plane.reached === cell || !cell) continue;
      plane.reached?.setAttribute("tabindex", "-1");
      cell.setAttribute("tabindex", "0");
      plane.reached = cell;
      plane.stop = cell.k;
    }
  }

  // Where a key leads from number k: another flat index, or null.
  step(k, key) {
    const { rows, columns, planes } = this.spec;
    const p = planes.findIndex(({ base }) => k >= base && k < base + rows * columns);
    const { base } = planes[p];
    const [h, w] = [Math.floor((k - base) / columns), (k - base) % columns];
    const to = (row, column, plane = planes[p]) => (plane && row >= 0 && row < rows && column >= 0 && column < columns ? plane.base + row * columns + column : null);
    const targets = {
      ArrowUp: () => to(h - 1, w), ArrowDown: () => to(h + 1, w), ArrowLeft: () => to(h, w - 1), ArrowRight: () => to(h, w + 1),
      Home: () => to(h, 0), End: () => to(h, columns - 1), PageUp: () => to(h, w, planes[p - 1]), PageDown: () => to(h, w, planes[p + 1]),
    };
    return targets[key] ? targets[key]() : undefined;
  }
}
