// An array on the page: a grid for each of its planes, in which numbers are marked, walked through and changed.

const MOST_CELLS = 34; // along an axis are shown at once; a larger image is shown around the chosen number

class Panel {
  constructor() {
    this.planes = [];
    this.figure = make("figure", { class: "panel" });
  }

  // Show `array` as `spec` says; only what changed is touched, and painted by `mark`.
  update(spec, array, chosen, width) {
    const structure = JSON.stringify([spec.name, spec.title, spec.rows, spec.columns, spec.planes, spec.editable, spec.blank, array.shape]);
    this.spec = spec;
    this.array = array;
    const moved = this.scroll(chosen);
    if (structure !== this.structure || (moved && !this.show())) this.build();
    this.structure = structure;
    this.fit(width);
    this.write();
  }

  // Bring the chosen number into the part that is shown. Returns whether that moved.
  scroll(chosen) {
    const { rows, columns, pads } = this.spec;
    const [[top, bottom], [left, right]] = pads ?? [[0, 0], [0, 0]];
    const before = this.part ? String(Object.values(this.part)) : "";
    const old = this.part ?? { row: -top, column: -left };
    const height = Math.min(MOST_CELLS, top + rows + bottom);
    const breadth = Math.min(MOST_CELLS, left + columns + right);
    const base = chosen === null ? undefined : this.spec.planes.find(({ base }) => chosen >= base && chosen < base + rows * columns)?.base;
    const slide = (first, length, least, end, wanted) => {
      if (wanted !== null && (wanted < first || wanted >= first + length)) first = wanted - (length >> 1);
      return Math.max(least, Math.min(first, end - length));
    };
    const own = base !== undefined;
    this.part = {
      row: slide(old.row, height, -top, rows + bottom, own ? Math.floor((chosen - base) / columns) : null),
      column: slide(old.column, breadth, -left, columns + right, own ? (chosen - base) % columns : null),
      height, breadth,
    };
    return before !== String(Object.values(this.part));
  }

  // Show another part. Returns whether the grids have room for it.
  show() {
    if (!this.planes.every((plane) => plane.show(this.part))) return false;
    this.shape.textContent = this.extent();
    this.most = undefined; // all numbers are written again
    return true;
  }

  build() {
    const { name, title, tone, rows, columns, planes, editable, blank = "0" } = this.spec;
    const { part } = this;
    this.figure.className = `panel tone-${tone}`;
    this.figure.dataset.name = name;
    this.most = undefined;
    const seen = this.planes.some((plane) => plane.seen);
    this.planes = planes.map(({ base, label }) => new Grid({ seen, base, label, tone, rows, columns, part, blank, aria: [title, label].filter(Boolean).join(", ") + (editable ? ", can be changed" : "") }));
    this.shape = make("span", { class: "shape" }, this.extent());
    this.figure.replaceChildren(
      make("figcaption", {}, title, this.shape),
      make("div", { class: "planes" }, ...this.planes.map(({ label, root }) => make("div", { class: "plane" }, label ? make("div", { class: "label" }, label) : null, root))),
    );
  }

  // The shape in words, and what of it is shown.
  extent() {
    const { rows, columns } = this.spec;
    const { row, column, height, breadth } = this.part;
    const shape = this.array.shape.length ? this.array.shape.join(" × ") : "one number";
    const cropped = height < rows || breadth < columns ? `, rows ${Math.max(row, 0)} to ${Math.min(row + height, rows) - 1}, columns ${Math.max(column, 0)} to ${Math.min(column + breadth, columns) - 1}` : "";
    return shape + cropped;
  }

  // Cells as large as there is room for, and for a padding of one, so that they stay as large when that comes and goes.
  fit(width) {
    const { pads, columns } = this.spec;
    const size = Math.max(27, Math.min(46, Math.floor((width - 6) / Math.max(this.part.breadth, pads ? columns + 2 : 0))));
    this.characters = Math.floor((size - 2) / (0.602 * (size * 0.26 + 1.2)));
    for (const plane of this.planes) plane.fit(size);
  }

  write() {
    const { values } = this.array;
    let most = 0;
    for (const value of values) if (Math.abs(value) > most && Number.isFinite(value)) most = Math.abs(value);
    const again = most !== this.most || this.characters !== this.written;
    this.most = most;
    this.written = this.characters;
    for (const plane of this.planes) plane.write(values, most, this.characters, again);
  }

  // The plane in which number k is, if it is shown.
  plane(k) {
    return this.planes.find(({ base, rows, columns }) => k >= base && k < base + rows * columns);
  }

  // Where a mark {index, inside} is: [plane, place], or undefined. A place in the padding has no number of its own.
  find({ index, inside }) {
    const { rows, columns } = this.spec;
    const k = inside ? flat(this.array.shape, index) : flat(this.array.shape.slice(0, -2), index.slice(0, -2)) * rows * columns;
    const plane = this.plane(k);
    const place = plane && (inside ? plane.place(...plane.at(k)) : plane.place(...index.slice(-2)));
    return place === undefined ? undefined : [plane, place];
  }

  // Mark numbers, and paint what changed.
  mark(marks) {
    const kinds = new Map(this.planes.map((plane) => [plane, new Map()]));
    for (const mark of marks) {
      const found = this.find(mark);
      if (!found) continue;
      const [plane, place] = found;
      kinds.get(plane).set(place, (kinds.get(plane).get(place) ?? 0) | KINDS[mark.kind]);
    }
    for (const plane of this.planes) {
      plane.mark(kinds.get(plane));
      plane.paint();
    }
  }

  // Paint all numbers; `whole` also those out of sight, for paper.
  repaint(whole = false) {
    for (const plane of this.planes) {
      plane.seen ||= whole;
      plane.repaint();
      plane.paint();
    }
  }

  // One number of each plane can be reached with the Tab key: the chosen one, or the first.
  reachable(chosen) {
    const { row, column } = this.part;
    for (const plane of this.planes) {
      const own = chosen !== null && plane === this.plane(chosen);
      if (own) plane.rest(chosen);
      else if (plane.stop.k === undefined) plane.rest(plane.base + Math.max(row, 0) * plane.columns + Math.max(column, 0));
    }
  }

  // The element over number k, once it is reachable.
  stop(k) {
    return this.plane(k)?.stop;
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
