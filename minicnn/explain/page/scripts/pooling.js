// max_pool2d and avg_pool2d: windows without weights.

function poolingOperation(largest) {
  const tones = { input: "image", grad_input: "image", output: "result", grad_output: "result" };

  function axesOf({ arrays, options }) {
    return poolingAxes({
      size: arrays.input.shape.slice(2), kernel: options.kernel, stride: options.stride, padding: options.padding.numbers,
      dilation: options.dilation, ceilMode: options.ceil_mode,
    });
  }

  // The pixels that an output pixel sees, in row-major order.
  function windowOf(axes, [n, c, i, j]) {
    const columns = tapsInside(axes[1], j);
    return tapsInside(axes[0], i).flatMap(({ at: h }) => columns.map(({ at: w }) => [n, c, h, w]));
  }

  // Which of the window's pixels wins: the first of the largest, or the last NaN.
  function winner(input, window) {
    let best = 0;
    for (let k = 1; k < window.length; k++) {
      const value = valueAt(input, window[k]);
      if (value > valueAt(input, window[best]) || Number.isNaN(value)) best = k;
    }
    return best;
  }

  function divisor(axes, options, index) {
    if (options.divisor_override) return options.divisor_override;
    return axes.map((axis, a) => {
      const start = index[2 + a] * axis.stride - axis.before;
      const end = Math.min(start + axis.kernel, axis.size + axis.given);
      return options.count_include_pad ? end - start : Math.min(end, axis.size) - Math.max(start, 0);
    }).reduce((rows, columns) => rows * columns);
  }

  const outputShape = (S, axes) => [...S.arrays.input.shape.slice(0, 2), axes[0].output, axes[1].output];

  const seeing = (axes, [n, c, h, w]) =>
    seenBy(axes[0], h).flatMap(({ position: i }) => seenBy(axes[1], w).map(({ position: j }) => [n, c, i, j]));

  const operation = {
    lead: largest ? "Every output pixel is the largest number under its window." : "Every output pixel is the mean of the numbers under its window.",
    backward: largest
      ? "The gradient of an output pixel goes, whole, to the pixel that won its window."
      : "The gradient of an output pixel is shared evenly among the pixels of its window.",
    swept: (mode) => (mode === "backward" ? "grad_output" : "output"),
    pixels: ["output", "grad_output"],
    settings: [
      { key: "size", label: "Image", parts: 2, min: 1, max: 32 },
      { key: "channels", label: "Channels", min: 1, max: 8 },
      { key: "kernel", label: "Window", parts: 2, min: 1, max: 11 },
      { key: "stride", label: "Stride", parts: 2, min: 1, max: 11 },
      { key: "padding", label: "Padding", kind: "padding", min: 0, max: 5, words: [] },
      ...(largest ? [{ key: "dilation", label: "Dilation", parts: 2, min: 1, max: 8 }] : []),
      { key: "images", label: "Images", min: 1, max: 4 },
      { key: "ceil_mode", label: "Round the size up (ceil_mode)", kind: "check" },
      ...(largest
        ? []
        : [
            { key: "count_include_pad", label: "Count the padding (count_include_pad)", kind: "check" },
            { key: "divisor_override", label: "Divide by (0: the count)", min: -99, max: 99 },
          ]),
    ],

    read(options) {
      const kernel = pairOf(options.kernel_size);
      const { stride } = options;
      return {
        kernel,
        stride: stride === null || stride === undefined || stride.length === 0 ? kernel : pairOf(stride),
        padding: paddingSetting(options),
        dilation: pairOf(options.dilation ?? 1),
        ceil_mode: Boolean(options.ceil_mode),
        ...(!largest && { count_include_pad: options.count_include_pad ?? true, divisor_override: options.divisor_override ?? 0 }),
      };
    },

    form(S) {
      const [images, channels, ...size] = S.arrays.input.shape;
      return { ...S.options, images, channels, size };
    },

    build(form, S) {
      const { size, channels, images, ...options } = form;
      const arrays = { input: resized(S.arrays.input, [images, channels, ...size], fresh("input")) };
      options.dilation ??= [1, 1];
      const built = { ...S, arrays, options };
      return { ...built, gradient: resized(S.gradient, outputShape(built, axesOf(built)), fresh("gradient")) };
    },

    compute(S) {
      const axes = axesOf(S);
      const { input } = S.arrays;
      const output = zeros(outputShape(S, axes));
      const grad = zeros(input.shape);
      for (let k = 0; k < output.values.length; k++) {
        const index = unflat(output.shape, k);
        const window = windowOf(axes, index);
        if (largest) {
          const at = window[winner(input, window)];
          output.values[k] = valueAt(input, at);
          grad.values[flat(input.shape, at)] += S.gradient.values[k];
        } else {
          const by = divisor(axes, S.options, index);
          let sum = 0;
          for (const at of window) {
            const place = flat(input.shape, at);
            sum += input.values[place];
            grad.values[place] += S.gradient.values[k] / by;
          }
          output.values[k] = sum / by;
        }
      }
      return { axes, output, grad_output: S.gradient, grad_input: grad };
    },

    panels(view) {
      const { focus, mode } = view;
      const pads = view.R.axes.map((axis) => [axis.before, axis.after]);
      const images = (name, title, padded) => ({ ...imagePanel(name, title, tones[name], view.array(name), focus.c ?? 0, focus.n, padded ? pads : null), blank: largest ? "−∞" : "0" });
      if (mode === "forward") return [{ ...images("input", "Input", true), editable: true }, { ...images("output", "Output"), sign: "→" }];
      return [
        { ...images("grad_output", "Gradient with respect to the output"), editable: true },
        { ...images("input", "Input", true), editable: true },
        { ...images("grad_input", "Gradient with respect to the input", true), sign: "→", below: true },
      ];
    },

    focus: ({ index }) => ({ n: index[0], c: index[1] }),

    explain(view, { name, index }) {
      if (view.mode === "backward" && name === "input") name = "grad_input";
      if (name === "output" || name === "grad_output") return explainWindow(view, name, index);
      return explainPixel(view, name, index);
    },

    facts: (view) => [
      ["Output rows", poolingFormula(view.R.axes[0], "OH", view.S.options.ceil_mode)],
      ["Output columns", poolingFormula(view.R.axes[1], "OW", view.S.options.ceil_mode)],
      ["Parameters", "0: a pooling has nothing to learn"],
    ],

    call({ options }) {
      const words = ["input", pythonPair(options.kernel)];
      if (String(options.stride) !== String(options.kernel)) words.push(`stride=${pythonPair(options.stride)}`);
      if (options.padding.numbers.some(Boolean)) words.push(`padding=${pythonPadding(options.padding)}`);
      if (options.dilation.some((d) => d > 1)) words.push(`dilation=${pythonPair(options.dilation)}`);
      if (options.ceil_mode) words.push("ceil_mode=True");
      if (!largest && !options.count_include_pad) words.push("count_include_pad=False");
      if (!largest && options.divisor_override) words.push(`divisor_override=${options.divisor_override}`);
      return `F.${largest ? "max" : "avg"}_pool2d(${words.join(", ")})`;
    },

    windowOf, winner, divisor, largest,
    rungs: [WINDOWS],
  };

  function explainWindow(view, name, index) {
    const { S, R } = view;
    const { input } = S.arrays;
    const window = windowOf(R.axes, index);
    const values = window.map((at) => valueAt(input, at));
    const best = largest ? winner(input, window) : 0;
    const equal = largest ? values.map((value) => Object.is(value, values[best]) || value === values[best]) : [];
    const ties = equal.filter(Boolean).length;
    const tap = Math.min(view.tap, Math.max(window.length - 1, 0));
    const terms = values.map((value, k) => ({ term: k, now: k === tap, parts: [{ text: written(value), tone: equal[k] && ties > 1 ? "notice" : "image", strong: largest && k === best }] }));
    const gradient = view.at("grad_output", index);
    const by = largest ? 1 : divisor(R.axes, S.options, index);
    const lines = [];
    const total = view.at("output", index);
    const head = { text: indices("output", index), tone: "result" };
    const end = { text: written(total, 6), tone: "result", strong: true };
    if (largest) lines.push([head, " = max(", ...joined(terms, ", "), ") = ", end]);
    else lines.push([head, " = (", ...joined(terms, " + "), `) / ${by} = `, end]);
    let sentence;
    if (largest) {
      sentence = ties > 1 ? `${ties} numbers of this window are equal: the first of them, in rows from the top left, wins and gets the gradient.` : `The largest of ${plural(window.length, "number")} stands at row ${window[best][2]}, column ${window[best][3]}.`;
      if (Number.isNaN(values[best])) sentence = "NaN wins over every number.";
      if (name === "grad_output") lines.push([{ text: indices("grad_input", window[best]), tone: "image" }, " += ", { text: bracketed(gradient), tone: "result", strong: true }, "; the others get nothing"]);
    } else {
      sentence = S.options.divisor_override
        ? `The sum of ${plural(window.length, "number")}, divided by the given ${by}.`
        : `The sum of ${plural(window.length, "number")}, divided by ${by}${by > window.length ? `: ${by - window.length} zeros of the padding count too` : ""}.`;
      if (name === "grad_output") lines.push(["each of the window's pixels += ", { text: bracketed(gradient), tone: "result" }, ` / ${by} = `, { text: written(gradient / by, 6), tone: "image", strong: true }]);
    }
    const at = name === "output" ? ["input"] : ["input", "grad_input"];
    const marks = at.flatMap((image) => [
      ...window.map((pixel, k) => ({ name: image, index: pixel, inside: true, kind: largest && ties > 1 && equal[k] ? "tie" : "window" })),
      ...(largest ? [{ name: image, index: window[best], inside: true, kind: "now" }] : []),
    ]);
    return { lines, sentence, say: `${spoken(name, index)}: ${written(view.at(name, index), 6)}. ${sentence}`, links: window, tap, marks: [{ name, index, inside: true, kind: "chosen" }, ...marks] };
  }

  function explainPixel(view, name, index) {
    const { S, R } = view;
    const windows = seeing(R.axes, index);
    const own = (place) => {
      const window = windowOf(R.axes, place);
      return String(window[winner(S.arrays.input, window)]) === String(index);
    };
    const giving = largest ? windows.filter(own) : windows;
    const value = view.at(name, index);
    const head = { text: indices(name, index), tone: "image" };
    let lines;
    if (name === "input") {
      lines = [[head, " = ", { text: written(value, 6), tone: "image", strong: true }], windows.map((place, k) => ({ term: k, chip: true, parts: [{ text: indices("output", place), tone: "result" }, largest ? (own(place) ? ": it wins" : ": it loses") : ` += ${bracketed(value)} / ${divisor(R.axes, S.options, place)}`] }))];
    } else {
      const terms = giving.map((place, k) => ({ term: k, parts: [{ text: bracketed(view.at("grad_output", place)), tone: "result" }, ...(largest ? [] : [` / ${divisor(R.axes, S.options, place)}`])] }));
      lines = [[head, " = ", ...(terms.length ? joined(terms, " + ") : ["0"]), " = ", { text: written(value, 6), tone: "image", strong: true }]];
    }
    const sentence = !windows.length
      ? "No window sees this pixel."
      : largest
        ? `In ${plural(windows.length, "window")}; it wins ${giving.length === windows.length ? (windows.length === 1 ? "it" : "all of them") : giving.length ? giving.length : "none, so no gradient comes here"}.`
        : `In ${plural(windows.length, "window")}, and a share of each gradient comes here.`;
    const target = name === "input" ? "output" : "grad_output";
    return {
      lines, sentence, say: `${spoken(name, index)}: ${written(value, 6)}. ${sentence}`, links: [], tap: 0,
      marks: [{ name, index, inside: true, kind: "chosen" }, ...windows.map((place) => ({ name: target, index: place, inside: true, kind: "window" })), ...(largest ? giving.map((place) => ({ name: target, index: place, inside: true, kind: "now" })) : [])],
    };
  }

  return operation;
}
