// conv2d and conv_transpose2d: the same links, read one way or the other.

const MOST_TERMS = 96; // of a sum are written out

function convolutionOperation(transposed) {
  const [inputSide, outputSide] = transposed ? ["small", "large"] : ["large", "small"];
  const sides = { input: inputSide, grad_input: inputSide, output: outputSide, grad_output: outputSide, weight: "weight", grad_weight: "weight" };
  const tones = { input: "image", grad_input: "image", output: "result", grad_output: "result", weight: "weight", grad_weight: "weight", bias: "weight", grad_bias: "weight" };
  const channelName = transposed ? "input" : "output"; // what the first axis of the weight counts

  const operation = {
    lead: transposed
      ? "Every input pixel is spread over a window of the output: its value times the kernel is added there."
      : "Every output pixel is a sum: the numbers under its window, each times the weight that lies on it.",
    backward: "Every product that went into the output sends a gradient back to both of its factors.",
    swept: (mode) => (transposed ? (mode === "backward" ? "grad_input" : "input") : mode === "backward" ? "grad_output" : "output"),
    pixels: transposed ? ["input", "grad_input"] : ["output", "grad_output"],

    settings: [
      { key: "size", label: "Image", parts: 2, min: 1, max: 32 },
      { key: "channels", label: "Channels", min: 1, max: 8 },
      { key: "kernel", label: "Kernel", parts: 2, min: 1, max: 11 },
      { key: "outputs", label: "Outputs", min: 1, max: 8 },
      { key: "stride", label: "Stride", parts: 2, min: 1, max: 8 },
      { key: "padding", label: "Padding", kind: "padding", min: 0, max: 10, words: transposed ? [] : ["same", "valid"] },
      { key: "dilation", label: "Dilation", parts: 2, min: 1, max: 8 },
      { key: "groups", label: "Groups", min: 1, max: 8 },
      ...(transposed ? [{ key: "output_padding", label: "Output padding", parts: 2, min: 0, max: 7 }] : []),
      { key: "images", label: "Images", min: 1, max: 4 },
      { key: "bias", label: "Bias", kind: "check" },
    ],

    read(options) {
      return {
        stride: pairOf(options.stride ?? 1),
        padding: paddingSetting(options),
        dilation: pairOf(options.dilation ?? 1),
        groups: options.groups ?? 1,
        ...(transposed && { output_padding: pairOf(options.output_padding ?? 0) }),
      };
    },

    form(S) {
      const { input, weight, bias } = S.arrays;
      return {
        ...S.options,
        size: input.shape.slice(2),
        channels: input.shape[1],
        images: input.shape[0],
        kernel: weight.shape.slice(2),
        outputs: transposed ? weight.shape[1] * S.options.groups : weight.shape[0],
        bias: Boolean(bias),
      };
    },

    build(form, S) {
      const { channels, outputs, groups } = form;
      for (const [number, what] of [[channels, "input channels"], [outputs, "output channels"]]) {
        if (number % groups) throw new Problem(`${groups} groups do not divide ${number} ${what}: every group needs equally many.`);
      }
      const shape = transposed ? [channels, outputs / groups, ...form.kernel] : [outputs, channels / groups, ...form.kernel];
      const arrays = {
        input: resized(S.arrays.input, [form.images, channels, ...form.size], fresh("input")),
        weight: resized(S.arrays.weight, shape, fresh("weight")),
      };
      if (form.bias) arrays.bias = resized(S.arrays.bias ?? zeros([0]), [outputs], fresh("bias"));
      const options = { stride: form.stride, padding: form.padding, dilation: form.dilation, groups };
      if (transposed) options.output_padding = form.output_padding;
      const links = linksOf({ arrays, options });
      return { ...S, arrays, options, gradient: resized(S.gradient, links[outputSide], fresh("gradient")) };
    },

    compute(S) {
      const { input, weight, bias } = S.arrays;
      const links = linksOf(S);
      const [forward, back] = transposed ? ["toLarge", "toSmall"] : ["toSmall", "toLarge"];
      const [large, small] = transposed ? [S.gradient, input] : [input, S.gradient];
      return lazily({
        links: () => links,
        output: () => addBias(links[forward](input, weight), bias),
        grad_output: () => S.gradient,
        grad_input: () => links[back](S.gradient, weight),
        grad_weight: () => links.toWeight(large, small),
        ...(bias && { grad_bias: () => channelSums(S.gradient) }),
      });
    },

    panels(view) {
      const { R, focus } = view;
      const pads = R.links.axes.map((axis) => [axis.before, axis.after]);
      const images = (name, title, padded) => {
        const array = view.array(name);
        const side = sides[name];
        return imagePanel(name, title, tones[name], array, focus[side === "small" ? "small" : "large"] ?? 0, focus.n, padded && side === "large" ? pads : null);
      };
      const weights = (name, title) => {
        const { shape } = view.array(name);
        const all = [];
        for (let s = 0; s < shape[0]; s++) for (let c = 0; c < shape[1]; c++) all.push([s, c]);
        const chosen = all.length <= 4 ? all : all.filter(([s, c]) => (transposed ? c === (focus.large ?? 0) % shape[1] : s === (focus.small ?? 0)));
        const planes = chosen.map(([s, c]) => ({
          base: (s * shape[1] + c) * shape[2] * shape[3],
          label: transposed ? `input ${s}, output ${c}` : `output ${s}, channel ${c}`,
        }));
        return { name, title, tone: "weight", rows: shape[2], columns: shape[3], planes: few(planes, 0) };
      };
      const bias = (name, title) => (view.array(name) ? [{ ...linePanel(name, title, "weight", view.array(name)), sign: "+" }] : []);
      if (view.mode === "forward") {
        return [
          { ...images("input", "Input", true), editable: true },
          { ...weights("weight", "Weight"), sign: "∗", editable: true },
          ...bias("bias", "Bias").map((panel) => ({ ...panel, editable: true })),
          { ...images("output", "Output", transposed), sign: "=" },
        ];
      }
      return [
        { ...images("grad_output", "Gradient with respect to the output", transposed), editable: true },
        { ...weights("weight", "Weight"), editable: true },
        { ...images("input", "Input", true), editable: true },
        { ...images("grad_input", "Gradient with respect to the input", true), sign: "→", below: true },
        { ...weights("grad_weight", "Gradient with respect to the weight") },
        ...bias("grad_bias", "Gradient with respect to the bias").map((panel) => ({ ...panel, sign: undefined })),
      ];
    },

    // Which image, small and large channel a chosen number belongs to.
    focus({ name, index }) {
      if (name === "weight" || name === "grad_weight") return { small: index[0] };
      if (name === "bias" || name === "grad_bias") return { [outputSide]: index[0] };
      return { n: index[0], [sides[name]]: index[1] };
    },

    explain(view, chosen) {
      const { R } = view;
      const { index } = chosen;
      let { name } = chosen;
      if (view.mode === "backward" && ["input", "weight", "bias"].includes(name)) name = `grad_${name}`;
      if (name === "bias" || name === "grad_bias") return explainBias(view, name, index[0]);
      const side = sides[name];
      const links = side === "weight" ? R.links.ofWeight(index) : side === "small" ? R.links.ofSmall(index) : R.links.ofLarge(index);
      const factors = { output: ["input", "weight"], grad_input: ["grad_output", "weight"], grad_weight: ["grad_output", "input"] };
      return name in factors ? explainSum(view, name, index, links, factors[name]) : explainSpread(view, name, index, links.filter((link) => link.inside));
    },

    facts(view) {
      const { arrays, options } = view.S;
      const axes = R_axes(view);
      const formula = transposed ? transposedFormula : sizeFormula;
      const inside = (axis) => Array.from({ length: axis.output }, (_, i) => tapsInside(axis, i).length).reduce((a, b) => a + b, 0);
      const taps = count(arrays.weight.shape);
      const products = view.S.arrays.input.shape[0] * axes[0].output * axes[1].output * taps;
      const padded = products - view.S.arrays.input.shape[0] * inside(axes[0]) * inside(axes[1]) * arrays.weight.shape[0] * arrays.weight.shape[1];
      const outputs = view.R.output.shape[1];
      return [
        ["Output rows", formula(axes[0], "OH")],
        ["Output columns", formula(axes[1], "OW")],
        ["Parameters", `${arrays.weight.shape.join("·")}${arrays.bias ? ` + ${outputs}` : ""} = ${taps + (arrays.bias ? outputs : 0)}`],
        ["Multiply-adds", `${products}${padded ? `, ${padded} of them with the zeros of the padding` : ""}`],
        ...(options.groups > 1 ? [["Groups", `${options.groups} convolutions side by side, each from ${arrays.input.shape[1] / options.groups} to ${outputs / options.groups} channels`]] : []),
      ];
    },

    call(S) {
      const { options } = S;
      const words = ["input", "weight", ...(S.arrays.bias ? ["bias"] : [])];
      for (const [key, standard] of [["stride", 1], ["padding", 0], ["output_padding", 0], ["dilation", 1]]) {
        if (!(key in options)) continue;
        const text = key === "padding" ? pythonPadding(options.padding) : pythonPair(options[key]);
        if (text !== String(standard)) words.push(`${key}=${text}`);
      }
      if (options.groups > 1) words.push(`groups=${options.groups}`);
      return `F.${transposed ? "conv_transpose2d" : "conv2d"}(${words.join(", ")})`;
    },

    rungs: transposed ? [LOOPS, PATCHES] : [LOOPS, PATCHES, TILES, WINOGRAD],
    transposed,
  };

  const R_axes = (view) => view.R.links.axes;

  function linksOf({ arrays, options }) {
    const kernel = arrays.weight.shape.slice(2);
    const size = arrays.input.shape.slice(2);
    const { mode, numbers } = options.padding;
    const axes = transposed
      ? transposedAxes({ size, kernel, stride: options.stride, padding: numbers, outputPadding: options.output_padding, dilation: options.dilation })
      : convolutionAxes({ size, kernel, stride: options.stride, dilation: options.dilation, padding: paddingOf(mode, numbers, kernel, options.stride, options.dilation) });
    return new Links(axes, options.groups, arrays.weight.shape, arrays.input.shape[0]);
  }

  const marked = (view, links, name, kind) => links.map((link) => ({ name, index: link[sides[name]], inside: name === "weight" || name === "grad_weight" || sides[name] === "small" || link.inside, kind }));

  // A number that is a sum of products, term by term.
  function explainSum(view, name, index, links, [left, right]) {
    const total = valueAt(view.array(name), index);
    const tap = Math.min(view.tap, Math.max(links.length - 1, 0));
    const bias = name === "output" && view.S.arrays.bias;
    const terms = links.slice(0, MOST_TERMS).map((link, k) => ({
      term: k,
      now: k === tap,
      aside: !link.inside,
      parts: [
        { text: bracketed(link.inside || sides[left] !== "large" ? view.at(left, link[sides[left]]) : 0), tone: tones[left] },
        "·",
        { text: bracketed(view.at(right, link[sides[right]])), tone: tones[right] },
      ],
    }));
    const line = [{ text: indices(name, index), tone: tones[name] }, " = ", ...joined(terms, " + ")];
    if (!links.length) line.push("0");
    if (links.length > MOST_TERMS) line.push(` + … ${links.length - MOST_TERMS} more`);
    if (bias) line.push(" + ", { text: bracketed(view.at("bias", [index[1]])), tone: "weight" });
    line.push(" = ", { text: written(total, 6), tone: tones[name], strong: true });
    const padded = links.filter((link) => !link.inside).length;
    const sums = {
      output: transposed
        ? `${plural(links.length, "product")}: one for each window of the spreading that covers this pixel.`
        : `${plural(links.length, "product")}${padded ? `, ${padded} of them with zeros of the padding` : ""}${bias ? ", and the bias" : ""}.`,
      grad_input: links.length
        ? `This input pixel took part in ${plural(links.length, "product")}; each sends back its weight times the gradient of its output pixel, and they add up.`
        : "This input pixel is in no window, so its gradient is 0.",
      grad_weight: links.length
        ? `This weight entered ${plural(links.length, "product")}, one for each window; each sends back its pixel times the gradient of its output pixel.`
        : "This weight met only padding, so its gradient is 0.",
    };
    return {
      lines: [line],
      sentence: sums[name],
      say: `${spoken(name, index)}: ${written(total, 6)}. ${sums[name]}`,
      links,
      tap,
      marks: [{ name, index, inside: true, kind: "chosen" }, ...marked(view, links, left, "window"), ...marked(view, links, right, "window"), ...(links[tap] ? [...marked(view, [links[tap]], left, "now"), ...marked(view, [links[tap]], right, "now")] : [])],
    };
  }

  // A number and everything that it goes into.
  function explainSpread(view, name, index, links) {
    const value = view.at(name, index);
    const backward = view.mode === "backward";
    const other = name === "weight" ? "input" : "weight";
    const target = name === "grad_output" ? "grad_input" : "output";
    const tap = Math.min(view.tap, Math.max(links.length - 1, 0));
    const terms = links.slice(0, MOST_TERMS).map((link, k) => ({
      term: k,
      now: k === tap,
      chip: true,
      parts: [
        { text: indices(target, link[sides[target]]), tone: tones[target] },
        " += ",
        { text: bracketed(value), tone: tones[name] },
        "·",
        { text: bracketed(view.at(other, link[sides[other]])), tone: tones[other] },
      ],
    }));
    const windows = new Set(links.map((link) => link.small.join())).size;
    const sentences = {
      input: transposed
        ? `Spread over ${plural(links.length, "output pixel")}: the kernel, times ${written(value)}, is added there.`
        : links.length
          ? `In ${plural(windows, "window")}, so it takes part in ${plural(links.length, "product")}.`
          : "In no window: the output does not depend on this pixel.",
      weight: links.length ? `Enters ${plural(links.length, "product")}: one for each window, always over another pixel.` : "Meets only padding.",
      grad_output: `Its gradient ${written(value)} goes back to ${plural(links.length, "input pixel")}, each time multiplied by the weight through which the pixel was seen. It is added, because windows overlap.`,
    };
    const line = [{ text: `${indices(name, index)} = ${written(value, 6)}`, tone: tones[name], strong: true }];
    const more = links.length > MOST_TERMS ? [`… and ${links.length - MOST_TERMS} more`] : [];
    return {
      lines: [line, [...terms, ...more]],
      sentence: sentences[name],
      say: `${spoken(name, index)}: ${written(value, 6)}. ${sentences[name]}`,
      links,
      tap,
      marks: [
        { name, index, inside: true, kind: "chosen" },
        ...marked(view, links, target, "window"),
        ...marked(view, links, other, "window"),
        ...(backward ? marked(view, links, "input", "window") : []),
        ...(links[tap] ? [...marked(view, [links[tap]], target, "now"), ...marked(view, [links[tap]], other, "now")] : []),
      ],
    };
  }

  function explainBias(view, name, channel) {
    const target = name === "bias" ? "output" : "grad_output";
    const array = view.array(target);
    const [N, , H, W] = array.shape;
    const all = [];
    for (let n = 0; n < N; n++) for (let i = 0; i < H; i++) for (let j = 0; j < W; j++) all.push([n, channel, i, j]);
    const value = view.at(name, [channel]);
    const line = [{ text: indices(name, [channel]), tone: "weight" }, " = "];
    if (name === "grad_bias") {
      const terms = all.slice(0, MOST_TERMS).map((index, k) => ({ term: k, parts: [{ text: bracketed(view.at(target, index)), tone: "result" }] }));
      line.push(...joined(terms, " + "), ...(all.length > MOST_TERMS ? [` + … ${all.length - MOST_TERMS} more`] : []), " = ");
    }
    line.push({ text: written(value, 6), tone: "weight", strong: true });
    const sentence = name === "bias" ? `Added to each of the ${plural(all.length, "pixel")} of output channel ${channel}.` : `The sum of the ${plural(all.length, "gradient")} of output channel ${channel}.`;
    return { lines: [line], sentence, say: `${spoken(name, [channel])}: ${written(value, 6)}. ${sentence}`, links: [], tap: 0, marks: [{ name, index: [channel], inside: true, kind: "chosen" }, ...all.map((index) => ({ name: target, index, inside: true, kind: "window" }))] };
  }

  return operation;
}
