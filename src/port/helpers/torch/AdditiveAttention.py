import torch
import torch.nn.functional as F
from torch import nn


class AdditiveAttention(nn.Module):
    """Bahdanau's additive attention without projections, as keras.layers.AdditiveAttention.

    inputs: [query, value] or [query, value, key]; mask: [query mask, value mask], True for real steps.
    """

    def __init__(self, features, use_scale=True, dropout=0.0):
        super().__init__()
        self.scale = nn.Parameter(torch.empty(features)) if use_scale else None
        self.dropout = dropout
        self.reset_parameters()

    def reset_parameters(self):
        if self.scale is not None:  # Glorot uniform with this many inputs and outputs
            limit = (3 / len(self.scale)) ** 0.5
            nn.init.uniform_(self.scale, -limit, limit)

    def forward(self, inputs, mask=None, return_attention_scores=False, use_causal_mask=False):
        query, value, key = inputs if len(inputs) == 3 else (*inputs, inputs[1])
        scores = torch.tanh(query.unsqueeze(-2) + key.unsqueeze(-3))
        scores = (scores if self.scale is None else self.scale * scores).sum(-1)

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
