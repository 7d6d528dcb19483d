// The second rung: every window written out as a row, and one product of matrices.

const PATCHES = {
  id: "patches",
  label: "Patch matrix",
  draw(view) {
    const { operation, mode } = view;
    if (operation.transposed) return mode === "forward" ? scattered(view, "input", "output") : gathered(view, "grad_output", "grad_input");
    return mode === "forward" ? gathered(view, "input", "output") : scattered(view, "grad_output", "grad_input");
  },
};

function patchLayout(view) {
  const { links } = view.R;
  const [, , OH, OW] = links.small;
  const [n, s, i, j] = view.pixel;
  const row = (n * OH + i) * OW + j;
  const place = (r) => [Math.floor(r / (OH * OW)), Math.floor(r / OW) % OH, r % OW];
  const group = Math.floor(s / links.SG);
  const K = links.LG * links.axes[0].kernel * links.axes[1].kernel;
  const tap = Math.min(view.tap, K - 1);
  const M = links.images * OH * OW;
  const cached = new Map();
  const patch = (r) => {
    if (!cached.has(r)) {
      const [image, down, across] = place(r);
      cached.set(r, links.ofSmall([image, group * links.SG, down, across]));
    }
    return cached.get(r);
  };
  const tapName = (k) => {
    const { weight } = patch(row)[k];
    return links.LG > 1 ? `${weight[2]},${weight[3]},${weight[1]}` : `${weight[2]},${weight[3]}`;
  };
  return {
    row, tap, K, M, place, patch, tapName, group, s,
    rowName: (r) => (links.images > 1 ? place(r) : place(r).slice(1)).join(","),
    rows: around(M, row, 7),
    taps: around(K, tap, 27),
    outputs: around(links.SG, s % links.SG, 6).map((k) => group * links.SG + k),
    weight: (k, o) => view.at("weight", [o, ...patch(row)[k].weight.slice(1)]),
    small: (name, r, o) => {
      const [image, down, across] = place(r);
      return view.at(name, [image, o, down, across]);
    },
  };
}

// The large image read into patches: the forward of a convolution.
function gathered(view, large, small) {
  const L = patchLayout(view);
  const named = view.R.links.LG > 1 ? "row, column, channel of the kernel" : "row, column of the kernel";
  const bias = small === "output" && view.S.arrays.bias;
  return [
    paragraph(`Each output pixel's window is a row of the patch matrix (${L.M} × ${L.K}), each output channel's kernel a column of the weights (${L.K} × ${view.R.links.SG}). One product of matrices gives all outputs${bias ? "; then the bias is added" : ""}. The columns are named by ${named}.`),
    beside(
      matrix({
        caption: `Patches${shownOf(L.rows, L.M, "rows")}${shownOf(L.taps, L.K, "columns")}`,
        rows: L.rows, columns: L.taps, rowLabel: L.rowName, columnLabel: L.tapName,
        value: (r, k) => { const link = L.patch(r)[k]; return link.inside ? view.at(large, link.large) : 0; },
        kind: (r, k) => `${r === L.row ? "image" : ""} ${r === L.row && k === L.tap ? "now" : ""} ${L.patch(r)[k].inside ? "" : "padding"}`.trim(),
      }),
      sign("@"),
      matrix({
        caption: `Weights${shownOf(L.taps, L.K, "rows")}`,
        rows: L.taps, columns: L.outputs, rowLabel: L.tapName, columnLabel: (o) => `o ${o}`,
        value: (k, o) => L.weight(k, o),
        kind: (k, o) => `${o === L.s ? "weight" : ""} ${o === L.s && k === L.tap ? "now" : ""}`.trim(),
      }),
      sign("="),
      matrix({
        caption: bias ? "Output, with the bias" : NAMES[small].replace(/^./, (letter) => letter.toUpperCase()),
        rows: L.rows, columns: L.outputs, rowLabel: L.rowName, columnLabel: (o) => `o ${o}`,
        value: (r, o) => L.small(small, r, o), kind: (r, o) => (r === L.row && o === L.s ? "result" : ""),
      }),
    ),
  ];
}

// Patches added back into the large image: the gradient of a convolution, and the forward of a transposed one.
function scattered(view, small, large) {
  const { links } = view.R;
  const L = patchLayout(view);
  const sum = (r, k) => range(links.SG).reduce((total, o) => total + L.small(small, r, L.group * links.SG + o) * L.weight(k, L.group * links.SG + o), 0);
  const [h, w] = [links.large[2], links.large[3]];
  const link = L.patch(L.row)[L.tap];
  const seen = [range(h).map((y) => seenBy(links.axes[0], y).length), range(w).map((x) => seenBy(links.axes[1], x).length)];
  const most = Math.max(...seen[0]) * Math.max(...seen[1]);
  const [shownRows, shownColumns] = [around(h, Math.max(0, Math.min(link.large[2], h - 1)), 12), around(w, Math.max(0, Math.min(link.large[3], w - 1)), 12)];
  const inWindow = new Set(L.patch(L.row).filter((one) => one.inside).map((one) => `${one.large[2]},${one.large[3]}`));
  return [
    paragraph(`The product is turned round: each row of the ${NAMES[small]}, times the weights transposed, is a row of patches. col2im then adds every row back to where its window lies. Windows that overlap add up: ${most > 1 ? `here up to ${most} numbers meet in one pixel` : "here no two overlap"}.`),
    beside(
      matrix({
        caption: NAMES[small].replace(/^./, (letter) => letter.toUpperCase()), rows: L.rows, columns: L.outputs, rowLabel: L.rowName, columnLabel: (o) => `${view.operation.transposed ? "c" : "o"} ${o}`,
        value: (r, o) => L.small(small, r, o), kind: (r, o) => (r === L.row ? "result" : ""),
      }),
      sign("@"),
      matrix({
        caption: `Weights, transposed${shownOf(L.taps, L.K, "columns")}`, rows: L.outputs, columns: L.taps, rowLabel: (o) => `${view.operation.transposed ? "c" : "o"} ${o}`, columnLabel: L.tapName,
        value: (o, k) => L.weight(k, o), kind: (o, k) => `weight ${k === L.tap ? "now" : ""}`.trim(),
      }),
      sign("="),
      matrix({
        caption: `Patches to be added${shownOf(L.rows, L.M, "rows")}`, rows: L.rows, columns: L.taps, rowLabel: L.rowName, columnLabel: L.tapName,
        value: (r, k) => sum(r, k),
        kind: (r, k) => `${r === L.row ? "image" : ""} ${r === L.row && k === L.tap ? "now" : ""} ${L.patch(r)[k].inside ? "" : "padding"}`.trim(),
      }),
      sign("→"),
      matrix({
        caption: `In how many windows each pixel of the ${large === "output" ? "output" : "input"} lies${shownOf(shownRows, h, "rows")}`, rows: shownRows, columns: shownColumns,
        value: (y, x) => seen[0][y] * seen[1][x], kind: (y, x) => (inWindow.has(`${y},${x}`) ? "image" : ""),
      }),
    ),
  ];
}
