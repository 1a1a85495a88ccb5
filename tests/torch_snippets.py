"""What is no row: operators, indices, writes by index, chains in place, loss objects, layouts. One snippet a line.

Tensors: x f32[2,3,5], y f32[3,5], v f32[5], i i32[2,3]<3 and j the same, k i32![2], b b[2,3,5], m b[2,3],
im f32[2,3,8,6] (an image), c f32[3,1,1]. A line with `;` is several statements.
"""

from __future__ import annotations

from collections.abc import Iterator

from port import sample, table
from port.prove.cases import HEAD, TorchCase

INPUTS = {"x": "f32[2,3,5]", "y": "f32[3,5]", "v": "f32[5]", "i": "i32[2,3]<3", "j": "i32[2,3]<2", "k": "i32![2]",
          "b": "b[2,3,5]", "m": "b[2,3]", "im": "f32[2,3,8,6]", "c": "f32[3,1,1]"}
LINES = r"""
x + y | x - 2 | 3 * x | x / 2 | (x // 0.3).detach() | x % 0.3 | x ** 2 | 2.0 ** x | -x | i + 1 | i * 0.5 | i / 2
i // 2 | i - x[..., 0]
i / j.clamp(min=1) | i % 2 | i ** 2 | b & (x > 0) | b | ~b | ~m & m | i & 1 | b * x | m.float() * 2
1 - m.float() | i == j
x > 0.5 | i > 0.5 | x <= y | 0 < x | i != 1 | x @ x.transpose(1, 2) | x @ v | y @ y.T | x @ y.t() | x @ x.mT
torch.matmul(x, x.permute(0, 2, 1)) | x.bmm(x.transpose(-1, -2)) | x.transpose(1, 2) @ x | b.sum() / 2
m.sum(1) * 0.5
x[0] | x[:, 1] | x[..., 0] | x[:, None] | x[:, 1:, ::2] | x[-1, :, 2:] | x[0, 1, 2] | x[j] | x[:, i[0]]
x[..., k] | x[:, [0, 2]]
x[:, [-1]] | x[b] | x[m] | x[:, m[0]] | x[x > 0] | y[i] | x[j, i] | x[k, k] | x[:, k, 1:] | y[[0, -1]] | x[j[0], 1:]
x.max(1)[0] | x.max(1).values | x.max(dim=1)[1] | x.sort(-1).indices | x.topk(2)[0] | torch.sort(y)[0]
x.min(-1, keepdim=True)[0]
x * x.shape[1] | x / x.size(-1) | x.view(x.size(0), -1) | x.view(-1, x.shape[-1]) | x.reshape(x.shape[0] * 3, 5)
x / x.numel() | x * x.dim()
p = x.clone(); p[:, 0] = 1.0; return p
p = x.clone(); p[:, 1:3] = y[:2]; return p
p = x.clone(); p[..., 0] += 2; return p
p = x.clone(); p[p > 0.5] = -1; return p
p = x.clone(); p[m] = 0.0; return p
p = x.clone(); p[b] = 2.5; return p
p = y.clone(); p[k] = y[:2] * 2; return p
p = y.clone(); p[k] = 0; return p
p = y.clone(); p[k, k] = v[:2]; return p
p = x.clone(); p.mul_(2).add_(1); return p
p = x * 2; p += y; p *= 0.5; p -= 1; return p
p = torch.zeros(2, 3); p.scatter_(1, j, 1.0); return p
p = torch.zeros(4); p.fill_(2.0); return p
p = y + 0; p.clamp_(min=0); return p
p, q = x.max(1); return p + q
p, _ = x.max(1); return p
_, q = x.topk(2); return q
p, q, r = x.unbind(1); return p * q - r
p, q = x.split([1, 2], dim=1); return p + q
p, q, r = x.chunk(3, dim=1); return torch.cat([r, q, p], dim=1)
p, q = torch.meshgrid(v, y[:, 0], indexing='ij'); return p + q
p, q, r = x.shape; return x.view(p * q, r)
p = (torch.arange(4) + 0.5) / 4; return p
p = torch.arange(x.size(1)); return p < 2
p = m.unsqueeze(-1).float(); return p
p = torch.finfo(torch.float32).max; return x * 0 + p
p = x.masked_fill(b, float('-inf')); return p
p = x.masked_fill(m[:, :, None], -1e9).softmax(-1); return p
p = torch.where(b, x, y).cumsum(1); return p
p = [torch.relu(t) for t in (x, y)]; return p[0] + p[1]
im.mean(dim=(2, 3)) | im.mean(1) | im.flatten(2) | im.flatten(1) | im.permute(0, 2, 3, 1)
im.sum(dim=1, keepdim=True)
p = F.max_pool2d(im, 2); return p.flatten(1)
p = F.max_pool2d(im, 2); return p[:, :2].mean(dim=[2, 3])
p = F.max_pool2d(im, 2); return torch.cat([p, p * 2], dim=1).sum(1)
p = F.max_pool2d(im, 2) + c; return p
p = F.max_pool2d(im, 2); return F.interpolate(p, size=im.shape[2:], mode='nearest')
p = F.max_pool2d(im, 2); q, r, s, t = p.shape; return p.view(q, r, s * t).transpose(1, 2)
p = F.max_pool2d(im, 2); return p.softmax(dim=1), p.argmax(1), p.max(dim=1)[0]
p = F.avg_pool2d(im, 2); return p.std(dim=(2, 3)), p.amax((2, 3)), p.view(p.size(0), -1)
p = F.avg_pool2d(im[:, :1], 2); return p.squeeze(1), p.squeeze((1, 0)), F.avg_pool2d(im, (8, 1)).squeeze(2)
p = F.avg_pool2d(im, (1, 6)); return p.squeeze(-1), p.squeeze((3,)), p.squeeze(1)
p = F.avg_pool2d(im, 2); return F.pad(p, (1, 0, 2, 1)), F.pad(p, (1, 1, 1, 1), mode='reflect')
p = F.avg_pool2d(im, 2); return p.unsqueeze(1), p.squeeze(0), p.reshape(2, -1), p.transpose(2, 3), p.chunk(3, 1)[0]
p = F.avg_pool2d(im, 2); return F.cross_entropy(p, torch.zeros(2, 4, 3).long()), F.normalize(p), F.softmax(p, dim=1)
p = F.avg_pool2d(im, 2); return p.repeat(1, 2, 1, 1), p.expand(2, 3, 4, 3), p.roll(1, 1), p.flip(1), p.cumsum(1)
p = F.avg_pool2d(im, 2); return p * p.shape[1] / p.size(2), p.new_zeros(p.shape[2:])
p = F.avg_pool2d(im, 2); return p.new_ones(p.size()), p.split(1, dim=1)[0]
p = F.avg_pool2d(im, 2); return p * p.mean(1, keepdim=True), p.norm(dim=1), p.var(1), p.masked_fill(p > 0, 0.5)
torch.nn.CrossEntropyLoss(ignore_index=2)(x[:, 0], i[:, 0]) | torch.nn.MSELoss()(x, x * 2)
torch.nn.L1Loss(reduction='sum')(x, x * 2)
torch.nn.BCEWithLogitsLoss()(x, x.sigmoid())
torch.nn.BCELoss()(x.sigmoid(), m[:, :, None].expand(2, 3, 5).float().type_as(x))
torch.nn.CrossEntropyLoss()(im, torch.ones(2, 8, 6).long()) | torch.nn.SmoothL1Loss(beta=0.5)(x, x * 2)
torch.nn.KLDivLoss(reduction='batchmean')(x, x.softmax(-1)) | torch.nn.NLLLoss()(x[0].log_softmax(-1), i[0])
p = torch.nn.CrossEntropyLoss(); return p(x[0], i[0])
p = x * 2; F.relu(p, inplace=True); return p
p = x * 2; F.relu_(p); return p
p = x * 2; p = F.relu(p, inplace=True); return p + 1
p, q = x.split(2, dim=1); return p.sum(1) + q.sum(1)
p, q = x.split(3, dim=2); return p.sum(2) - q.sum(2)
n = x.size(1) - 2; return F.pad(x, (0, 0, n, -n)), F.pad(x, (-n, n), value=2.0), F.pad(x, (0, n - 1, -n, 2))
p = lambda t: t * 2; q, r = p(x).max(1); return q + r
p = lambda t: F.avg_pool2d(t, 2); return F.interpolate(p(im), scale_factor=2, mode='bilinear')
p = F.relu; q = F.mse_loss; return p(x) + q(x, x * 2)
"""


def snippets() -> Iterator[TorchCase]:
    texts = [t.strip() for line in LINES.strip().splitlines() for t in (
        [line] if ";" in line else line.replace("b | ~b", "b.logical_or(~b)").split(" | "))]
    row = table.Row("snippets")
    for number, text in enumerate(texts):
        body = "\n    ".join(s.strip() for s in text.split(";")) if ";" in text else f"return {text}"
        inputs = {n: sample.parse(s) for n, s in INPUTS.items()}
        yield TorchCase(f"snippet {number}", row, f"{HEAD}\n\ndef f({', '.join(inputs)}):\n    {body}\n",
                        {n: s for n, s in inputs.items() if s is not None})
