// The settings in the page's address: only what differs from how the page was made.

// {kernel: "3,3", …} out of "#kernel=3,3&…".
const parameters = (hash) => new Map(hash.replace(/^#/, "").split("&").filter(Boolean).map((part) => {
  const [key, ...rest] = part.split("=");
  return [decode(key), decode(rest.join("="))];
}));

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Problem("The page's address is damaged; these are the settings before it was opened.");
  }
}

const settingText = (setting, value) => {
  if (setting.kind === "padding") return value.mode === "number" ? String(value.numbers[0]) : value.mode === "pair" ? value.numbers.join() : value.mode;
  return String(setting.kind === "check" ? Number(value) : value);
};

const arrayText = ({ shape, values }) => `${shape.join("x")}:${Array.from(values, exact).join()}`;

function arrayFromText(text, name) {
  const [sizes, numbers] = text.split(":");
  const shape = sizes ? sizes.split("x").map(Number) : [];
  const values = (numbers ?? "").split(",").map((number) => typed(number));
  const known = shape.every((size) => Number.isInteger(size) && size > 0) && values.every((value) => value !== null);
  if (!known || count(shape) !== values.length || values.length > 1e6) throw new Problem(`The address has no numbers for ${name} that fit its shape.`);
  return { shape, values: Float64Array.from(values) };
}

// A setting as text (parts separated by commas) as the value that an operation takes.
function settingValue(setting, text) {
  const whole = (part, name = setting.label) => {
    const value = typed(part);
    const { min, max } = setting;
    if (value === null || !Number.isInteger(value) || value < min || value > max) throw new Problem(`${name} must be a whole number from ${min} to ${max}${part.trim() ? `, not ${part.trim().slice(0, 20)}` : ""}.`);
    return value;
  };
  const parts = text.split(",");
  switch (setting.kind) {
    case "check":
      return text === "1";
    case "choice":
      if (!setting.choices.includes(text)) throw new Problem(`${setting.label} must be one of ${setting.choices.join(", ")}.`);
      return text;
    case "real": {
      const value = typed(text);
      if (value === null || !(value >= setting.min && value <= setting.max)) throw new Problem(`${setting.label} must be a number from ${setting.min} to ${setting.max}.`);
      return value;
    }
    case "padding":
      if (setting.words.includes(text)) return { mode: text, numbers: [0, 0] };
      return { mode: parts.length > 1 ? "pair" : "number", numbers: pairOf(parts.slice(0, 2).map((part) => whole(part))) };
    default:
      return setting.parts === 2 ? pairOf(parts.slice(0, 2).map((part, a) => whole(part, parts.length > 1 ? `${setting.label}, ${AXES[a]},` : setting.label))) : whole(text);
  }
}

function addressOf(view, initial) {
  const { operation, S } = view;
  const [form, before] = [operation.form(S), operation.form(initial.S)];
  const words = [];
  for (const setting of operation.settings) {
    const text = settingText(setting, form[setting.key]);
    if (text !== settingText(setting, before[setting.key])) words.push(`${setting.key}=${text}`);
  }
  const arrays = { ...S.arrays, grad_output: S.gradient };
  const old = { ...initial.S.arrays, grad_output: initial.S.gradient };
  for (const [name, array] of Object.entries(arrays)) {
    const text = arrayText(array);
    if (!old[name] || arrayText(old[name]) !== text) words.push(`array.${name}=${text}`);
  }
  if (view.mode !== "forward") words.push(`direction=${view.mode}`);
  if (view.rung !== operation.rungs[0].id) words.push(`tab=${view.rung}`);
  if (view.pixel.join() !== initial.pixel.join()) words.push(`at=${view.pixel.join()}`);
  return words.length ? `#${words.join("&")}` : "";
}

// What an address says: {S, mode, rung, pixel}. Raises a Problem for what cannot be.
function fromAddress(hash, operation, initial) {
  const given = parameters(hash);
  const form = operation.form(initial.S);
  for (const setting of operation.settings) if (given.has(setting.key)) form[setting.key] = settingValue(setting, given.get(setting.key));
  const arrays = { ...initial.S.arrays };
  let { gradient } = initial.S;
  for (const [key, text] of given) {
    if (!key.startsWith("array.")) continue;
    const name = key.slice(6);
    const array = arrayFromText(text, name);
    const rank = name === "grad_output" ? null : name === "input" ? initial.S.arrays.input.shape.length : (initial.S.arrays[name]?.shape.length ?? 1);
    if (rank !== null && array.shape.length !== rank) throw new Problem(`The address has no numbers for ${name} that fit its shape.`);
    if (name === "grad_output") gradient = array;
    else arrays[name] = array;
  }
  const S = operation.build(form, { ...initial.S, arrays, gradient });
  const mode = given.get("direction") === "backward" ? "backward" : "forward";
  const rung = operation.rungs.find(({ id }) => id === given.get("tab"))?.id ?? operation.rungs[0].id;
  const pixel = given.has("at") ? given.get("at").split(",").map(Number) : initial.pixel;
  return { S, mode, rung, pixel };
}
