// What stands below pooling, batch norm and cross-entropy: their numbers as tables.

const WINDOWS = {
  id: "windows",
  label: "Window by window",
  draw(view) {
    const { R, S, operation } = view;
    const { output } = R;
    const current = flat(output.shape, view.pixel);
    const shown = around(output.values.length, current, 9);
    const windows = new Map(shown.map((k) => [k, operation.windowOf(R.axes, unflat(output.shape, k))]));
    const widest = Math.max(...shown.map((k) => windows.get(k).length));
    const taps = range(Math.min(widest, 27));
    const best = (k) => operation.winner(S.arrays.input, windows.get(k));
    const values = (k) => windows.get(k).map((at) => view.at("input", at));
    const ties = (k) => values(k).filter((value) => value === values(k)[best(k)]).length;
    const last = operation.largest
      ? [
          ["Largest", (k) => output.values[k]],
          ["At row, column", (k) => windows.get(k)[best(k)].slice(2).join(", ")],
          ["Equal ones", (k) => (ties(k) > 1 ? `${ties(k)}: the first wins` : "–")],
          ["Gradient", (k) => R.grad_output.values[k]],
        ]
      : [
          ["Divisor", (k) => operation.divisor(R.axes, S.options, unflat(output.shape, k))],
          ["Mean", (k) => output.values[k]],
          ["Gradient", (k) => R.grad_output.values[k]],
          ["Each pixel gets", (k) => R.grad_output.values[k] / operation.divisor(R.axes, S.options, unflat(output.shape, k))],
        ];
    return [
      paragraph(operation.largest
        ? "The numbers of each window in rows from the top left. The gradient goes to the one that won; a pixel that won several windows adds their gradients, one that won none gets 0."
        : "The numbers of each window; windows that overlap add their shares of the gradient."),
      matrix({
        caption: `Windows of the output pixels${shownOf(shown, output.values.length, "numbers")}${widest > taps.length ? `; the first ${taps.length} of ${widest} numbers` : ""}`,
        rows: shown, columns: [...taps, ...last], rowLabel: (k) => unflat(output.shape, k).join(","), columnLabel: (column) => (Array.isArray(column) ? column[0] : String(column)),
        value: (k, column) => (Array.isArray(column) ? column[1](k) : column < windows.get(k).length ? values(k)[column] : ""),
        kind: (k, column) => {
          if (Array.isArray(column)) return k === current ? "result" : "";
          if (operation.largest && column === best(k)) return "image now";
          if (operation.largest && ties(k) > 1 && values(k)[column] === values(k)[best(k)]) return "notice";
          return k === current && column < windows.get(k).length ? "image" : "";
        },
      }),
    ];
  },
};

const STATISTICS = {
  id: "statistics",
  label: "Statistics",
  draw(view) {
    const { R, S } = view;
    const columns = [
      ["Mean", (c) => R.channels[c].batchMean],
      ["Variance, biased (/ m)", (c) => R.channels[c].batchVariance],
      ["Variance, unbiased (/ (m − 1))", (c) => R.channels[c].unbiased],
      ["1 / √(var + eps)", (c) => R.channels[c].invstd],
      ...(S.arrays.running_mean
        ? [["Running mean", (c) => R.channels[c].before[0]], ["… afterwards", (c) => R.channels[c].after[0]], ["Running variance", (c) => R.channels[c].before[1]], ["… afterwards", (c) => R.channels[c].after[1]]]
        : []),
    ];
    return [
      paragraph(S.options.training
        ? `In training the batch's own mean and biased variance normalise; the running statistics move by the momentum ${S.options.momentum} towards mean and unbiased variance.`
        : "In evaluation the running statistics normalise, and stay as they are; the batch's own are shown for comparison."),
      matrix({ caption: `Channel by channel, over m = ${R.m} numbers each`, rows: range(R.channels.length), columns, rowLabel: (c) => `channel ${c}`, columnLabel: ([name]) => name, value: (c, [, of]) => of(c), kind: (c) => (c === view.pixel[1] ? "weight" : ""), digits: 5 }),
    ];
  },
};

const THREE_TERMS = {
  id: "terms",
  label: "Three terms of the gradient",
  draw(view) {
    const { R, S } = view;
    const { shape } = S.arrays.input;
    const c = view.pixel[1];
    const channel = R.channels[c];
    const all = range(count(shape)).filter((k) => Math.floor(k / (shape[2] * shape[3])) % shape[1] === c);
    const current = all.indexOf(flat(shape, view.pixel));
    const shown = around(all.length, current, 12);
    const training = S.options.training;
    const columns = [
      ["x", (k) => S.arrays.input.values[k], "image"],
      ["x̂", (k) => R.normal.values[k], "image"],
      ["g", (k) => S.gradient.values[k], "result"],
      ...(training ? [["− mean(g)", () => -channel.gradients / R.m, "notice"], ["− x̂·mean(g·x̂)", (k) => (-R.normal.values[k] * channel.products) / R.m, "weight"]] : []),
      [`their sum · ${written(channel.weight * channel.invstd)}`, (k) => R.grad_input.values[k], "image"],
    ];
    return [
      paragraph(training
        ? `∂L/∂x = weight / √(var + eps) · (g − mean(g) − x̂·mean(g·x̂)). The mean moves with every pixel, the variance too: so each gradient is freed of its mean and of what points along x̂. Here mean(g) = ${written(channel.gradients / R.m)} and mean(g·x̂) = ${written(channel.products / R.m)}.`
        : "In evaluation mean and variance are constants: ∂L/∂x = weight / √(var + eps) · g, one term of the three."),
      matrix({ caption: `Channel ${c}${shownOf(shown, all.length, "numbers")}`, rows: shown, columns, rowLabel: (r) => unflat(shape, all[r]).join(","), columnLabel: ([name]) => name, value: (r, [, of]) => of(all[r]), kind: (r, [, , tone]) => (r === current ? `${tone} now` : ""), digits: 5 }),
    ];
  },
};

const SOFTMAX = {
  id: "softmax",
  label: "Softmax and p − y",
  draw(view) {
    const { R, S } = view;
    const [, K] = S.arrays.input.shape;
    const n = view.pixel[0];
    const row = R.rows[n];
    const place = (c) => n * K + c;
    const rows = [
      ["score x", (c) => S.arrays.input.values[place(c)], "image"],
      ["x − max", (c) => S.arrays.input.values[place(c)] - row.most, "image"],
      ["exp(x − max)", (c) => row.powers[c], ""],
      ["p = exp / Σ exp", (c) => R.softmax.values[place(c)], "notice"],
      ["log p", (c) => row.logs[c], ""],
      [S.arrays.weight ? "y, times the class's weight" : "y", (c) => R.wanted.values[place(c)], "weight"],
      [Math.abs(row.mass - 1) > 1e-12 && row.counts ? `p·${written(row.mass)} − y` : "p − y", (c) => (row.counts ? R.softmax.values[place(c)] * row.mass - R.wanted.values[place(c)] : 0), "image"],
      ["gradient", (c) => R.grad_input.values[place(c)], "image"],
    ];
    return [
      paragraph(row.counts ? `Row ${n}, target ${row.label}: Σ exp = ${written(row.sum)}, loss ${written(row.loss, 6)}.` : `Row ${n} has the ignored target ${row.label}: no loss and no gradient.`),
      matrix({ caption: `Row ${n}, class by class`, rows, columns: range(K), rowLabel: ([name]) => name, columnLabel: (c) => `class ${c}${c === row.label ? " (target)" : ""}`, value: ([, of], c) => of(c), kind: ([, , tone], c) => (c === (view.pixel[1] ?? row.label) ? `${tone} now` : tone), digits: 5 }),
    ];
  },
};
