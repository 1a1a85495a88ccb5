import torch
import torch.nn.functional as F
from torch import nn


class MultiHeadAttention(nn.Module):
    """Keras' MultiHeadAttention where nn.MultiheadAttention has no counterpart: heads of any size.

    The attention mask is True where attention is allowed, with shape (batch, queries, keys).
    """

    def __init__(self, num_heads, key_dim, query_features, value_features=None, key_features=None, value_dim=None,
                 output_features=None, dropout=0.0, bias=True):
        super().__init__()
        self.num_heads = num_heads
        self.dropout = dropout
        value_features, value_dim = value_features or query_features, value_dim or key_dim
        self.query = nn.Linear(query_features, num_heads * key_dim, bias=bias)
        self.key = nn.Linear(key_features or value_features, num_heads * key_dim, bias=bias)
        self.value = nn.Linear(value_features, num_heads * value_dim, bias=bias)
        self.output = nn.Linear(num_heads * value_dim, output_features or query_features, bias=bias)
        self.reset_parameters()

    def reset_parameters(self):
        for linear in (self.query, self.key, self.value, self.output):
            nn.init.xavier_uniform_(linear.weight)
            if linear.bias is not None:
                nn.init.zeros_(linear.bias)

    def forward(self, query, value, key=None, attention_mask=None, return_attention_scores=False,
                use_causal_mask=False):
        key = value if key is None else key
        query, key, value = (
            linear(x).unflatten(-1, (self.num_heads, -1)).transpose(1, 2)  # (batch, heads, steps, size)
            for linear, x in ((self.query, query), (self.key, key), (self.value, value)))
        mask = attention_mask
        if mask is not None:
            mask = mask.bool() if mask.ndim == 4 else mask.bool().unsqueeze(1)
        if use_causal_mask:
            causal = torch.ones(query.shape[2], key.shape[2], dtype=torch.bool, device=query.device).tril()
            mask = causal if mask is None else mask & causal

        scores = query @ key.mT * query.shape[-1] ** -0.5
        if mask is not None:  # finite: a query that may see nothing averages all values
            scores = scores.masked_fill(~mask, 0.7 * torch.finfo(scores.dtype).min)
        weights = torch.softmax(scores, dim=-1)
        if mask is not None and (self.dropout or return_attention_scores):
            weights = weights.masked_fill(~mask, 0)  # Keras' other branch: it gets nothing
        x = F.dropout(weights, self.dropout, self.training) @ value
        x = self.output(x.transpose(1, 2).flatten(2))
        return (x, weights) if return_attention_scores else x
