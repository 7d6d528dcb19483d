// The settings of the operation as a form, read as a whole: values that only fit together can be reached one by one.

class Controls {
  constructor(root, settings, form, changed) {
    this.settings = settings;
    this.inputs = new Map();
    for (const setting of settings) {
      const values = [form[setting.key]].flat().filter((value) => typeof value === "number");
      if (setting.max !== undefined && values.length) setting.max = Math.max(setting.max, ...values); // a larger image than one would type
      root.append(this.field(setting));
    }
    root.addEventListener("input", (event) => {
      this.enable();
      changed(event.target);
    });
    root.addEventListener("submit", (event) => event.preventDefault());
  }

  field(setting) {
    const id = `set-${setting.key}`;
    const number = (suffix, label) => make("input", { id: `${id}${suffix}`, type: "number", inputmode: "numeric", min: setting.min, max: setting.max, step: 1, "aria-label": label, autocomplete: "off" });
    const labelled = (input) => make("div", { class: "field" }, make("label", { for: input.id }, setting.label), input);
    const group = (wide, ...inputs) => make("fieldset", { class: wide ? "field wide" : "field" }, make("legend", {}, setting.label), make("div", { class: "pair" }, ...inputs));
    let inputs;
    let field;
    if (setting.kind === "check") {
      inputs = [make("input", { id, type: "checkbox" })];
      field = make("div", { class: "field check" }, inputs[0], make("label", { for: id }, setting.label));
    } else if (setting.kind === "choice") {
      inputs = [make("select", { id }, ...setting.choices.map((choice) => make("option", { value: choice }, choice)))];
      field = labelled(inputs[0]);
    } else if (setting.kind === "real") {
      inputs = [make("input", { id, type: "text", inputmode: "decimal", autocomplete: "off" })];
      field = labelled(inputs[0]);
    } else if (setting.kind === "padding") {
      const choices = ["number", "pair", ...setting.words];
      inputs = [make("select", { id, "aria-label": "Padding, how it is given" }, ...choices.map((choice) => make("option", { value: choice }, choice))), number("-rows", "Padding, rows"), number("-columns", "Padding, columns")];
      field = group(true, ...inputs);
    } else if (setting.parts === 2) {
      inputs = [number("-rows", `${setting.label}, rows`), number("-columns", `${setting.label}, columns`)];
      field = group(false, inputs[0], make("span", { "aria-hidden": "true" }, "×"), inputs[1]);
    } else {
      inputs = [number("", null)];
      field = labelled(inputs[0]);
    }
    this.inputs.set(setting.key, inputs);
    return field;
  }

  // Show a form's values, but leave what is being typed.
  show(form, typing = null) {
    for (const setting of this.settings) {
      const inputs = this.inputs.get(setting.key);
      const value = form[setting.key];
      if (setting.kind === "check") inputs[0].checked = value;
      else {
        const texts = setting.kind === "padding" ? [value.mode, ...value.numbers] : [value].flat();
        inputs.forEach((input, k) => {
          if (input !== typing && input.value !== String(texts[k])) input.value = String(texts[k]);
        });
      }
    }
    this.enable();
  }

  enable() {
    for (const setting of this.settings.filter(({ kind }) => kind === "padding")) {
      const [mode, rows, columns] = this.inputs.get(setting.key);
      rows.disabled = !["number", "pair"].includes(mode.value);
      columns.disabled = mode.value !== "pair";
    }
  }

  // The form's values. Raises a Problem for what is no value.
  read() {
    const form = {};
    for (const setting of this.settings) {
      const inputs = this.inputs.get(setting.key);
      const texts = inputs.map((input) => (input.type === "checkbox" ? String(Number(input.checked)) : input.value));
      let text = texts.join();
      if (setting.kind === "padding") text = texts[0] === "pair" ? texts.slice(1).join() : texts[0] === "number" ? texts[1] : texts[0];
      form[setting.key] = settingValue(setting, text);
    }
    return form;
  }
}
