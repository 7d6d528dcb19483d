// Where a window lies along one axis: the rules of minicnn/kernels/geometry.py, with a sentence for what cannot be.

const AXES = ["rows", "columns"];
const extentOf = (axis) => (axis.kernel - 1) * axis.dilation + 1;

// Axes of a convolution. size, kernel, stride, dilation: pairs; padding: a pair of [before, after].
function convolutionAxes({ size, kernel, stride, padding, dilation }) {
  return [0, 1].map((a) => {
    const [before, after] = padding[a];
    const axis = { size: size[a], kernel: kernel[a], stride: stride[a], dilation: dilation[a], before, after };
    const room = before + axis.size + after - extentOf(axis);
    if (room < 0) {
      throw new Problem(
        `The window spans ${plural(extentOf(axis), AXES[a].slice(0, -1), AXES[a])}, more than the ${before + axis.size + after} of the padded image: ` +
          "choose a smaller kernel or dilation, a larger image or more padding.",
      );
    }
    axis.output = Math.floor(room / axis.stride) + 1;
    return axis;
  });
}

function paddingOf(mode, numbers, kernel, stride, dilation) {
  if (mode === "valid") return [[0, 0], [0, 0]];
  if (mode !== "same") return numbers.map((number) => [number, number]);
  if (stride[0] !== 1 || stride[1] !== 1) throw new Problem("padding='same' needs stride 1: with a larger stride the output cannot be as large as the input.");
  return [0, 1].map((a) => {
    const total = (kernel[a] - 1) * dilation[a];
    return [Math.floor(total / 2), total - Math.floor(total / 2)];
  });
}

// Axes of a pooling; in ceil mode what a last window sees past the end counts as padding after the image.
function poolingAxes({ size, kernel, stride, padding, dilation, ceilMode }) {
  return [0, 1].map((a) => {
    const axis = { size: size[a], kernel: kernel[a], stride: stride[a], dilation: dilation[a], before: padding[a], given: padding[a] };
    const extent = extentOf(axis);
    if (padding[a] > Math.floor(axis.kernel / 2)) {
      throw new Problem(`Padding ${padding[a]} is more than half of a kernel of ${axis.kernel}: a pooling window must see some of the image.`);
    }
    const room = axis.size + 2 * padding[a] - extent;
    axis.output = Math.floor((room + (ceilMode ? axis.stride - 1 : 0)) / axis.stride) + 1;
    if (ceilMode && (axis.output - 1) * axis.stride >= axis.size + padding[a]) axis.output -= 1;
    if (axis.output < 1) {
      throw new Problem(`The window spans ${extent} ${AXES[a]}, more than the ${axis.size + 2 * padding[a]} of the padded image.`);
    }
    axis.after = Math.max(padding[a], (axis.output - 1) * axis.stride + extent - axis.size - padding[a]);
    for (let i = 0; i < axis.output; i++) {
      if (!tapsInside(axis, i).length) throw new Problem("One of the windows has no tap inside the image: choose less padding or a smaller dilation.");
    }
    return axis;
  });
}

// Axes of the convolution whose gradient with respect to x this transposed convolution is: its image is our output.
function transposedAxes({ size, kernel, stride, padding, outputPadding, dilation }) {
  return [0, 1].map((a) => {
    if (outputPadding[a] >= Math.max(stride[a], dilation[a])) {
      throw new Problem(`Output padding ${outputPadding[a]} must be smaller than the stride (${stride[a]}) or the dilation (${dilation[a]}).`);
    }
    const axis = { kernel: kernel[a], stride: stride[a], dilation: dilation[a], before: padding[a], after: padding[a], output: size[a], extra: outputPadding[a] };
    axis.size = (size[a] - 1) * stride[a] - 2 * padding[a] + extentOf(axis) + outputPadding[a];
    if (axis.size < 1) throw new Problem(`Padding ${padding[a]} takes away all ${AXES[a]} of the output.`);
    return axis;
  });
}

// The taps of output position i that lie inside the image, and where: [{tap, at}].
function tapsInside(axis, i) {
  const found = [];
  for (let tap = 0; tap < axis.kernel; tap++) {
    const at = i * axis.stride - axis.before + tap * axis.dilation;
    if (at >= 0 && at < axis.size) found.push({ tap, at });
  }
  return found;
}

// The output positions that see pixel `at`, and with which tap: [{position, tap}].
function seenBy(axis, at) {
  const found = [];
  for (let tap = 0; tap < axis.kernel; tap++) {
    const distance = at + axis.before - tap * axis.dilation;
    if (distance >= 0 && distance % axis.stride === 0 && distance / axis.stride < axis.output) found.push({ position: distance / axis.stride, tap });
  }
  return found.reverse(); // by position, ascending
}

const sizeFormula = (axis, name) => {
  const padding = axis.before === axis.after ? `2·${axis.before}` : `${axis.before} + ${axis.after}`;
  return `${name} = ⌊(${axis.size} + ${padding} − ${axis.dilation}·(${axis.kernel} − 1) − 1) / ${axis.stride}⌋ + 1 = ${axis.output}`;
};
const transposedFormula = (axis, name) =>
  `${name} = (${axis.output} − 1)·${axis.stride} − 2·${axis.before} + ${axis.dilation}·(${axis.kernel} − 1) + ${axis.extra} + 1 = ${axis.size}`;
const poolingFormula = (axis, name, ceilMode) => {
  const [open, close] = ceilMode ? ["⌈", "⌉"] : ["⌊", "⌋"];
  const size = `${open}(${axis.size} + 2·${axis.given} − ${axis.dilation}·(${axis.kernel} − 1) − 1) / ${axis.stride}${close} + 1`;
  const plain = (axis.size + 2 * axis.given - extentOf(axis)) / axis.stride;
  const without = (ceilMode ? Math.ceil(plain) : Math.floor(plain)) + 1;
  return `${name} = ${size} = ${without}` + (without === axis.output ? "" : `, less the last window, which would start outside: ${axis.output}`);
};
