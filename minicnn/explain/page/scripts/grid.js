// A plane of numbers, drawn on a canvas: a browser lays out thousands of elements more slowly than a frame lasts.
// One element lies on it, over the chosen number: the keyboard focuses it, and a screen reader reads it.

const [WINDOW, TIE, NOW, CHOSEN] = [1, 2, 4, 8];
const KINDS = { window: WINDOW, tie: TIE, now: NOW, chosen: CHOSEN };
const SPARE = 2; // rows and columns around what is shown
const LEVELS = [4, 9, 14, 20]; // per cent of ink on a number's card, by its share of the largest magnitude
const FAMILY = 'ui-monospace, "SF Mono", "DejaVu Sans Mono", Consolas, monospace';

// The page's colours, until somebody changes between light and dark.
const paints = new Map();

function paint(name) {
  if (!paints.size) {
    const style = getComputedStyle(document.documentElement);
    for (const known of ["card", "paper", "ink", "quiet", "line", ...["image", "weight", "result", "notice"].flatMap((tone) => [tone, `${tone}-tint`])]) paints.set(known, style.getPropertyValue(`--${known}`).trim());
    LEVELS.forEach((share, k) => paints.set(`level-${k + 1}`, `color-mix(in srgb, ${paints.get("ink")} ${share}%, ${paints.get("card")})`));
  }
  return paints.get(name);
}

// Only what is in sight is painted, or nearly; the rest when it gets there.
const sight = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    target.grid.seen = isIntersecting;
    target.grid.paint();
  }
}, { rootMargin: "300px" });

class Grid {
  // `part` is what is shown of a plane of rows × columns numbers: {row, column, height, breadth}, padding included;
  // `seen` says whether that is in sight, as far as is known. There are places for a little more, so that the canvas
  // stays when the padding changes: a new one costs a frame.
  constructor({ base, label, tone, rows, columns, part, blank, seen, aria }) {
    const room = { row: part.row - SPARE, column: part.column - SPARE, height: part.height + 2 * SPARE, breadth: part.breadth + 2 * SPARE };
    Object.assign(this, { base, label, tone, rows, columns, part, room, seen });
    const places = room.height * room.breadth;
    this.values = new Array(places);
    this.texts = new Array(places).fill(blank);
    this.levels = new Uint8Array(places);
    this.kinds = new Uint8Array(places);
    this.dirty = new Uint8Array(places).fill(1); // what is to be painted
    this.canvas = make("canvas", { "aria-hidden": "true" });
    this.canvas.grid = this;
    sight.observe(this.canvas);
    this.canvas.numberAt = (x, y) => this.number(Math.floor(y / this.pitch) + room.row, Math.floor(x / this.pitch) + room.column);
    this.stop = make("div", { class: "cell", role: "gridcell", tabindex: "0" });
    this.shown = make("div", { class: "shown", role: "row" }, this.canvas, this.stop);
    this.root = make("div", { class: "grid", role: "grid", "aria-label": aria, "aria-rowcount": rows, "aria-colcount": columns }, this.shown);
  }

  // Show another part of the plane. Returns whether there is room for it.
  show(part) {
    const { room } = this;
    const fits = part.row >= room.row && part.column >= room.column && part.row + part.height <= room.row + room.height && part.column + part.breadth <= room.column + room.breadth;
    if (!fits) return false;
    this.part = part;
    // frames of marked numbers that are no longer shown lie over the edge
    for (const h of [part.row, part.row + part.height - 1]) for (let w = 0; w < part.breadth; w++) this.dirty[this.place(h, part.column + w)] = 1;
    for (const w of [part.column, part.column + part.breadth - 1]) for (let h = 0; h < part.height; h++) this.dirty[this.place(part.row + h, w)] = 1;
    this.frameShown();
    this.rest();
    return true;
  }

  // The flat index of the number in a row and a column of the plane, if that is shown; undefined in the padding.
  number(h, w) {
    const inside = h >= 0 && h < this.rows && w >= 0 && w < this.columns && this.place(h, w) !== undefined;
    return inside ? this.base + h * this.columns + w : undefined;
  }

  // The row and the column of number k in the plane.
  at(k) {
    return [Math.floor((k - this.base) / this.columns), (k - this.base) % this.columns];
  }

  // Where row h and column w of the plane are shown, or undefined.
  place(h, w) {
    const { part, room } = this;
    const shown = h >= part.row && w >= part.column && h < part.row + part.height && w < part.column + part.breadth;
    return shown ? (h - room.row) * room.breadth + w - room.column : undefined;
  }

  fit(size) {
    const ratio = window.devicePixelRatio || 1;
    if (this.size === size && this.ratio === ratio) return;
    Object.assign(this, { size, ratio, pitch: size - 1, pen: null });
    const { height, breadth } = this.room;
    const [across, down] = [breadth * this.pitch + 1, height * this.pitch + 1];
    Object.assign(this.canvas.style, { width: `${across}px`, height: `${down}px` });
    this.frameShown();
    this.rest();
  }

  // Get a bitmap: only when there is something to paint, since browsers copy even those out of sight for every frame.
  begin() {
    const { canvas, ratio, room, pitch } = this;
    const [width, height] = [room.breadth, room.height].map((cells) => Math.round((cells * pitch + 1) * ratio));
    Object.assign(canvas, { width, height });
    // painted by the processor, which without a graphics card saves 2 ms of a frame
    this.pen = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
    this.pen.scale(ratio, ratio);
    this.pen.textAlign = "center";
    this.pen.textBaseline = "middle";
    this.weight = null; // of the letters
    this.repaint();
  }

  // Cut out of the canvas what is shown.
  frameShown() {
    const { part, room, pitch } = this;
    Object.assign(this.shown.style, { width: `${part.breadth * pitch + 1}px`, height: `${part.height * pitch + 1}px` });
    Object.assign(this.canvas.style, { left: `${(room.column - part.column) * pitch}px`, top: `${(room.row - part.row) * pitch}px` });
  }

  // Write the numbers that differ from those that are shown. `again` writes all of them.
  write(values, most, characters, again) {
    const { row, column, height, breadth } = this.part;
    const known = new Map(); // numbers repeat, and to write one takes longer than to look it up
    for (let h = Math.max(row, 0); h < Math.min(row + height, this.rows); h++) {
      for (let w = Math.max(column, 0); w < Math.min(column + breadth, this.columns); w++) {
        const place = this.place(h, w);
        const value = values[this.base + h * this.columns + w];
        if (!again && Object.is(value, this.values[place])) continue;
        this.values[place] = value;
        if (!known.has(value)) known.set(value, [fitting(value, characters), most ? Math.round((4 * Math.min(Math.abs(value), most)) / most) || 0 : 0]);
        const [text, level] = known.get(value);
        if (text === this.texts[place] && level === this.levels[place]) continue;
        this.texts[place] = text;
        this.levels[place] = level;
        this.dirty[place] = 1;
      }
    }
  }

  // Mark places with kinds: a map of bits.
  mark(marks) {
    for (let place = 0; place < this.kinds.length; place++) {
      const kinds = marks.get(place) ?? 0;
      if (kinds === this.kinds[place]) continue;
      this.kinds[place] = kinds;
      this.dirty[place] = 1;
    }
    this.read();
  }

  repaint() {
    this.dirty.fill(1);
  }

  // Whether something of what is shown changed since it was painted.
  stale() {
    const { row, column, height, breadth } = this.part;
    for (let h = row; h < row + height; h++) if (this.dirty.subarray(this.place(h, column), this.place(h, column) + breadth).includes(1)) return true;
    return false;
  }

  // Paint what changed; marked numbers last, because their frames lie over their neighbours'.
  paint() {
    if (!this.seen || !this.stale()) return;
    if (!this.pen) this.begin();
    const { row, column, height, breadth } = this.part;
    const marked = [];
    for (let h = row; h < row + height; h++) {
      for (let w = column; w < column + breadth; w++) {
        const place = this.place(h, w);
        if (this.kinds[place]) marked.push(place);
        else if (this.dirty[place]) this.cell(place);
        this.dirty[place] = 0;
      }
    }
    for (const late of [false, true]) for (const place of marked) if (late === this.kinds[place] >= NOW) this.cell(place);
  }

  cell(place) {
    const { pen, pitch, size } = this;
    const kinds = this.kinds[place];
    const [row, column] = [Math.floor(place / this.room.breadth), place % this.room.breadth];
    const [x, y] = [column * pitch, row * pitch];
    const inside = this.values[place] !== undefined;
    const tone = paint(this.tone);
    const level = this.levels[place];
    let [back, fore, edge] = inside ? [paint(level ? `level-${level}` : "card"), paint("ink"), paint("line")] : [paint("paper"), paint("quiet"), paint("line")];
    if (kinds & WINDOW) [back, fore, edge] = [paint(`${this.tone}-tint`), tone, tone];
    if (kinds & TIE) [back, fore, edge] = [paint("notice-tint"), paint("notice"), paint("notice")];
    if (kinds & CHOSEN) [back, fore, edge] = [tone, paint("card"), tone];
    pen.fillStyle = back;
    pen.fillRect(x, y, size, size);
    const thick = kinds & TIE ? 2 : 1;
    this.frame(x, y, edge, thick, !inside || kinds & TIE);
    if (kinds & NOW) this.frame(x, y, tone, 2, false);
    const weight = kinds & CHOSEN ? 700 : kinds & TIE ? 600 : 400;
    if (weight !== this.weight) pen.font = `${weight} ${size * 0.26 + 1.2}px ${FAMILY}`;
    this.weight = weight;
    pen.fillStyle = fore;
    pen.fillText(this.texts[place], x + size / 2, y + size / 2 + 0.5);
  }

  frame(x, y, colour, thick, dashed) {
    const { pen, size } = this;
    pen.strokeStyle = colour;
    pen.lineWidth = thick;
    if (dashed) pen.setLineDash([3, 2]);
    pen.strokeRect(x + thick / 2, y + thick / 2, size - thick, size - thick);
    if (dashed) pen.setLineDash([]);
  }

  // Lay the element that the keyboard reaches over number k; where it already is, it stays.
  rest(k = this.stop.k) {
    if (k === undefined) return;
    const [h, w] = this.at(k);
    const [x, y] = [(w - this.part.column) * this.pitch, (h - this.part.row) * this.pitch];
    Object.assign(this.stop.style, { left: `${x}px`, top: `${y}px`, width: `${this.size}px`, height: `${this.size}px` });
    if (k === this.stop.k) return;
    this.stop.k = k;
    this.stop.setAttribute("aria-rowindex", h + 1);
    this.stop.setAttribute("aria-colindex", w + 1);
    this.read();
  }

  // What a screen reader says of that element, and how its frame looks.
  read() {
    if (this.stop.k === undefined) return;
    const [h, w] = this.at(this.stop.k);
    const place = this.place(h, w);
    const said = `${this.texts[place]}, row ${h}, column ${w}`;
    if (this.stop.getAttribute("aria-label") !== said) this.stop.setAttribute("aria-label", said);
    this.stop.classList.toggle("chosen", Boolean(this.kinds[place] & CHOSEN));
  }
}
