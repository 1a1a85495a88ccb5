from torch import nn


class LazyLayerNorm(nn.modules.lazy.LazyModuleMixin, nn.LayerNorm):
    """LayerNorm over the last axis, whose size shows at the first call."""

    cls_to_become = nn.LayerNorm

    def __init__(self, eps=1e-5, elementwise_affine=True, bias=True):
        super().__init__(0, eps, elementwise_affine, bias)
        for name in [name for name, parameter in self.named_parameters(recurse=False) if parameter is not None]:
            setattr(self, name, nn.UninitializedParameter())

    def reset_parameters(self):
        if not self.has_uninitialized_params():
            super().reset_parameters()

    def initialize_parameters(self, x):
        self.normalized_shape = (x.shape[-1],)
        if self.has_uninitialized_params():
            for parameter in self.parameters():
                parameter.materialize(self.normalized_shape)
            self.reset_parameters()
