// The page: what is chosen, what is shown, and what happens when somebody points, types or plays.

Object.assign(OPERATIONS, {
  conv2d: convolutionOperation(false),
  conv_transpose2d: convolutionOperation(true),
  max_pool2d: poolingOperation(true),
  avg_pool2d: poolingOperation(false),
  batch_norm: batchNorm,
  cross_entropy: crossEntropy,
});

const { state, context } = JSON.parse(byId("state").textContent);
const operation = OPERATIONS[state.op];

// The state that the page was made with, as operations take it.
function initialState() {
  const arrays = Object.fromEntries(Object.entries(state.arrays).filter(([, array]) => array).map(([name, array]) => [name, revived(array)]));
  if (state.op === "batch_norm") arrays.input.shape = [...arrays.input.shape.slice(0, 2), ...[1, 1, ...arrays.input.shape.slice(2)].slice(-2)];
  const given = state.results?.grad_output;
  const gradient = given ? revived(given) : { shape: [0], values: new Float64Array(0) };
  if (state.op === "batch_norm" && given) gradient.shape = arrays.input.shape;
  const S = { arrays, options: operation.read(state.options), gradient };
  return operation.build(operation.form(S), S);
}

const view = {
  operation, context, mode: "forward", rung: operation.rungs[0].id, tap: 0, focus: {}, pixel: [],
  array: (name) => view.S.arrays[name] ?? view.R[name],
  at: (name, index) => valueAt(view.array(name), index),
};
const firstState = initialState();
const panels = new Map();
const spare = new Map(); // panels that the other direction shows
let pinned = null; // the chosen number: {name, index}
let pointed = null; // the one under the pointer
let playing = null;

const sweptShape = () => view.array(operation.swept(view.mode)).shape;
const clamped = (index, shape) => shape.map((size, axis) => (Number.isInteger(index[axis]) ? Math.max(0, Math.min(index[axis], size - 1)) : 0));
const atOf = () => {
  const shape = sweptShape();
  const at = state.at ?? [];
  return clamped(at.length === shape.length ? at : shape.map(() => 0), shape);
};

// ---- drawing

function draw() {
  const chosen = pointed ?? pinned;
  Object.assign(view.focus, operation.focus(chosen));
  if (operation.pixels.includes(chosen.name)) view.pixel = clamped(chosen.index, sweptShape());
  drawPanels(chosen);
  const explanation = operation.explain(view, chosen);
  view.explanation = explanation;
  for (const [name, panel] of panels) panel.mark(explanation.marks.filter((mark) => mark.name === name));
  showExplanation(byId("lines"), byId("sentence"), explanation);
  drawRung();
  drawSweep(explanation);
}

function drawPanels(chosen) {
  const specs = operation.panels(view);
  const stage = byId("panels");
  const width = stage.clientWidth;
  const names = specs.map(({ name }) => name);
  for (const [name, panel] of [...panels]) {
    if (names.includes(name)) continue;
    spare.set(name, panel);
    panels.delete(name);
  }
  for (const spec of specs) {
    if (!panels.has(spec.name)) panels.set(spec.name, spare.get(spec.name) ?? new Panel());
    const array = view.array(spec.name);
    const own = chosen.name === spec.name ? flat(array.shape, chosen.index) : null;
    const pin = pinned.name === spec.name ? flat(array.shape, clamped(pinned.index, array.shape)) : null;
    panels.get(spec.name).update(spec, array, own ?? pin ?? companion(spec.name, chosen), Math.min(width - (spec.sign ? 44 : 0), 560));
    panels.get(spec.name).reachable(pin);
  }
  const order = specs.map(({ name, sign: mark }) => `${name}${mark ?? ""}`).join();
  if (stage.dataset.order === order) return;
  stage.dataset.order = order;
  const focused = document.activeElement?.closest?.(".panel") ? document.activeElement : null;
  stage.replaceChildren(...specs.flatMap((spec) => {
    const { figure } = panels.get(spec.name);
    return [...(spec.below ? [make("div", { class: "break" })] : []), spec.sign ? make("div", { class: "signed" }, sign(spec.sign), figure) : figure];
  }));
  focused?.focus();
}

// The number of another array of the same shape that belongs to the chosen one, so that large images are shown at the same place.
function companion(name, chosen) {
  const array = view.array(name);
  const from = view.array(chosen.name);
  return array.shape.length === 4 && from.shape.length === 4 && !["weight", "grad_weight"].includes(name) && !["weight", "grad_weight"].includes(chosen.name)
    ? flat(array.shape, clamped(chosen.index.map((i, axis) => Math.floor((i * array.shape[axis]) / from.shape[axis])), array.shape))
    : null;
}

function drawRung() {
  const rung = operation.rungs.find(({ id }) => id === view.rung);
  byId(`rung-${rung.id}`).replaceChildren(...rung.draw(view));
}

function drawSweep({ links, tap }) {
  const swept = operation.swept(view.mode);
  const slider = byId("position");
  slider.max = view.array(swept).values.length - 1;
  slider.value = flat(sweptShape(), view.pixel);
  slider.setAttribute("aria-valuetext", spoken(swept, view.pixel));
  byId("position-name").textContent = indices(swept, view.pixel);
  const most = Math.max(links.length - 1, 0);
  const products = byId("product");
  products.max = most;
  products.value = tap;
  byId("product-name").textContent = links.length ? `${tap + 1} of ${links.length}` : "–";
}

function drawFacts() {
  byId("facts").replaceChildren(...operation.facts(view).flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, text)]));
  byId("call").textContent = operation.call(view.S);
  if (byId("whole").open) writeProgram();
}

function writeProgram() {
  byId("program").textContent = programOf(operation, view.S, view.R);
}

// ---- choosing

function choose(name, index, { focus = false, tap = 0 } = {}) {
  pinned = { name, index };
  pointed = null;
  view.tap = tap;
  draw();
  if (focus) reach(name, index);
  byId("live").textContent = view.explanation.say;
  remember(false);
}

// Give the keyboard the chosen number, and bring it into sight.
function reach(name, index) {
  const stop = panels.get(name)?.stop(flat(view.array(name).shape, index));
  stop?.focus({ preventScroll: true });
  stop?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

function choosePixel(k, tap = 0) {
  const shape = sweptShape();
  choose(operation.swept(view.mode), unflat(shape, Math.max(0, Math.min(k, count(shape) - 1))), { tap });
}

function chooseTap(tap) {
  if (tap === view.tap) return;
  view.tap = tap;
  draw();
}

// The number under the pointer, or the one that has the keyboard.
const numberOf = ({ target, offsetX, offsetY }) => {
  const k = target.numberAt ? target.numberAt(offsetX, offsetY) : target.closest?.(".cell")?.k;
  if (k === undefined) return null;
  const { name } = target.closest(".panel").dataset;
  return { k, name, index: unflat(view.array(name).shape, k) };
};

function point(found) {
  const same = pointed && found && pointed.name === found.name && String(pointed.index) === String(found.index);
  if (same || (!found && !pointed)) return;
  pointed = found && { name: found.name, index: found.index };
  view.tap = 0;
  draw();
}

// ---- changing

function problem(sentence, input = null) {
  byId("problem").textContent = sentence;
  for (const element of document.querySelectorAll("[aria-invalid]")) element.removeAttribute("aria-invalid");
  if (sentence && input) input.setAttribute("aria-invalid", "true");
}

// Do what may raise a Problem; what it says is shown, and the last valid state stays.
function attempt(act, input = null) {
  try {
    act();
    problem("");
    return true;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    problem(error.message, input);
    return false;
  }
}

function take(S) {
  const R = operation.compute(S);
  Object.assign(view, { S, R });
  view.pixel = clamped(view.pixel, sweptShape());
  const array = pinned && view.array(pinned.name);
  pinned = array && array.shape.length === pinned.index.length ? { ...pinned, index: clamped(pinned.index, array.shape) } : { name: operation.swept(view.mode), index: view.pixel };
  pointed = null;
  draw();
  drawFacts();
}

function change(S, typing = null) {
  take(S);
  controls.show(operation.form(S), typing);
  remember(true);
}

function changeNumber(name, k, text) {
  return attempt(() => {
    const value = typed(text);
    if (value === null) throw new Problem(`${text.trim().slice(0, 20) || "Nothing"} is not a number.`);
    const replaced = (array) => ({ shape: array.shape, values: array.values.with(k, value) });
    const S = name === "grad_output" ? { ...view.S, gradient: replaced(view.S.gradient) } : { ...view.S, arrays: { ...view.S.arrays, [name]: replaced(view.S.arrays[name]) } };
    change(operation.build(operation.form(S), S));
  });
}

// A field in a cell, in which its number is typed.
function edit({ k, name, index }, text) {
  if (!panels.get(name).spec.editable) return;
  const input = make("input", { class: "edit", type: "text", inputmode: "text", autocomplete: "off", "aria-label": `New number for ${spoken(name, index)}` });
  input.value = text ?? exact(view.at(name, index));
  let open = true;
  const close = (keep) => {
    if (!open) return;
    open = false;
    const typedText = input.value;
    input.remove();
    if (keep) changeNumber(name, k, typedText);
    reach(name, index);
  };
  input.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Enter" || event.key === "Tab") close(true);
    if (event.key === "Escape") close(false);
  });
  input.addEventListener("blur", () => close(true));
  panels.get(name).stop(k).append(input);
  input.focus();
  if (text === undefined) input.select();
}

function newNumbers() {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const draws = { input: "input", weight: "weight", bias: "bias" };
  const arrays = { ...view.S.arrays };
  for (const [name, kind] of Object.entries(draws)) if (arrays[name]) arrays[name] = drawn(arrays[name].shape, seed + SEEDS[kind], ...SPANS[state.op === "cross_entropy" ? "gradient" : kind]);
  const gradient = drawn(view.S.gradient.shape, seed + SEEDS.gradient, ...SPANS.gradient);
  attempt(() => change(operation.build(operation.form(view.S), { ...view.S, arrays, gradient })));
}

function turn(mode) {
  view.mode = mode;
  byId(mode).checked = true;
  byId("lead").textContent = mode === "forward" ? operation.lead : operation.backward;
}

// ---- the address

const initial = {};
let remembering = null;

function remember(push) {
  clearTimeout(remembering);
  const write = () => {
    const address = addressOf(view, initial);
    if (address === location.hash) return;
    try {
      history[push ? "pushState" : "replaceState"](null, "", address || location.pathname + location.search);
    } catch {
      // a frame without an address of its own, such as a notebook's
    }
  };
  if (push) requestAnimationFrame(() => setTimeout(write)); // when the change is on the screen
  else remembering = setTimeout(write, 400); // browsers limit how often an address may change
}

function open(hash) {
  return attempt(() => {
    const found = fromAddress(hash, operation, initial);
    const R = operation.compute(found.S);
    Object.assign(view, { S: found.S, R, rung: found.rung });
    turn(found.mode);
    view.pixel = clamped(found.pixel, sweptShape());
    pinned = { name: operation.swept(view.mode), index: view.pixel };
    view.tap = 0;
    showTab(view.rung);
    take(found.S);
    controls.show(operation.form(found.S));
  });
}

// ---- tabs, playing, colours

function showTab(id) {
  view.rung = id;
  for (const rung of operation.rungs) {
    const chosen = rung.id === id;
    byId(`tab-${rung.id}`).setAttribute("aria-selected", String(chosen));
    byId(`tab-${rung.id}`).setAttribute("tabindex", chosen ? "0" : "-1");
    byId(`rung-${rung.id}`).hidden = !chosen;
  }
}

function buildTabs() {
  for (const { id, label } of operation.rungs) {
    byId("tabs").append(make("button", { type: "button", role: "tab", id: `tab-${id}`, "aria-controls": `rung-${id}`, onclick: () => { showTab(id); drawRung(); remember(true); } }, label));
    byId("rungs").append(make("div", { role: "tabpanel", id: `rung-${id}`, class: "rung", "aria-labelledby": `tab-${id}`, tabindex: "0" }));
  }
  byId("tabs").addEventListener("keydown", (event) => {
    const ids = operation.rungs.map(({ id }) => id);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = ids[(ids.indexOf(view.rung) + step + ids.length) % ids.length];
    byId(`tab-${next}`).click();
    byId(`tab-${next}`).focus();
  });
}

function advance() {
  const position = Number(byId("position").value);
  const last = Number(byId("position").max);
  const { links, tap } = view.explanation;
  if (byId("pace").value === "product" && tap < links.length - 1) chooseTap(tap + 1);
  else choosePixel(position === last ? 0 : position + 1);
}

function play(on) {
  clearInterval(playing);
  playing = on ? setInterval(advance, byId("pace").value === "product" ? 500 : 800) : null;
  byId("play").setAttribute("aria-pressed", String(on));
  byId("play").textContent = on ? "Pause" : "Play";
}

function listen() {
  byId("whole").addEventListener("toggle", () => byId("whole").open && writeProgram());
  const stage = byId("panels");
  stage.addEventListener("pointermove", (event) => event.pointerType !== "touch" && !stage.querySelector(".edit") && point(numberOf(event)));
  stage.addEventListener("pointerleave", () => !stage.querySelector(".edit") && point(null));
  stage.addEventListener("click", (event) => {
    const found = numberOf(event);
    if (!found || event.target.closest(".edit")) return;
    const again = pinned.name === found.name && String(pinned.index) === String(found.index) && document.activeElement === panels.get(found.name).stop(found.k);
    choose(found.name, found.index, { focus: true });
    if (again) edit(found);
  });
  stage.addEventListener("keydown", (event) => {
    const found = numberOf(event);
    if (!found || event.ctrlKey || event.metaKey || event.altKey) return;
    const panel = panels.get(found.name);
    const next = panel.step(found.k, event.key);
    if (next !== undefined) {
      event.preventDefault();
      if (next !== null) choose(found.name, unflat(view.array(found.name).shape, next), { focus: true });
    } else if (event.key === "Enter" || event.key === "F2") {
      event.preventDefault();
      edit(found);
    } else if (/^[-+.,0-9∞]$/.test(event.key)) {
      event.preventDefault();
      edit(found, event.key);
    }
  });
  stage.addEventListener("focusin", (event) => {
    const found = numberOf(event);
    if (found && !event.target.closest(".edit") && (pinned.name !== found.name || String(pinned.index) !== String(found.index))) choose(found.name, found.index);
  });
  byId("lines").addEventListener("pointerover", (event) => {
    const term = event.target.closest("[data-term]");
    if (term) chooseTap(Number(term.dataset.term));
  });
  byId("position").addEventListener("input", (event) => choosePixel(Number(event.target.value)));
  byId("product").addEventListener("input", (event) => chooseTap(Number(event.target.value)));
  byId("back").addEventListener("click", () => choosePixel(Number(byId("position").value) - 1));
  byId("on").addEventListener("click", () => choosePixel(Number(byId("position").value) + 1));
  byId("play").addEventListener("click", () => play(playing === null));
  byId("pace").addEventListener("change", () => playing !== null && play(true));
  for (const mode of ["forward", "backward"]) {
    byId(mode).addEventListener("change", () => {
      turn(mode);
      pinned = { name: operation.swept(mode), index: clamped(view.pixel, sweptShape()) };
      view.tap = 0;
      take(view.S);
      remember(true);
    });
  }
  byId("new").addEventListener("click", newNumbers);
  byId("reset").addEventListener("click", () => open("") && remember(true));
  byId("copy").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(programOf(operation, view.S, view.R));
      byId("copied").textContent = "Copied.";
    } catch {
      byId("copied").textContent = "This browser does not allow copying here: select the lines below.";
      byId("whole").open = true;
    }
  });
  window.addEventListener("popstate", () => open(location.hash));
  window.addEventListener("resize", () => draw());
  window.addEventListener("beforeprint", () => panels.forEach((panel) => panel.repaint(true)));
}

function chooseColours() {
  const select = byId("colours");
  const repaint = () => {
    paints.clear();
    for (const panel of [...panels.values(), ...spare.values()]) panel.repaint();
  };
  const set = (value) => {
    if (value === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = value;
    select.value = value;
    repaint();
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
  try {
    set(localStorage.getItem("minicnn-colours") ?? "auto");
  } catch {
    set("auto");
  }
  select.addEventListener("change", () => {
    set(select.value);
    try {
      localStorage.setItem("minicnn-colours", select.value);
    } catch {
      // a page without storage forgets the choice
    }
  });
}

// Whether the page's arithmetic gives minicnn's numbers, which came with it.
function agreement() {
  const first = operation.compute(firstState);
  let largest = 0;
  for (const [name, array] of Object.entries(state.results ?? {})) {
    if (!array || !first[name]) continue;
    revived(array).values.forEach((value, k) => {
      const own = first[name].values[k];
      if (!Object.is(value, own) && value !== own) largest = Math.max(largest, Math.abs(value - own) / Math.max(1, Math.abs(value)) || (Number.isNaN(value) === Number.isNaN(own) ? 0 : Infinity));
    });
  }
  return largest < 1e-9
    ? `The numbers that this page opened with were computed by minicnn. After a change the page computes by the same formulas; at the start both ${largest ? `differ by at most ${written(largest, 2)}, which is rounding` : "agree in every digit"}.`
    : `Beware: minicnn's numbers and the page's own differ by ${written(largest, 2)}.`;
}

Object.assign(initial, { S: firstState });
Object.assign(view, { S: firstState, R: operation.compute(firstState) });
initial.pixel = atOf();
view.pixel = initial.pixel;
const controls = new Controls(byId("settings"), operation.settings, operation.form(firstState), (input) => attempt(() => change(operation.build(controls.read(), view.S), input), input));
buildTabs();
chooseColours();
listen();
if (!open(location.hash)) {
  const { textContent } = byId("problem");
  open("");
  problem(textContent);
}
byId("agreement").textContent = agreement();
window.explained = view; // the arrays behind the page, for whoever opens the console
