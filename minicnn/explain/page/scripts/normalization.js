// batch_norm: y = (x − mean) / √(var + eps) · weight + bias for every channel, and the three terms of its gradient.

const batchNorm = {
  lead: "Every channel is moved to mean 0 and variance 1, then scaled by weight and shifted by bias.",
  backward: "A pixel's gradient has three terms: its own, one because the mean moves with the pixel, one because the variance does.",
  swept: (mode) => (mode === "backward" ? "grad_input" : "output"),
  pixels: ["input", "output", "grad_input", "grad_output"],
  settings: [
    { key: "size", label: "Image", parts: 2, min: 1, max: 32 },
    { key: "channels", label: "Channels", min: 1, max: 8 },
    { key: "images", label: "Images", min: 1, max: 8 },
    { key: "momentum", label: "Momentum", kind: "real", min: 0, max: 1 },
    { key: "eps", label: "Epsilon", kind: "real", min: 0, max: 10 },
    { key: "training", label: "Training: statistics of this batch", kind: "check" },
    { key: "weight", label: "Weight", kind: "check" },
    { key: "bias", label: "Bias", kind: "check" },
    { key: "running", label: "Running statistics", kind: "check" },
  ],
  read: ({ training = true, momentum = 0.1, eps = 1e-5 }) => ({ training, momentum, eps }),

  form(S) {
    const { input, weight, bias, running_mean: running } = S.arrays;
    const [images, channels, ...size] = input.shape;
    return { ...S.options, images, channels, size, weight: Boolean(weight), bias: Boolean(bias), running: Boolean(running) };
  },

  build(form, S) {
    const { training, momentum, eps, channels } = form;
    if (training && count(form.size) * form.images < 2) throw new Problem("One value per channel has no variance: training needs at least two.");
    if (training && !(eps > 0)) throw new Problem("Epsilon must be more than 0 in training: a constant channel would be divided by 0.");
    if (!training && !form.running) throw new Problem("Without running statistics there is nothing to normalise by: switch them on, or train.");
    const old = S.arrays;
    const part = (name, wanted, standard) => wanted && { [name]: resized(old[name] ?? zeros([0]), [channels], () => standard) };
    const arrays = {
      input: resized(old.input, [form.images, channels, ...form.size], fresh("input")),
      ...part("weight", form.weight, 1), ...part("bias", form.bias, 0),
      ...part("running_mean", form.running, 0), ...part("running_var", form.running, 1),
    };
    return { ...S, arrays, options: { training, momentum, eps }, gradient: resized(S.gradient, arrays.input.shape, fresh("gradient")) };
  },

  compute(S) {
    const { input, weight, bias, running_mean: runningMean, running_var: runningVar } = S.arrays;
    const { training, momentum, eps } = S.options;
    const [N, C, H, W] = input.shape;
    const m = N * H * W;
    const channels = Array.from({ length: C }, () => ({ mean: 0, variance: 0, gradients: 0, products: 0 }));
    const channelOf = (k) => Math.floor(k / (H * W)) % C;
    const { values } = input;
    for (let k = 0; k < values.length; k++) channels[channelOf(k)].mean += values[k] / m;
    for (let k = 0; k < values.length; k++) channels[channelOf(k)].variance += (values[k] - channels[channelOf(k)].mean) ** 2 / m;
    const running = { mean: zeros([C]), variance: zeros([C]) };
    channels.forEach((channel, c) => {
      Object.assign(channel, { batchMean: channel.mean, batchVariance: channel.variance, unbiased: (channel.variance * m) / (m - 1) });
      if (runningMean) {
        channel.before = [runningMean.values[c], runningVar.values[c]];
        channel.after = training ? [(1 - momentum) * channel.before[0] + momentum * channel.mean, (1 - momentum) * channel.before[1] + momentum * channel.unbiased] : channel.before;
        [running.mean.values[c], running.variance.values[c]] = channel.after;
      }
      if (!training) [channel.mean, channel.variance] = channel.before;
      channel.invstd = 1 / Math.sqrt(channel.variance + eps);
      channel.weight = weight ? weight.values[c] : 1;
      channel.bias = bias ? bias.values[c] : 0;
    });
    const output = zeros(input.shape);
    const normal = zeros(input.shape);
    for (let k = 0; k < values.length; k++) {
      const channel = channels[channelOf(k)];
      normal.values[k] = (values[k] - channel.mean) * channel.invstd;
      output.values[k] = normal.values[k] * channel.weight + channel.bias;
      channel.gradients += S.gradient.values[k];
      channel.products += S.gradient.values[k] * normal.values[k];
    }
    const grad = zeros(input.shape);
    for (let k = 0; k < values.length; k++) {
      const channel = channels[channelOf(k)];
      const own = S.gradient.values[k];
      const rest = training ? channel.gradients / m + (normal.values[k] * channel.products) / m : 0;
      grad.values[k] = channel.weight * channel.invstd * (own - rest);
    }
    const by = (key) => ({ shape: [C], values: Float64Array.from(channels, (channel) => channel[key]) });
    return {
      channels, m, normal, output, grad_output: S.gradient, grad_input: grad,
      ...(weight && { grad_weight: by("products") }), ...(bias && { grad_bias: by("gradients") }),
      ...(runningMean && { new_running_mean: running.mean, new_running_var: running.variance }),
    };
  },

  panels(view) {
    const { focus } = view;
    const images = (name, title, tone) => {
      const array = view.array(name);
      const [N, C, H, W] = array.shape;
      const planes = Array.from({ length: N }, (_, n) => ({ base: (n * C + focus.c) * H * W, label: `${N > 1 ? `image ${n}, ` : ""}channel ${focus.c}` }));
      return { name, title, tone, rows: H, columns: W, planes: few(planes, focus.n ?? 0, Math.min(H, 34) * Math.min(W, 34)) };
    };
    const lines = (names, editable) => names.filter(([name]) => view.array(name)).map(([name, title]) => ({ ...linePanel(name, title, "weight", view.array(name)), editable }));
    if (view.mode === "forward") {
      return [
        { ...images("input", "Input", "image"), editable: true },
        ...lines([["weight", "Weight"], ["bias", "Bias"], ["running_mean", "Running mean"], ["running_var", "Running variance"]], true),
        { ...images("output", "Output", "result"), sign: "→", below: true },
        ...(view.S.options.training ? lines([["new_running_mean", "Running mean afterwards"], ["new_running_var", "Running variance afterwards"]], false) : []),
      ];
    }
    return [
      { ...images("grad_output", "Gradient with respect to the output", "result"), editable: true },
      { ...images("input", "Input", "image"), editable: true },
      { ...images("grad_input", "Gradient with respect to the input", "image"), sign: "→", below: true },
      ...lines([["grad_weight", "Gradient with respect to the weight"], ["grad_bias", "Gradient with respect to the bias"]], false),
    ];
  },

  focus: ({ index }) => (index.length === 4 ? { n: index[0], c: index[1] } : { c: index[0] }),

  explain(view, { name, index }) {
    const { S, R } = view;
    const c = index.length === 4 ? index[1] : index[0];
    const channel = R.channels[c];
    const source = S.options.training ? "of this batch" : "kept from training";
    const whole = (kind, arrays) => arrays.flatMap((array) => {
      const { shape } = view.array(array);
      return Array.from({ length: count(shape) }, (_, k) => unflat(shape, k)).filter((at) => at[1] === c).map((at) => ({ name: array, index: at, inside: true, kind }));
    });
    const finish = (lines, sentence, marks) => ({ lines, sentence, say: `${spoken(name, index)}: ${written(view.at(name, index), 6)}. ${sentence}`, links: [], tap: 0, marks: [...marks, { name, index, inside: true, kind: "chosen" }] });
    if (index.length === 1) {
      const value = view.at(name, index);
      const formulas = {
        weight: "the normalised numbers are multiplied by it", bias: "it is added at the end",
        running_mean: "moves towards the batch's mean with every training step", running_var: "moves towards the batch's unbiased variance",
        new_running_mean: `(1 − ${S.options.momentum})·${bracketed(channel.before?.[0])} + ${S.options.momentum}·${bracketed(channel.batchMean)}`,
        new_running_var: `(1 − ${S.options.momentum})·${bracketed(channel.before?.[1])} + ${S.options.momentum}·${bracketed(channel.unbiased)}: the unbiased variance`,
        grad_weight: `Σ g·x̂ over the ${R.m} numbers of channel ${c}`, grad_bias: `Σ g over the ${R.m} numbers of channel ${c}`,
      };
      return finish([[{ text: indices(name, index), tone: "weight" }, " = ", { text: written(value, 6), tone: "weight", strong: true }]], `Channel ${c}: ${formulas[name]}.`, whole("window", view.mode === "forward" ? ["input", "output"] : ["grad_output"]));
    }
    const x = view.at("input", index);
    const normal = valueAt(R.normal, index);
    const root = [{ text: bracketed(x), tone: "image" }, ` − ${bracketed(channel.mean)}) / √(${written(channel.variance)} + ${S.options.eps})`];
    if (view.mode === "forward") {
      return finish([
        [`mean ${written(channel.mean, 6)}, variance ${written(channel.variance, 6)} (${source})`],
        [{ text: indices("output", index), tone: "result" }, " = (", ...root, "·", { text: bracketed(channel.weight), tone: "weight" }, " + ", { text: bracketed(channel.bias), tone: "weight" }, " = ", { text: written(view.at("output", index), 6), tone: "result", strong: true }],
      ], `The statistics are taken over the ${R.m} numbers of channel ${c}, in all images.`, [...whole("window", S.options.training ? ["input"] : []), { name: "input", index, inside: true, kind: "now" }, { name: "output", index, inside: true, kind: "now" }]);
    }
    const own = view.at("grad_output", index);
    const scale = channel.weight * channel.invstd;
    const terms = S.options.training
      ? [{ text: bracketed(own), tone: "result" }, " − ", { text: bracketed(channel.gradients / R.m), tone: "notice" }, " − ", { text: bracketed((normal * channel.products) / R.m), tone: "weight" }]
      : [{ text: bracketed(own), tone: "result" }];
    return finish([
      S.options.training ? ["weight / √(var + eps) · (g − mean(g) − x̂·mean(g·x̂)), with x̂ = (", ...root, ` = ${written(normal)}`] : ["weight / √(var + eps) · g: the statistics are constants here"],
      [{ text: indices("grad_input", index), tone: "image" }, ` = ${written(scale)} · (`, ...terms, ") = ", { text: written(view.at("grad_input", index), 6), tone: "image", strong: true }],
    ], S.options.training ? "Its own gradient; less the mean gradient, because the mean moves with this pixel; less x̂ times the mean of g·x̂, because the variance does." : "In evaluation the statistics do not depend on the input, so one term is left.", [...whole("window", S.options.training ? ["grad_output"] : []), ...["input", "grad_output", "grad_input"].map((array) => ({ name: array, index, inside: true, kind: "now" }))]);
  },

  facts(view) {
    const [N, C, H, W] = view.S.arrays.input.shape;
    const learned = ["weight", "bias"].filter((name) => view.S.arrays[name]);
    return [
      ["Numbers per channel", `N·H·W = ${N}·${H}·${W} = ${view.R.m}`],
      ["Parameters", learned.length ? `${learned.length}·${C} = ${learned.length * C}` : "0"],
      ["Variance", "divided by m to normalise, by m − 1 for the running variance"],
    ];
  },

  call({ arrays, options }) {
    const words = ["input", arrays.running_mean ? "running_mean" : "None", arrays.running_var ? "running_var" : "None"];
    for (const name of ["weight", "bias"]) if (arrays[name]) words.push(`${name}=${name}`);
    return `F.batch_norm(${[...words, `training=${options.training ? "True" : "False"}`, `momentum=${options.momentum}`, `eps=${options.eps}`].join(", ")})`;
  },

  rungs: [STATISTICS, THREE_TERMS],
};
