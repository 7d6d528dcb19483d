// The third rung: the same product without the matrix, a tile of results kept in registers.

const TILE = 4; // rows and lanes of the tile that is shown

const TILES = {
  id: "tiles",
  label: "Tiles in registers",
  draw(view) {
    const L = patchLayout(view);
    const { links } = view.R;
    const lane = Math.floor((L.s % links.SG) / TILE) * TILE;
    const outputs = range(Math.min(TILE, links.SG - lane)).map((k) => L.group * links.SG + lane + k);
    const pixel = (r, k) => { const link = L.patch(r)[k]; return link.inside ? view.at("input", link.large) : 0; };
    if (view.mode === "forward") {
      return tile({
        view, step: L.tap, steps: L.K, first: Math.floor(L.row / TILE) * TILE, length: L.M, outputs, chosen: [L.row, L.s],
        a: pixel, b: (k, o) => L.weight(k, o), rowName: L.rowName, stepName: L.tapName,
        words: { rows: "output pixels", steps: "taps", a: "Pixels, read where they lie in the image", b: "Weights of this tap, one vector", result: "Sums so far, in registers" },
      });
    }
    return tile({
      view, step: L.row, steps: L.M, first: Math.floor(L.tap / TILE) * TILE, length: L.K, outputs, chosen: [L.tap, L.s],
      a: (k, r) => pixel(r, k), b: (r, o) => L.small("grad_output", r, o), rowName: L.tapName, stepName: L.rowName,
      words: { rows: "taps of the kernel", steps: "output pixels", a: "Pixels that these taps saw", b: "Gradients of this output pixel, one vector", result: "Gradient of the weight so far, in registers" },
    });
  },
};

// acc[row, lane] += a(row, step) · b(step, lane), shown after `step`.
function tile({ view, step, steps, first, length, outputs, chosen, a, b, rowName, stepName, words }) {
  const rows = range(Math.min(TILE, length - first)).map((k) => first + k);
  const shown = around(steps, step, 9);
  const sum = (row, o) => { let total = 0; for (let k = 0; k <= step; k++) total += a(row, k) * b(k, o); return total; };
  const { tiles } = view.context;
  return [
    paragraph(`A tile of ${rows.length} ${words.rows} × ${plural(outputs.length, "output channel")} stays in registers over all ${steps} ${words.steps}. Step ${step + 1} loads ${rows.length} numbers of one kind and a vector of ${outputs.length} of the other, and makes ${rows.length * outputs.length} products with them. No patch matrix is written: strides say where its numbers lie.`),
    beside(
      matrix({ caption: `${words.a}${shownOf(shown, steps, words.steps)}`, rows, columns: shown, rowLabel: rowName, columnLabel: stepName, value: a, kind: (r, k) => (k === step ? "image now" : k < step ? "done" : "") }),
      sign("·"),
      matrix({ caption: words.b, rows: [step], columns: outputs, rowLabel: stepName, columnLabel: (o) => `o ${o}`, value: b, kind: (k, o) => "weight now" }),
      sign("→"),
      matrix({ caption: words.result, rows, columns: outputs, rowLabel: rowName, columnLabel: (o) => `o ${o}`, value: sum, kind: (r, o) => `result ${r === chosen[0] && o === chosen[1] ? "now" : ""}`.trim() }),
    ),
    paragraph(`Shown with ${TILE} × ${TILE}. The machine that made this page has tiles of ${tiles.rows} rows × ${tiles.vectors} vectors of ${tiles.lanes} float32 numbers: ${tiles.rows} + ${tiles.vectors} loads for ${tiles.rows * tiles.vectors} vector multiply-adds.`),
  ];
}
