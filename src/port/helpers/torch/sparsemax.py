import torch


def sparsemax(x, dim=-1):
    """keras.activations.sparsemax, whose threshold sums all cumulative sums of the support."""
    x = x.movedim(dim, -1)
    ordered = x.sort(-1, descending=True).values
    sums = ordered.cumsum(-1)
    support = ordered - (sums - 1) / torch.arange(1, x.shape[-1] + 1, dtype=x.dtype, device=x.device) > 0
    threshold = (torch.where(support, sums, 0).sum(-1, keepdim=True) - 1) / support.sum(-1, keepdim=True)
    return (x - threshold).clamp(min=0).movedim(-1, dim)
