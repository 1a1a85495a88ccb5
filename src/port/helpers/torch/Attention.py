import torch
import torch.nn.functional as F
from torch import nn


class Attention(nn.Module):
    """Dot-product attention without projections, not scaled by default, as keras.layers.Attention.

    inputs: [query, value] or [query, value, key]; mask: [query mask, value mask], True for real steps.
    """

    def __init__(self, use_scale=False, score_mode='dot', dropout=0.0):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(())) if use_scale else None
        self.concat_score_weight = nn.Parameter(torch.ones(())) if score_mode == 'concat' else None
        self.dropout = dropout

    def forward(self, inputs, mask=None, return_attention_scores=False, use_causal_mask=False):
        query, value, key = inputs if len(inputs) == 3 else (*inputs, inputs[1])
        scale = 1 if self.scale is None else self.scale
        if self.concat_score_weight is None:
            scores = scale * (query @ key.mT)
        else:
            both = query.unsqueeze(-2) + key.unsqueeze(-3)
            scores = self.concat_score_weight * torch.tanh(scale * both).sum(-1)

        query_mask, value_mask = (None, None) if mask is None else mask[:2]
        allowed = None if value_mask is None else value_mask.unsqueeze(-2)
        if use_causal_mask:
            causal = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
            allowed = causal if allowed is None else allowed & causal
        if allowed is not None:
            scores = torch.where(allowed, scores, scores - (65504 if scores.dtype == torch.float16 else 1e9))
        weights = torch.softmax(scores, dim=-1)
        weights = F.dropout(weights, self.dropout, self.training)
        x = weights @ value
        if query_mask is not None:
            x = x.masked_fill(~query_mask.unsqueeze(-1), 0)
        return (x, weights) if return_attention_scores else x
