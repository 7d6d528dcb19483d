// Winograd's minimal filtering F(2×2, 3×3): four output pixels with 16 multiplications instead of 36.

const product = (A, B) => A.map((row) => B[0].map((_, j) => row.reduce((sum, value, k) => sum + value * B[k][j], 0)));
const transposedMatrix = (A) => A[0].map((_, j) => A.map((row) => row[j]));
const elementwise = (A, B, f) => A.map((row, i) => row.map((value, j) => f(value, B[i][j])));

const WINOGRAD = {
  id: "winograd",
  label: "Winograd",
  draw(view) {
    const { links } = view.R;
    const [rows, columns] = links.axes;
    const reasons = [];
    if (rows.kernel !== 3 || columns.kernel !== 3) reasons.push(`this kernel is ${rows.kernel} × ${columns.kernel}, not 3 × 3`);
    if (rows.stride !== 1 || columns.stride !== 1) reasons.push(`the stride is ${pythonPair([rows.stride, columns.stride])}, not 1`);
    if (rows.dilation !== 1 || columns.dilation !== 1) reasons.push(`the dilation is ${pythonPair([rows.dilation, columns.dilation])}, not 1`);
    if (links.groups !== 1) reasons.push(`there are ${links.groups} groups, not one`);
    if (reasons.length) return [paragraph(`Winograd's F(2×2, 3×3) does not apply: ${reasons.join("; ")}.`)];
    return view.mode === "forward" ? winogradForward(view) : winogradBackward(view);
  },
};

// What both directions share: the tile around the current pixel, the channel of the current tap, and the matrices.
function winogradTile(view) {
  const { links } = view.R;
  const [n, o, i, j] = view.pixel;
  const [down, across] = [i - (i % 2), j - (j % 2)];
  const C = links.LG;
  const c = view.tap % C;
  const at = (name, image, channel, row, column) => {
    const [, , H, W] = view.array(name).shape;
    return row >= 0 && row < H && column >= 0 && column < W ? view.at(name, [image, channel, row, column]) : 0;
  };
  const patch = (image, channel, top, left) => range(4).map((p) => range(4).map((q) => at("input", image, channel, top - links.axes[0].before + p, left - links.axes[1].before + q)));
  const kernel = (channel) => range(3).map((p) => range(3).map((q) => view.at("weight", [o, channel, p, q])));
  const gradient = (image, top, left) => range(2).map((p) => range(2).map((q) => at("grad_output", image, o, top + p, left + q)));
  const { A, B, G } = view.context.winograd; // Aᵀ, Bᵀ and G, as the sources name them
  const V = (d) => product(product(B, d), transposedMatrix(B));
  const U = (g) => product(product(G, g), transposedMatrix(G));
  return { n, o, down, across, i, j, C, c, patch, kernel, gradient, A, B, G, V, U };
}

const small = (caption, values, kind = "") => matrix({ caption, rows: range(values.length), columns: range(values[0].length), value: (r, c) => values[r][c], kind: typeof kind === "function" ? kind : () => kind });

function winogradForward(view) {
  const T = winogradTile(view);
  const { A, B, G, c } = T;
  const d = T.patch(T.n, c, T.down, T.across);
  const g = T.kernel(c);
  const [Bd, Gg] = [product(B, d), product(G, g)];
  const [V, U] = [product(Bd, transposedMatrix(B)), product(Gg, transposedMatrix(G))];
  const one = elementwise(U, V, (u, v) => u * v);
  const all = range(T.C).map((k) => elementwise(T.U(T.kernel(k)), T.V(T.patch(T.n, k, T.down, T.across)), (u, v) => u * v));
  const M = all.reduce((sum, next) => elementwise(sum, next, (a, b) => a + b));
  const AM = product(A, M);
  const bias = view.S.arrays.bias ? view.at("bias", [T.o]) : 0;
  const Y = product(AM, transposedMatrix(A)).map((row) => row.map((value) => value + bias));
  const [, , OH, OW] = view.R.output.shape;
  const direct = range(2).map((p) => range(2).map((q) => (T.down + p < OH && T.across + q < OW ? view.at("output", [T.n, T.o, T.down + p, T.across + q]) : "outside")));
  const chosen = (r, k) => `result ${T.down + r === T.i && T.across + k === T.j ? "now" : ""}`.trim();
  return [
    paragraph(`Y = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ d B) ] A. A tile of 4 × 4 pixels gives 2 × 2 outputs: ${16 * T.C} multiplications instead of ${36 * T.C}. The transforms only add, subtract and halve. Channel ${c} of ${T.C}, output channel ${T.o}, output rows ${T.down} and ${T.down + 1}, columns ${T.across} and ${T.across + 1}.`),
    beside(small("Tile d", d, "image"), small("Bᵀ", B), sign("→"), small("Bᵀ d", Bd, "image"), small("Bᵀ d B", V, "image")),
    beside(small("Kernel g", g, "weight"), small("G", G), sign("→"), small("G g", Gg, "weight"), small("G g Gᵀ", U, "weight")),
    beside(small("(G g Gᵀ) ⊙ (Bᵀ d B)", one, "notice"), ...(T.C > 1 ? [sign("Σ"), small(`M, the sum over ${T.C} channels`, M, "notice")] : []), sign("→"), small("Aᵀ", A), small("Aᵀ M", AM, "result"), small(bias ? "Y = Aᵀ M A + bias" : "Y = Aᵀ M A", Y, chosen), small("Output, by its definition", direct, chosen)),
  ];
}

function winogradBackward(view) {
  const T = winogradTile(view);
  const { A, B, G, c } = T;
  const [GT, AT] = [transposedMatrix(G), transposedMatrix(A)]; // A here is Aᵀ: its transpose is A
  const d = T.patch(T.n, c, T.down, T.across);
  const gradient = T.gradient(T.n, T.down, T.across);
  const Ag = product(AT, gradient);
  const [D, V] = [product(Ag, A), T.V(d)];
  const one = elementwise(D, V, (a, b) => a * b);
  const [, , OH, OW] = view.R.output.shape;
  let sum = one.map((row) => row.map(() => 0));
  for (let n = 0; n < view.R.links.images; n++) for (let i = 0; i < OH; i += 2) for (let j = 0; j < OW; j += 2) {
    sum = elementwise(sum, elementwise(product(product(AT, T.gradient(n, i, j)), A), T.V(T.patch(n, c, i, j)), (a, b) => a * b), (a, b) => a + b);
  }
  const Gs = product(GT, sum);
  const result = product(Gs, G);
  const direct = range(3).map((p) => range(3).map((q) => view.at("grad_weight", [T.o, c, p, q])));
  return [
    paragraph(`The formula is linear in g, so the gradient with respect to the weight is its transpose: ∂g = Gᵀ [ Σ (A ∂Y Aᵀ) ⊙ (Bᵀ d B) ] G, a sum over the tiles. Channel ${c} of ${T.C}, output channel ${T.o}. The gradient with respect to the input is the forward once more, over the gradient of the output, with the kernel turned round.`),
    beside(small("∂Y", gradient, "result"), small("A", AT), sign("→"), small("A ∂Y", Ag, "result"), small("A ∂Y Aᵀ", D, "result")),
    beside(small("Tile d", d, "image"), small("Bᵀ", B), sign("→"), small("Bᵀ d", product(B, d), "image"), small("Bᵀ d B", V, "image")),
    beside(small("(A ∂Y Aᵀ) ⊙ (Bᵀ d B)", one, "notice"), sign("Σ"), small("The sum over all tiles", sum, "notice"), sign("→"), small("Gᵀ Σ", Gs, "weight"), small("∂g = Gᵀ Σ G", result, "weight"), small("Gradient, by its definition", direct, "weight")),
  ];
}
