import torch
import torch.nn.functional as F


def category_encoding(x, num_tokens, output_mode='multi_hot'):
    """Whole numbers to floats: 'one_hot' for each, or 'multi_hot' / 'count' over the last axis."""
    one_hot = F.one_hot(x.long(), num_tokens)
    if output_mode == 'one_hot' and x.shape[-1:] == (1,):
        one_hot = one_hot.squeeze(-2)
    elif output_mode != 'one_hot':
        one_hot = one_hot.amax(-2) if output_mode == 'multi_hot' else one_hot.sum(-2)
    return one_hot.to(torch.get_default_dtype())
