// The lines below the grids: how a number comes about, in the colours of the arrays that its parts come from.

function words(line) {
  return line.filter((word) => word !== "").map((word) => {
    if (typeof word === "string") return document.createTextNode(word);
    if (word.parts) {
      const names = ["term", word.chip && "chip", word.now && "now", word.aside && "aside"].filter(Boolean);
      return make("span", { class: names.join(" "), "data-term": word.term }, ...words(word.parts));
    }
    return make(word.strong ? "strong" : "span", { class: `tone-${word.tone}` }, word.text);
  });
}

function showExplanation(root, sentence, explanation) {
  root.replaceChildren(...explanation.lines.map((line) => make("p", { class: "line" }, ...words(line))));
  sentence.textContent = explanation.sentence;
}

// The lines of PyTorch that compute what the page shows.
function programOf(operation, S, results) {
  const number = (value) => (Number.isFinite(value) ? exact(value) : `float("${exact(value).toLowerCase()}")`);
  const tensor = (name, array, gradient) => {
    if (array.values.length > 4096) return `${name} = torch.randn(${array.shape.join(", ")}, dtype=torch.float64${gradient ? ", requires_grad=True" : ""})  # ${array.values.length} numbers, too many to write`;
    const whole = name === "target";
    const shaped = array.shape.length === 1 ? "" : `.reshape(${array.shape.length ? array.shape.join(", ") : "()"})`;
    const numbers = array.values.length ? Array.from(array.values, number).join(", ") : "";
    return `${name} = torch.tensor([${numbers}]${whole ? "" : ", dtype=torch.float64"})${shaped}${gradient ? ".requires_grad_()" : ""}`;
  };
  const names = Object.keys(S.arrays);
  const differentiable = names.filter((name) => results[`grad_${name}`]);
  const plain = names.filter((name) => !differentiable.includes(name));
  return [
    "import torch",
    "import torch.nn.functional as F",
    "",
    ...[...differentiable, ...plain].map((name) => tensor(name, S.arrays[name], differentiable.includes(name))),
    tensor("grad_output", S.gradient, false),
    `output = ${operation.call(S)}`,
    "output.backward(grad_output)",
    `print(output, ${differentiable.map((name) => `${name}.grad`).join(", ")}, sep="\\n")`,
  ].join("\n");
}
