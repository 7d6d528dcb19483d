// cross_entropy: −log softmax(x)[target], and its gradient p − y.

const crossEntropy = {
  lead: "Softmax turns each row of scores into probabilities; the loss is −log of the one that the target has.",
  backward: "The gradient is what is wrong about the probabilities: p − y.",
  swept: (mode) => (mode === "backward" ? "grad_input" : "input"),
  pixels: ["input", "softmax", "wanted", "grad_input"],
  settings: [
    { key: "rows", label: "Rows", min: 1, max: 16 },
    { key: "classes", label: "Classes", min: 1, max: 16 },
    { key: "label_smoothing", label: "Label smoothing", kind: "real", min: 0, max: 1 },
    { key: "ignore_index", label: "Ignored class", min: -1000, max: 1000 },
    { key: "reduction", label: "Reduction", kind: "choice", choices: ["mean", "sum", "none"] },
    { key: "weight", label: "Weights of the classes", kind: "check" },
  ],
  read: ({ label_smoothing: smoothing = 0, ignore_index: ignored = -100, reduction = "mean" }) => ({ label_smoothing: smoothing, ignore_index: ignored, reduction }),

  form: (S) => ({ ...S.options, rows: S.arrays.input.shape[0], classes: S.arrays.input.shape[1], weight: Boolean(S.arrays.weight) }),

  build(form, S) {
    const { rows, classes, label_smoothing, ignore_index, reduction } = form;
    const old = S.arrays;
    const target = resized(old.target, [rows], (k) => k % classes);
    target.values.forEach((label, n) => {
      if (!Number.isInteger(label)) throw new Problem(`Row ${n} needs a class as its target, a whole number from 0 to ${classes - 1}, not ${written(label)}.`);
      if (label !== ignore_index && (label < 0 || label >= classes)) throw new Problem(`The target of row ${n} is ${label}, which is none of the ${classes} classes (0 to ${classes - 1}).`);
    });
    const arrays = { input: resized(old.input, [rows, classes], fresh("input")), target, ...(form.weight && { weight: resized(old.weight ?? zeros([0]), [classes], () => 1) }) };
    const shape = reduction === "none" ? [rows] : [];
    return { ...S, arrays, options: { label_smoothing, ignore_index, reduction }, gradient: resized(S.gradient, shape, () => 1) };
  },

  compute(S) {
    const { input, target, weight } = S.arrays;
    const { label_smoothing: smoothing, ignore_index: ignored, reduction } = S.options;
    const [N, K] = input.shape;
    const softmax = zeros([N, K]);
    const wanted = zeros([N, K]);
    const grad = zeros([N, K]);
    const rows = [];
    let divisor = 0;
    for (let n = 0; n < N; n++) {
      const scores = Array.from(input.values.slice(n * K, (n + 1) * K));
      const most = scores.reduce((a, b) => (a > b || Number.isNaN(a) ? a : b));
      const powers = scores.map((score) => Math.exp(score - most));
      const sum = powers.reduce((a, b) => a + b, 0);
      const logs = scores.map((score) => score - most - Math.log(sum));
      const label = target.values[n];
      const counts = label !== ignored;
      const share = (c) => (weight ? weight.values[c] : 1) * ((c === label ? 1 - smoothing : 0) + smoothing / K);
      let loss = 0;
      for (let c = 0; c < K; c++) {
        softmax.values[n * K + c] = powers[c] / sum;
        wanted.values[n * K + c] = counts ? share(c) : 0;
        if (counts && (c === label || smoothing)) loss -= share(c) * logs[c];
      }
      if (counts) divisor += weight ? weight.values[label] : 1;
      rows.push({ most, powers, sum, logs, label, counts, loss });
    }
    const by = reduction === "mean" ? divisor : 1;
    rows.forEach((row, n) => {
      const mass = wanted.values.slice(n * K, (n + 1) * K).reduce((a, b) => a + b, 0);
      row.mass = mass;
      row.factor = S.gradient.values[reduction === "none" ? n : 0] / by;
      for (let c = 0; c < K; c++) grad.values[n * K + c] = row.counts ? (softmax.values[n * K + c] * mass - wanted.values[n * K + c]) * row.factor : 0;
    });
    const losses = rows.map((row) => row.loss);
    const sum = losses.reduce((a, b) => a + b, 0);
    const output = reduction === "none" ? { shape: [N], values: Float64Array.from(losses) } : { shape: [], values: Float64Array.of(sum / by) };
    return { rows, divisor, by, softmax, wanted, output, grad_output: S.gradient, grad_input: grad };
  },

  panels(view) {
    const table = (name, title, tone) => ({ name, title, tone, rows: view.array(name).shape[0], columns: view.array(name).shape[1], planes: [{ base: 0, label: "" }] });
    const column = (name, title, tone) => ({ ...linePanel(name, title, tone, view.array(name)), rows: count(view.array(name).shape), columns: 1 });
    const weight = view.array("weight") ? [{ ...linePanel("weight", "Weights of the classes", "weight", view.array("weight")), editable: true }] : [];
    if (view.mode === "forward") {
      return [
        { ...table("input", "Scores, a row each", "image"), editable: true },
        { ...column("target", "Target", "weight"), editable: true },
        ...weight,
        { ...table("softmax", "Softmax p", "notice"), sign: "→" },
        { ...column("output", "Loss", "result"), sign: "→" },
      ];
    }
    return [
      { ...column("grad_output", "Gradient of the loss", "result"), editable: true },
      table("softmax", "Softmax p", "notice"),
      { ...table("wanted", "Target y as probabilities", "weight"), sign: "−" },
      { ...table("grad_input", "Gradient with respect to the scores", "image"), sign: "→" },
    ];
  },

  focus: () => ({}),

  explain(view, { name, index }) {
    const { S, R } = view;
    const [N, K] = S.arrays.input.shape;
    const scalar = index.length === 0;
    const c = index.length === 2 ? index[1] : name === "weight" ? index[0] : null;
    const n = scalar || name === "weight" ? null : index[0];
    const lines = [];
    const marks = [{ name, index, inside: true, kind: "chosen" }];
    let sentence;
    if (n === null && name === "weight") {
      sentence = `Every row with target ${c} counts ${written(view.at("weight", index))} times.`;
      lines.push([{ text: indices(name, index), tone: "weight" }, " = ", { text: written(view.at(name, index), 6), tone: "weight", strong: true }]);
    } else if (n === null) {
      const terms = R.rows.map((row, k) => ({ term: k, aside: !row.counts, parts: [{ text: bracketed(row.loss), tone: "result" }] }));
      lines.push([{ text: "loss", tone: "result" }, " = (", ...joined(terms, " + "), `)${S.options.reduction === "mean" ? ` / ${written(R.divisor)}` : ""} = `, { text: written(R.output.values[0], 6), tone: "result", strong: true }]);
      sentence = S.options.reduction === "mean" ? (R.divisor ? "The mean over the rows that count." : "No row counts, and 0 / 0 is no number.") : "The sum over the rows.";
    } else {
      const row = R.rows[n];
      for (const array of ["input", "softmax", "grad_input", "wanted"]) for (let k = 0; k < K; k++) marks.push({ name: array, index: [n, k], inside: true, kind: "window" });
      if (c !== null) for (const array of ["input", "softmax", "grad_input", "wanted"]) marks.push({ name: array, index: [n, c], inside: true, kind: "now" });
      marks.push({ name: "target", index: [n], inside: true, kind: "window" });
      if (S.options.reduction === "none") marks.push({ name: "output", index: [n], inside: true, kind: "window" });
      if (!row.counts) sentence = `Row ${n} has the ignored target ${row.label}: it counts for nothing and gets no gradient.`;
      else if (view.mode === "forward") {
        const shown = c ?? row.label;
        const p = view.at("softmax", [n, shown]);
        const terms = row.powers.map((power, k) => ({ term: k, now: k === shown, parts: [written(power)] }));
        lines.push([{ text: indices("p", [n, shown]), tone: "notice" }, ` = exp(${bracketed(view.at("input", [n, shown]))} − ${bracketed(row.most)}) / (`, ...joined(terms, " + "), ") = ", { text: written(p, 6), tone: "notice", strong: true }]);
        const pairs = Array.from({ length: K }, (_, k) => k).filter((k) => R.wanted.values[n * K + k]);
        lines.push([`loss of row ${n} = `, ...joined(pairs.map((k) => ({ parts: ["−", { text: written(R.wanted.values[n * K + k]), tone: "weight" }, "·log ", { text: written(view.at("softmax", [n, k])), tone: "notice" }] })), " "), " = ", { text: written(row.loss, 6), tone: "result", strong: true }]);
        sentence = `The largest score is taken off first, so that exp cannot overflow; target ${row.label} has probability ${written(view.at("softmax", [n, row.label]))}.`;
      } else {
        const shown = c ?? row.label;
        lines.push([{ text: indices("grad_input", [n, shown]), tone: "image" }, " = (", { text: written(view.at("softmax", [n, shown])), tone: "notice" }, Math.abs(row.mass - 1) > 1e-12 ? `·${written(row.mass)}` : "", " − ", { text: written(R.wanted.values[n * K + shown]), tone: "weight" }, `) · ${bracketed(S.gradient.values[S.options.reduction === "none" ? n : 0])}${R.by === 1 ? "" : ` / ${written(R.by)}`} = `, { text: written(view.at("grad_input", [n, shown]), 6), tone: "image", strong: true }]);
        sentence = shown === row.label ? "This is the target: its score is pulled up." : "Not the target: its score is pushed down, the more the likelier it was held.";
      }
    }
    return { lines, sentence, say: `${spoken(name, index)}: ${written(view.at(name, index), 6)}. ${sentence}`, links: [], tap: 0, marks };
  },

  facts(view) {
    const { S, R } = view;
    return [
      ["Loss of a row", "−Σ y·log p, with p = exp(x − max) / Σ exp(x − max)"],
      ["Reduction", S.options.reduction === "mean" ? `the sum divided by ${written(R.divisor)}, the weight of the rows that count` : S.options.reduction === "sum" ? "the sum over the rows" : "none: a loss for each row"],
      ...(S.options.label_smoothing ? [["Label smoothing", `y = ${written(1 - S.options.label_smoothing)} for the target, and ${written(S.options.label_smoothing)} / ${S.arrays.input.shape[1]} more for every class`]] : []),
    ];
  },

  call({ arrays, options }) {
    const words = ["input", "target"];
    if (arrays.weight) words.push("weight=weight");
    if (options.ignore_index !== -100) words.push(`ignore_index=${options.ignore_index}`);
    if (options.reduction !== "mean") words.push(`reduction="${options.reduction}"`);
    if (options.label_smoothing) words.push(`label_smoothing=${options.label_smoothing}`);
    return `F.cross_entropy(${words.join(", ")})`;
  },

  rungs: [SOFTMAX],
};
