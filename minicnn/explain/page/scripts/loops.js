// The first rung: minicnn's seven loops, line by line, with the values of the current iteration.

const LOOPS = {
  id: "loops",
  label: "Seven loops",
  draw(view) {
    const { R, operation, mode } = view;
    const [n, o, i, j] = view.pixel;
    const links = R.links.ofSmall(view.pixel);
    const tap = Math.min(view.tap, links.length - 1);
    const link = links[tap];
    const gathers = (mode === "forward") !== operation.transposed;
    const [small, large] = operation.transposed
      ? mode === "forward" ? ["input", "output"] : ["grad_input", "grad_output"]
      : mode === "forward" ? ["output", "input"] : ["grad_output", "grad_input"];
    const codes = gathers ? [["forward", small]] : [["grad_input", large]];
    if (mode === "backward") codes.push(["grad_weight", "grad_weight"]);
    const [p, q] = link.weight.slice(2);
    const c = link.weight[1];
    const axis = (a, position, at) => {
      const { stride, before, dilation } = R.links.axes[a];
      return `${position}·${stride} − ${before} + ${at}·${dilation} = ${link.large[2 + a]}`;
    };
    const product = (source) => {
      if (!link.inside) return "not reached";
      const weight = bracketed(view.at("weight", link.weight));
      if (source === "forward") {
        const values = links.slice(0, tap + 1).filter((one) => one.inside).map((one) => view.at(large, one.large) * view.at("weight", one.weight));
        const start = mode === "forward" && view.S.arrays.bias ? view.at("bias", [o]) : 0;
        const before = values.slice(0, -1).reduce((a, b) => a + b, start);
        return `${written(before)} + ${bracketed(view.at(large, link.large))}·${weight} = ${written(before + values.at(-1))}`;
      }
      if (source === "grad_input") return `+= ${bracketed(view.at(small, view.pixel))}·${weight} = ${written(view.at(small, view.pixel) * view.at("weight", link.weight))}`;
      const [ofSmall, ofLarge] = operation.transposed ? ["input", "grad_output"] : ["grad_output", "input"];
      return `+= ${bracketed(view.at(ofSmall, link.small))}·${bracketed(view.at(ofLarge, link.large))} = ${written(view.at(ofSmall, link.small) * view.at(ofLarge, link.large))}`;
    };
    const values = { n, i, j, o, p, q, c };
    const first = link.large[1] - c;
    const note = (line, source) => {
      const text = line.trim();
      const loop = /^for (\w) in/.exec(text);
      if (loop) return `${loop[1]} = ${values[loop[1]]}`;
      if (text.startsWith("first =")) return `first = ${first}`;
      if (text.startsWith("row =")) return `row = ${axis(0, i, p)}`;
      if (text.startsWith("column =")) return `column = ${axis(1, j, q)}`;
      if (text.startsWith("if 0 <=")) return link.inside ? "yes, inside" : "no: padding, a 0";
      return text.includes("+=") ? product(source) : "";
    };
    const block = ([source]) => make("div", { class: "code", tabindex: "0", role: "region", "aria-label": `Loops of the ${source.replace("_", " ")}` }, ...view.context.loops[source].map((line) => {
      const last = line.includes("+=");
      return make("div", { class: last ? "line now" : "line" }, make("code", {}, line), make("span", { class: "note" }, note(line, source)));
    }));
    const where = indices(small, view.pixel);
    const role = operation.transposed ? "In these lines the input is the small image g or y, and the output the large image x." : "In these lines arrays are channels-last, as minicnn keeps them: x[n, row, column, channel].";
    return [
      paragraph(`Product ${tap + 1} of ${links.length} ${mode === "forward" && !operation.transposed ? "that make up" : "at"} ${where}. These are minicnn's own lines, minicnn/kernels/convolution/naive.py; on the right, what they are doing now. ${role}`),
      ...codes.map(block),
    ];
  },
};
