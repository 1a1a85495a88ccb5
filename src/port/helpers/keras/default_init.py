from keras import initializers


def default_init(fan_in):
    """Initialisers of nn.Linear and nn.Conv2d: uniform in +-1/sqrt(fan_in), the bias as well."""
    bound = fan_in ** -0.5
    return dict(
        kernel_initializer=initializers.RandomUniform(-bound, bound),
        bias_initializer=initializers.RandomUniform(-bound, bound),
    )
