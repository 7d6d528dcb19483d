// Arrays in row-major order, and how their numbers are written.

class Problem extends Error {} // a sentence for the reader about settings that cannot be computed

const count = (shape) => shape.reduce((product, size) => product * size, 1);

const zeros = (shape) => ({ shape, values: new Float64Array(count(shape)) });

// An array out of JSON, where NaN and infinity are strings.
const revived = ({ shape, values }) => ({ shape, values: Float64Array.from(values, Number) });

function flat(shape, index) {
  let k = 0;
  for (let i = 0; i < shape.length; i++) k = k * shape[i] + index[i];
  return k;
}

function unflat(shape, k) {
  const index = new Array(shape.length);
  for (let i = shape.length - 1; i >= 0; i--) {
    index[i] = k % shape[i];
    k = Math.floor(k / shape[i]);
  }
  return index;
}

const valueAt = (array, index) => array.values[flat(array.shape, index)];

// The array with another shape: what both shapes have keeps its number, what is new gets fresh(k).
function resized(array, shape, fresh) {
  if (array.shape.length === shape.length && array.shape.every((size, i) => size === shape[i])) return array;
  const result = zeros(shape);
  for (let k = 0; k < result.values.length; k++) {
    const index = unflat(shape, k);
    const kept = index.every((i, axis) => i < array.shape[axis]);
    result.values[k] = kept ? valueAt(array, index) : fresh(k);
  }
  return result;
}

// Whole numbers from least to most, the same ones for the same seed (mulberry32, a public-domain generator).
function drawer(seed, least, most) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return least + Math.floor((((bits ^ (bits >>> 14)) >>> 0) / 4294967296) * (most - least + 1));
  };
}

const drawn = (shape, seed, least, most) => {
  const array = zeros(shape);
  const draw = drawer(seed, least, most);
  for (let k = 0; k < array.values.length; k++) array.values[k] = draw();
  return array;
};

// A number for the eye: whole numbers whole, others with so many digits, but no fewer than stand before the point.
function written(value, digits = 4) {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  let text;
  if (Number.isInteger(value) && size < 10 ** (digits + 2)) text = String(value);
  else if (size < 10 ** -digits || size >= 10 ** (digits + 2)) text = value.toExponential(Math.min(digits - 1, 2));
  else text = String(Number(value.toPrecision(Math.max(digits, Math.floor(Math.log10(size)) + 1))));
  return text.replaceAll("-", "−").replace("e+", "e");
}

// A number for a narrow cell: with as many digits as fit into so many characters.
function fitting(value, characters) {
  for (const digits of [3, 2, 1]) {
    const text = written(value, digits);
    if (text.length <= characters) return text;
    const shorter = text.replace(/^(−?)0\./, "$1.");
    if (digits === 2 && shorter.length <= characters) return shorter;
  }
  const short = value.toExponential(0).replace("-", "−").replace("-", "−").replace("e+", "e");
  return short.length <= characters ? short : "…";
}

// A number for a program: every digit.
const exact = (value) => (Number.isFinite(value) ? String(Object.is(value, -0) ? 0 : value) : Number.isNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");

// What somebody typed, as a number; null if it is none.
function typed(text) {
  const plain = text.trim().replaceAll("−", "-").replace(",", ".").toLowerCase();
  const special = { nan: NaN, inf: Infinity, "+inf": Infinity, "-inf": -Infinity, infinity: Infinity, "-infinity": -Infinity, "∞": Infinity, "-∞": -Infinity };
  if (plain in special) return special[plain];
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/.test(plain)) return null;
  const value = Number(plain);
  return Number.isFinite(value) ? value : null;
}

const indices = (name, index) => (index.length ? `${name}[${index.join(", ")}]` : name);
const plural = (number, one, many = `${one}s`) => `${number} ${number === 1 ? one : many}`;
