// What several operations need: options as PyTorch takes them, new numbers, panels, and the words of an explanation.

const OPERATIONS = {};

const SPANS = { input: [0, 4], weight: [-2, 2], bias: [-2, 2], gradient: [1, 3] }; // least and largest of drawn numbers
const SEEDS = { input: 1, weight: 2, bias: 3, gradient: 4 };

// Numbers for new places of an array, the same ones every time.
const fresh = (kind) => (k) => drawer(1000 * SEEDS[kind] + k, ...SPANS[kind])();

const pairOf = (value) => (Array.isArray(value) ? (value.length === 1 ? [value[0], value[0]] : value.slice(0, 2)) : [value, value]);

// Padding as the page sets it: {mode, numbers}; out of PyTorch's number, pair or word, or out of [[top, bottom], [left, right]].
function paddingSetting({ padding = 0, padding_given: given = padding }) {
  if (typeof given === "string") return { mode: given, numbers: [0, 0] };
  const numbers = Array.isArray(given) ? pairOf(given).map((one) => (Array.isArray(one) ? one[0] : one)) : pairOf(given);
  return { mode: numbers[0] === numbers[1] ? "number" : "pair", numbers };
}

const pythonPair = ([rows, columns]) => (rows === columns ? String(rows) : `(${rows}, ${columns})`);
const pythonPadding = ({ mode, numbers }) => (mode === "same" || mode === "valid" ? (mode === "valid" ? "0" : '"same"') : pythonPair(numbers));

// The planes worth showing at once: all, or as many around the wanted one as a page can hold.
function few(planes, wanted, size = 1) {
  const most = Math.max(1, Math.min(8, Math.floor(2200 / size)));
  if (planes.length <= most) return planes;
  const first = Math.max(0, Math.min(wanted - (most >> 1), planes.length - most));
  return planes.slice(first, first + most);
}

// A panel for image n of an array (N, C, H, W), a plane for each channel.
function imagePanel(name, title, tone, array, channel, n = 0, pads = null) {
  const [N, C, H, W] = array.shape;
  const planes = Array.from({ length: C }, (_, c) => ({
    base: (n * C + c) * H * W,
    label: [N > 1 ? `image ${n}` : "", C > 1 ? `channel ${c}` : ""].filter(Boolean).join(", "),
  }));
  return { name, title, tone, rows: H, columns: W, pads, planes: few(planes, channel, Math.min(H, 34) * Math.min(W, 34)) };
}

// A panel for an array of one dimension, or none.
const linePanel = (name, title, tone, array) => ({ name, title, tone, rows: 1, columns: count(array.shape), planes: [{ base: 0, label: "" }] });

// Words of an explanation: strings, and {text, tone, strong} or terms {parts, term, now, aside, chip}.
const joined = (items, glue) => items.flatMap((item, k) => (k ? [glue, item] : [item]));
const bracketed = (value) => (value < 0 || Object.is(value, -0) ? `(${written(value)})` : written(value));

const AXIS_NAMES = { 4: ["image", "channel", "row", "column"], 2: ["row", "column"], 1: ["element"], 0: [] };
const NAMES = {
  input: "input", output: "output", weight: "weight", bias: "bias", target: "target", softmax: "softmax",
  grad_output: "gradient of the output", grad_input: "gradient of the input", grad_weight: "gradient of the weight", grad_bias: "gradient of the bias",
};
// A number's place as a screen reader should say it.
const spoken = (name, index) => [NAMES[name] ?? name.replaceAll("_", " "), ...index.map((i, axis) => `${AXIS_NAMES[index.length][axis]} ${i}`)].join(", ");

// An object whose values are computed when somebody first looks at them.
function lazily(makers) {
  const result = {};
  for (const [name, maker] of Object.entries(makers)) {
    Object.defineProperty(result, name, {
      enumerable: true,
      configurable: true,
      get() {
        const value = maker();
        Object.defineProperty(result, name, { value, enumerable: true });
        return value;
      },
    });
  }
  return result;
}
