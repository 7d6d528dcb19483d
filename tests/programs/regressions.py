"""Programs on which minicnn and PyTorch once differed, each as short as it could be made. None may differ again."""

REGRESSIONS = {
    "max pool with the default stride and a padding": """
x = T.from_numpy(reals(1, 6, 1, 6)).requires_grad_()
y = F.max_pool2d(x, (1, 3), padding=(0, 1))
y.backward(T.from_numpy(reals(1, 6, 1, 2)))
""",
    "a view of a convolution's output": """
x = T.from_numpy(reals(1, 9, 1, 2))
weight = T.from_numpy(reals(9, 3, 1, 1))
y = F.conv2d(x, weight, groups=3)
y.unsqueeze(0).view(1, -1).detach().mul_(3.0)
""",
    "a view of a batch norm's output": """
x = T.from_numpy(reals(1, 4, 7))
y = F.batch_norm(x, None, None, training=True)
y.view(28, -1).mul_(0.5)
""",
    "a view of a transposed convolution's output": """
x = T.from_numpy(reals(2, 1, 1))
weight = T.from_numpy(reals(2, 2, 1, 2))
z = F.conv_transpose2d(x, weight).view(1, -1)
""",
    "a view of fold's output": """
columns = T.from_numpy(reals(12, 20))
z = F.fold(columns, (6, 3), (1, 4), padding=(2, 1)).view(54)
""",
    "a write to unfold's output": """
x = T.from_numpy(reals(1, 1, 1))
y = F.unfold(x, (1))
y.mul_(3.0)
""",
    "a write through a flattened convolution": """
x = T.from_numpy(reals(1, 1, 1))
weight = T.from_numpy(reals(2, 1, 1, 1))
y = F.conv2d(x, weight, padding=1)
y.squeeze(0).flatten()[:-1] = 0.5
""",
    "a write through a reshape of a batch norm in evaluation": """
x = T.from_numpy(reals(2, 8, 9))
mean, var = T.from_numpy(reals(8)), T.from_numpy(reals(8) ** 2 + 0.5)
y = F.batch_norm(x, mean, var)
y.reshape(8, 18).clamp_(max=1.5)
""",
    "a view of a batch norm that is written to, then walked back": """
x = T.from_numpy(reals(3, 16, 8, 1)).requires_grad_()
y = F.batch_norm(x, None, None, training=True)
z = y.view(1, -1)
z.mul_(-0.25)
y.backward(T.from_numpy(reals(3, 16, 8, 1)))
""",
    "a flattened batch norm follows a change in place": """
x = T.from_numpy(reals(1, 2, 2))
y = F.batch_norm(x, None, None, training=True)
z = y.flatten(0)
y.add_(y)
""",
    "a reshaped saved value is changed before the backward pass": """
x = T.from_numpy(reals(2, 5, 1, 4)).requires_grad_()
y = (x.abs() + 0.5) ** -0.5
z = F.adaptive_avg_pool2d(y, (5, None))
y.reshape(1, 20, 2).permute(0, 1, 2).reshape(40).clamp_(min=0)
z.backward(T.from_numpy(reals(2, 5, 5, 4)))
""",
    "the input of a batch norm is changed before the backward pass": """
x = T.from_numpy(reals(1, 1, 1)).requires_grad_()
y = T.from_numpy(reals(9, 2)) * x
z = F.batch_norm(y, None, None, training=True)
y -= 0.5
z.backward(T.from_numpy(reals(9, 2, 1).transpose(2, 0, 1)))
""",
    "a write to what expands nothing": """
x = T.from_numpy(reals(4, 2)) * 1.0
y = x.expand(4, -1)
y.mul_(-0.25)
""",
    "an in-place relu of what expands nothing": """
x = T.from_numpy(reals(1, 1))
x.expand(-1, -1).transpose(-1, 1).relu_()
""",
    "assignment to a slice of what expands nothing": """
x = T.from_numpy(reals(2, 5, 2))
x.view(2, -1).transpose(-2, 1).expand(10, 2)[:] = 0.5
""",
    "requires_grad_(False) between forward and backward": """
x = T.from_numpy(reals(9, 3, 6)).requires_grad_()
y = 2 - x
x.requires_grad_(False)
y.backward(T.from_numpy(reals(9, 3, 6)))
""",
    "requires_grad_(False) on a weight between forward and backward": """
x = T.from_numpy(reals(3))
weight = T.from_numpy(reals(6, 3)).requires_grad_()
y = F.linear(x, weight)
weight.requires_grad_(False)
y.backward(T.from_numpy(reals(6)))
""",
    "a leaf flattened to itself": """
x = T.from_numpy(reals(3)).requires_grad_()
y = x.flatten(0)
""",
    "a leaf of several dimensions flattened to itself": """
x = T.from_numpy(reals(1, 1, 1, 1)).requires_grad_()
y = x.flatten(3)
""",
    "dropout that drops nothing gives its argument": """
x = T.from_numpy(reals(3)).requires_grad_()
y = F.dropout(x, 0.0)
""",
    "dropout that drops nothing shares memory": """
x = T.from_numpy(reals(3))
y = F.dropout(x, 0.0)
x.div_(1.5)
""",
    "dropout in place that drops nothing is no change": """
x = T.from_numpy(reals(7, 1, 4, 6)).requires_grad_()
y = x.tanh()
F.dropout(y, 0.0, inplace=True)
y.backward(T.from_numpy(reals(7, 1, 4, 6)))
""",
    "dropout in place that drops nothing may be given a view of a leaf": """
x = T.from_numpy(reals(3)).requires_grad_()
F.dropout(x.view(3, 1), 0.0, inplace=True)
""",
    "a view made without recording tells its base's flag": """
x = T.from_numpy(reals(4)).requires_grad_()
with T.no_grad(): y = x.view(2, 2)
""",
    "a slice made without recording tells its base's flag": """
x = T.from_numpy(reals(4)).requires_grad_()
y = -x
with T.no_grad(): z = y[:, None]
""",
    "autograd.grad fills the gradients that are retained": """
x = T.from_numpy(reals(6, 7)).requires_grad_()
y = x * 2
y.retain_grad()
z, = T.autograd.grad(y, [x], T.from_numpy(reals(6, 7)))
""",
    "autograd.grad fills retained gradients on the way to nothing": """
x = T.from_numpy(reals(3)).requires_grad_()
y = x * 2
y.retain_grad()
other = T.from_numpy(reals(1)).requires_grad_()
z, = T.autograd.grad(y, [other], T.from_numpy(reals(3)), allow_unused=True)
""",
    "a product saves an operand only for the gradient of the other": """
x = T.from_numpy(reals(3, 6, 2, 6)).requires_grad_()
y = x + x
z = y @ T.from_numpy(reals(6, 6))
F.relu(y, inplace=True)
z.backward(T.from_numpy(reals(3, 6, 2, 6)))
""",
    "a quotient by a number saves nothing": """
x = T.from_numpy(reals(9, 1)).requires_grad_()
y = x / 64
with T.no_grad(): x -= 0.5
y.backward(T.from_numpy(reals(9, 1)))
""",
    "the second backward pass through a reflecting padding": """
x = T.from_numpy(reals(2, 16, 6, 9)).requires_grad_()
y = F.pad(x, (3, 1, 0, 1), mode='reflect')
y.backward(T.from_numpy(reals(2, 16, 7, 13)))
y.backward(T.from_numpy(reals(2, 16, 7, 13)))
""",
    "the second backward pass through an adaptive average": """
x = T.from_numpy(reals(2, 9, 2, 2)).requires_grad_()
y = F.adaptive_avg_pool2d(x, 3)
y.backward(T.from_numpy(reals(2, 9, 3, 3)))
y.backward(T.from_numpy(reals(2, 9, 3, 3)))
""",
    "KL divergence of a single number": """
x = T.from_numpy(reals())
y = F.kl_div(x, x.relu())
""",
    "KL divergence of a single number, batch mean": """
x = T.from_numpy(reals())
y = F.kl_div(x, x, log_target=True, reduction='batchmean')
""",
    "a bias that broadcasts": """
x = T.from_numpy(reals(2, 3))
weight, bias = T.from_numpy(reals(5, 3)), T.from_numpy(reals(1))
y = F.linear(x, weight, bias)
""",
    "a standard deviation that is changed before the backward pass": """
x = T.from_numpy(reals(3)).requires_grad_()
y = T.std(x)
y.mul_(1.5)
y.backward(T.from_numpy(reals()))
""",
    "running statistics that are changed before the backward pass": """
x, weight = T.from_numpy(reals(5, 9, 1)), T.from_numpy(reals(9)).requires_grad_()
mean, var = T.from_numpy(reals(9)), T.from_numpy(reals(9) ** 2 + 0.5)
y = F.batch_norm(x, mean, var, weight)
var[:].unsqueeze(0).sub_(3.0)
y.backward(T.from_numpy(reals(5, 9, 1)))
""",
    "the input of an adaptive average is changed before the backward pass": """
x = T.from_numpy(reals(2, 2, 3, 1)).requires_grad_()
y = x * 2
z = F.adaptive_avg_pool2d(y, (3, None))
y.squeeze().view(4, 3).mul_(3.0)
z.backward(T.from_numpy(reals(2, 2, 3, 1)))
""",
    "the input of an average pool is changed before the backward pass": """
x = T.from_numpy(reals(2, 5, 2, 8)).requires_grad_()
y = F.avg_pool2d(x, 2)
with T.no_grad(): x -= 0.5
y.backward(T.from_numpy(reals(2, 5, 1, 4)))
""",
    "a tensor assigned to a view of itself": """
x = T.from_numpy(reals(2))
x.detach().view(1, 2)[...] = x
""",
    "a retained view that is overwritten": """
x = T.from_numpy(reals(9, 2, 2).transpose(2, 0, 1)).requires_grad_()
y = F.fold(x, 3, (1, 3), stride=2)
z = y.view(2, -1)
z.retain_grad()
z[:].reshape(6, 9)[:] = 0.5
z.backward(T.from_numpy(reals(2, 27)))
""",
    "a convolution's input is changed before the backward pass, its weight needs no gradient": """
x = T.from_numpy(reals(2, 2, 3, 4)) * 2.0
weight = T.from_numpy(reals(1, 2, 1, 2)).requires_grad_()
bias = T.from_numpy(reals(1)).requires_grad_()
y = F.conv2d(x, weight.detach(), bias)
x *= 2.0
y.backward(T.from_numpy(reals(2, 1, 3, 3)))
""",
    "a leaky relu in place that is zeroed before the backward pass": """
x = T.from_numpy(reals(2, 6, 4, 2)).requires_grad_()
y = x * 2
F.leaky_relu(y, inplace=True)
z = F.unfold(y, (2, 2))
y.zero_()
z.backward(T.from_numpy(reals(2, 24, 3)))
""",
    "a convolution that pads one side more works on a copy": """
x = T.from_numpy(reals(2, 1, 2, 1)).requires_grad_()
y = x * 2
z = F.conv2d(y, T.from_numpy(reals(2, 1, 2, 1)), padding='same')
y.add_(1.0)
z.backward(T.from_numpy(reals(2, 2, 2, 1)))
""",
    "a tensor of one element written to a longer view of itself": """
t5 = T.from_numpy(reals(1))
t5.permute(0).unsqueeze(-1).expand(2, 2)[:] = t5
""",
    "a tensor written to a view of itself with another axis": """
t3 = T.from_numpy(reals(1))
t3[..., None] = t3
""",
    "a number copied to a view of itself with an axis": """
t6 = T.from_numpy(reals())
t6.flatten(0).copy_(t6)
""",
    "a leaf that was changed in place after its use": """
t0 = T.from_numpy(reals(1)).requires_grad_()
t1 = t0.sum()
t0.requires_grad_(False)
t0[0::1] = t1
t1.backward(T.from_numpy(reals()))
""",
    "a cross-entropy of one class, of a view made in no_grad mode": """
t0 = T.from_numpy(reals(1, 8)).requires_grad_()
with T.no_grad(): t6 = t0.view(1, -1, 8)
t7 = F.cross_entropy(t6, T.tensor([0, 0, 0, 0, 0, 0, 0, 0]).view(1, 8))
t7.backward(T.from_numpy(reals()))
""",
    "what fold gave in no_grad mode is no view": """
t1 = T.from_numpy(reals()).requires_grad_()
t10 = T.from_numpy(reals(1, 3))
with T.no_grad(): t11 = F.fold(t10, (1), (1), padding=(2, 0), stride=(2))
t11[...] = t1
""",
    "a saved result changed through an expanded view": """
t0 = T.from_numpy(reals(2, 17, 2, 2)).requires_grad_()
t5 = T.tanh(t0)
t9 = t5.expand(2, -1, 2, -1)
t9.mul_(1.5)
t9.backward(T.from_numpy(reals(2, 2, 17, 2).transpose(3, 2, 0, 1)))
""",
    "the gradient with respect to a view of what became a leaf that requires one": """
t0 = T.from_numpy(reals(2, 7)).requires_grad_()
t5 = T.from_numpy(reals(1))
t6 = t5.transpose(0, 0)
t5.requires_grad_()
T.autograd.grad(t0, [t6, t6], T.from_numpy(reals(2, 7)), allow_unused=True)
""",
    "nothing written to an expanded view": """
t0 = T.from_numpy(reals(2, 1)).requires_grad_()
t1 = t0 * 1.5
t1.expand(2, 3)[-1:-1] = 0.5
t1.backward(T.from_numpy(reals(2, 1)))
""",
    "a saved result changed, of a view made in no_grad mode": """
t0 = T.from_numpy(reals()).requires_grad_()
with T.no_grad(): t1 = t0.transpose(0, 0)
t4 = t1.sigmoid()
t4.sub_(-1.0)
t4.backward(T.from_numpy(reals()))
""",
    "an element written through an expanded view": """
t0 = T.from_numpy(reals(2, 2)).requires_grad_()
t2 = t0 * 1.5
t2[..., None].expand(2, 2, 2)[:, -1, -1] = T.from_numpy(reals(1))
t2.backward(T.from_numpy(reals(2, 2)))
""",
    "the source of index_copy changed": """
t2 = T.from_numpy(reals(5)).requires_grad_()
t4 = t2 * 1.5
t8 = T.from_numpy(reals(5)).index_copy(0, T.tensor([0, 0, 0, 0, 0]), t4)
t4[...] = t4
t8.backward(T.from_numpy(reals(5)))
""",
    "the result of relu6 in place changed": """
t0 = T.from_numpy(reals(1, 8)).requires_grad_()
t1 = t0 * 1.5
F.relu6(t1, inplace=True)
t1 -= T.from_numpy(reals(1))
t1.backward(T.from_numpy(reals(1, 8)))
""",
    "instance_norm of no pixels with another weight": """
t1 = T.from_numpy(reals(1, 1, 0))
t21 = T.from_numpy(reals(2))
t23 = F.instance_norm(t1, None, None, t21)
""",
    "a write to what cummin read": """
x = T.from_numpy(reals(7)).requires_grad_()
y = x * 1.0
z, indices = y.cummin(0)
y.tanh_()
z.backward(T.from_numpy(reals(7)))
""",
    "a write to what tanhshrink read": """
x = T.from_numpy(reals(1)).requires_grad_()
y = x * 1.0
z = F.tanhshrink(y)
y.add_(-0.25)
z.backward(T.from_numpy(reals(1)))
""",
    "a write to what masked_select read": """
x = T.from_numpy(reals(3)).requires_grad_()
y = x.masked_select(x > 0)
with T.no_grad(): x.mul_(2)
y.backward(T.from_numpy(reals(2)))
""",
    "a write to what index_copy read and needs not": """
x = T.from_numpy(reals(1, 4)).requires_grad_()
y = x.clone()
source = T.from_numpy(reals(2, 4))
y.index_copy_(0, T.tensor([0, 0]), source)
source.mul_(0.5)
y.backward(T.from_numpy(reals(1, 4)))
""",
    "a write to what rms_norm read and needs not": """
x = T.from_numpy(reals(1, 4))
weight = T.from_numpy(reals(4)).requires_grad_()
y = F.rms_norm(x, (4,), weight)
x.relu_()
y.backward(T.from_numpy(reals(1, 4)))
""",
    "dropout of an unbatched image that drops nothing": """
x = T.from_numpy(reals(1, 1)).requires_grad_()
y = F.dropout1d(x, 0.0)
""",
    "a soft margin loss of more targets than inputs": """
x = T.from_numpy(reals(1))
y = F.soft_margin_loss(x, T.ones([0]))
""",
    "a write to a view of an unbatched loss": """
x = T.from_numpy(reals(1))
source = T.from_numpy(reals(1)).requires_grad_()
with T.no_grad(): loss = F.nll_loss(x, T.tensor(0))
y = loss.reshape(1)
y[T.tensor([0])] = source
""",
    "a single mean of a matrix": """
x = T.from_numpy(reals(2, 3))
y = F.adaptive_avg_pool2d(x, 1)
""",
    "a write to what group_norm of transposed images read": """
x = T.from_numpy(reals(3, 9, 7).transpose(2, 0, 1))
weight = T.from_numpy(reals(3)).requires_grad_()
y = F.group_norm(x, 1, weight)
x.unsqueeze(0).relu_()
y.backward(T.from_numpy(reals(7, 3, 9)))
""",
    "a negative zero of rms_norm": """
x = T.from_numpy(reals(2))
y = F.rms_norm(x, (2,), T.zeros(2, dtype=T.float64)).signbit()
""",
    "a write to what bilinear read and needs not": """
x = T.from_numpy(reals(2, 3)).requires_grad_()
y = T.from_numpy(reals(2, 3))
weight = T.from_numpy(reals(1, 3, 3))
z = F.bilinear(x, y, weight)
with T.no_grad(): x.zero_()
z.backward(T.from_numpy(reals(2, 1)))
""",
    "limits of hardtanh_ the wrong way round": """
x = T.from_numpy(reals(4))
F.hardtanh_(x, 2, -1)
""",
    "a tensor added to itself at an index": """
x = T.from_numpy(strided(reals(2)))
x.index_add_(0, T.tensor([0, 0]), x)
""",
    "rrelu of a transposed matrix": """
x = F.rrelu(T.from_numpy(reals(2, 5).transpose(1, 0)))
y = x.view(-1)
""",
    "a norm that is halved before its backward": """
x = T.from_numpy(reals()).requires_grad_()
y = x.norm()
y.mul_(0.5)
y.backward(T.from_numpy(reals()))
""",
    "a tie of two equal images": """
x = F.conv1d(T.from_numpy(reals(8, 5)).repeat((2, 1, 2)), T.from_numpy(reals(1, 8, 1)))
y, z = x.sort(dim=0)
""",
    "rows copied onto themselves through another tensor": """
x = T.from_numpy(strided(reals(6, 1)))
y = x.detach()
y.index_copy_(0, T.tensor([0, 0, 0, 0, 0, 0]), x)
""",
    "a sum by einsum without gradients": """
x = T.from_numpy(reals(1, 1))
with T.no_grad(): y = T.einsum('ij->i', x)
y[:] = T.from_numpy(reals(1)).requires_grad_()
""",
    "a bias of bilinear that broadcasts": """
x = T.from_numpy(reals(1))
y = T.from_numpy(reals(1, 1, 1))
z = F.bilinear(x, x, y, y)
""",
    "a number added to a vector at an index": """
x = T.from_numpy(reals(1))
x.index_add_(0, T.tensor([0]), T.from_numpy(reals()))
""",
    "as many elements as a rounding error will have": """
x = F.interpolate(T.from_numpy(integers(2, 6, 5, 8, seed=7).transpose(0, 3, 1, 2)), scale_factor=1.5,
                  mode='bilinear', align_corners=True)
y = x[x > 0] + T.from_numpy(reals(509))
""",
    "logits in another order than their targets": """
x = T.from_numpy(reals(3, 5, 2).transpose(1, 0, 2))
y = F.binary_cross_entropy_with_logits(x, F.sigmoid(T.from_numpy(reals(5, 3, 2))), reduction='none').view(3, 2, 5)
""",
    "a backward to what is no leaf": """
x = T.from_numpy(reals(3)).requires_grad_()
y = x * 1.5
y.sum().backward(retain_graph=True, inputs=[y, y])
y.backward(T.from_numpy(reals(3)))
""",
    "a number's exponent of two on nothing": """
x = T.from_numpy(reals(0, 2)).requires_grad_()
y = (T.from_numpy(reals(1, 2)) / 0).requires_grad_()
z = T.ldexp(x, y)
z.backward(T.from_numpy(reals(0, 2)))
""",
    "one column resized without aliasing": """
x = F.interpolate(T.from_numpy(reals(1, 1, 3, 1)), size=(2, 1), mode='bicubic', antialias=True)
""",
    "a hook on a view that is written to": """
x = T.from_numpy(reals(2, 3)).requires_grad_()
y = (x * 2).unsqueeze(0)
y.register_hook(lambda g: 0 * g)
y[..., 0] = -0.25
y.backward(T.from_numpy(reals(1, 2, 3)))
""",
    "a tensor that retains its gradient as a parameter": """
x = T.from_numpy(reals(1, 1)).requires_grad_()
y = T.einsum('ij->ji', x)
y.retain_grad()
[o.step() for o in [T.optim.SGD([y], lr=0.5)]]
""",
    "a number as the weight of instance norm": """
x = T.from_numpy(reals(2, 1, 1, 2))
weight = T.from_numpy(reals()).requires_grad_()
y = F.instance_norm(x, None, None, weight)
y.backward(T.from_numpy(reals(2, 1, 1, 2, seed=1)))
""",
    "the gradient of a leaf that is none any more": """
x = T.from_numpy(reals(2)).requires_grad_()
y = x * 1.5
y.backward(T.from_numpy(reals(2)))
x.requires_grad_(False)
x.copy_(y)
""",
    "a gradient by a view of a parameter that was taken in no_grad mode": """
x = T.from_numpy(reals(2)).requires_grad_()
y = T.from_numpy(reals()).requires_grad_()
with T.no_grad(): z = x[0]
y.backward(T.from_numpy(reals(seed=1)), inputs=[z])
w = y.grad is None
""",
}
