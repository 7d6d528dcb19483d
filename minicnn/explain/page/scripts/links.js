// A convolution as a set of links: each joins a pixel of the large image, a weight, and a pixel of the small image.
//
// conv2d reads the large image (its input) and writes the small one: every output pixel is the sum of x·w over its links.
// Its gradient with respect to x runs along the same links the other way, and so does conv_transpose2d, whose input is the
// small image. The gradient with respect to a weight is a sum over the links that this weight is part of.

class Links {
  // axes: as convolutionAxes gives them; shape: of the weight (S, L/groups, KH, KW); images: how many there are.
  constructor(axes, groups, shape, images) {
    Object.assign(this, { axes, groups, shape, images });
    this.S = shape[0];
    this.LG = shape[1];
    this.SG = this.S / groups;
    this.small = [images, this.S, axes[0].output, axes[1].output];
    this.large = [images, this.LG * groups, axes[0].size, axes[1].size];
  }

  // All taps of a small pixel's window in the order of a row of the patch matrix; those in the padding are not inside.
  ofSmall([n, s, i, j]) {
    const [rows, columns] = this.axes;
    const first = Math.floor(s / this.SG) * this.LG;
    const found = [];
    for (let p = 0; p < rows.kernel; p++) {
      const h = i * rows.stride - rows.before + p * rows.dilation;
      for (let q = 0; q < columns.kernel; q++) {
        const w = j * columns.stride - columns.before + q * columns.dilation;
        const inside = h >= 0 && h < rows.size && w >= 0 && w < columns.size;
        for (let c = 0; c < this.LG; c++) found.push({ small: [n, s, i, j], large: [n, first + c, h, w], weight: [s, c, p, q], inside });
      }
    }
    return found;
  }

  // All windows that see a large pixel.
  ofLarge([n, l, h, w]) {
    const group = Math.floor(l / this.LG);
    const columns = seenBy(this.axes[1], w);
    const found = [];
    for (const { position: i, tap: p } of seenBy(this.axes[0], h)) {
      for (const { position: j, tap: q } of columns) {
        for (let s = group * this.SG; s < (group + 1) * this.SG; s++) {
          found.push({ small: [n, s, i, j], large: [n, l, h, w], weight: [s, l % this.LG, p, q], inside: true });
        }
      }
    }
    return found;
  }

  // All products that a weight enters.
  ofWeight([s, c, p, q]) {
    const l = Math.floor(s / this.SG) * this.LG + c;
    const found = [];
    for (let n = 0; n < this.images; n++) {
      for (let i = 0; i < this.axes[0].output; i++) {
        const h = i * this.axes[0].stride - this.axes[0].before + p * this.axes[0].dilation;
        if (h < 0 || h >= this.axes[0].size) continue;
        for (let j = 0; j < this.axes[1].output; j++) {
          const w = j * this.axes[1].stride - this.axes[1].before + q * this.axes[1].dilation;
          if (w >= 0 && w < this.axes[1].size) found.push({ small: [n, s, i, j], large: [n, l, h, w], weight: [s, c, p, q], inside: true });
        }
      }
    }
    return found;
  }

  // visit(k of the small, the large and the weight) for every link inside the image.
  each(visit) {
    const [rows, columns] = this.axes;
    const tapsOfRow = Array.from({ length: rows.output }, (_, i) => tapsInside(rows, i));
    const tapsOfColumn = Array.from({ length: columns.output }, (_, j) => tapsInside(columns, j));
    const C = this.LG * this.groups;
    for (let n = 0; n < this.images; n++) {
      for (let s = 0; s < this.S; s++) {
        const first = Math.floor(s / this.SG) * this.LG;
        for (let i = 0; i < rows.output; i++) {
          for (let j = 0; j < columns.output; j++) {
            const small = ((n * this.S + s) * rows.output + i) * columns.output + j;
            for (const { tap: p, at: h } of tapsOfRow[i]) {
              for (const { tap: q, at: w } of tapsOfColumn[j]) {
                for (let c = 0; c < this.LG; c++) {
                  const large = ((n * C + first + c) * rows.size + h) * columns.size + w;
                  visit(small, large, ((s * this.LG + c) * rows.kernel + p) * columns.kernel + q);
                }
              }
            }
          }
        }
      }
    }
  }

  toSmall(large, weight) {
    const result = zeros(this.small);
    this.each((s, l, w) => { result.values[s] += large.values[l] * weight.values[w]; });
    return result;
  }

  toLarge(small, weight) {
    const result = zeros(this.large);
    this.each((s, l, w) => { result.values[l] += small.values[s] * weight.values[w]; });
    return result;
  }

  toWeight(large, small) {
    const result = zeros(this.shape);
    this.each((s, l, w) => { result.values[w] += small.values[s] * large.values[l]; });
    return result;
  }
}

// Σ over everything but the channels: what a bias gets.
function channelSums(array) {
  const [N, C, H, W] = array.shape;
  const sums = zeros([C]);
  for (let k = 0; k < array.values.length; k++) sums.values[Math.floor(k / (H * W)) % C] += array.values[k];
  return sums;
}

// The bias of each channel added to its image, in place.
function addBias(array, bias) {
  const [, C, H, W] = array.shape;
  if (bias) for (let k = 0; k < array.values.length; k++) array.values[k] += bias.values[Math.floor(k / (H * W)) % C];
  return array;
}
