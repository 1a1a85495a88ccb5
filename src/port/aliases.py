"""Public names of one object: `tf.dtypes.cast` is `tf.cast`. The rows know it by one of them.

tests/test_aliases.py asks the installed frameworks for all names of what has a row.
"""

from __future__ import annotations

from collections.abc import Mapping


def spelled(groups: Mapping[str, Mapping[str, str]], root: str = "") -> dict[str, str]:
    """{other name: name} of `{other prefixes: {prefix: names}}`; 'a=b' where the last parts differ."""
    found = {}
    for others, by_prefix in groups.items():
        for prefix, names in by_prefix.items():
            for text in names.split():
                other, _, name = text.partition("=")
                found.update({f"{root}{o}.{other}": f"{prefix}.{name or other}" for o in others.split()})
    return found


ALIASES = spelled({
    "keras": {
        "keras.initializers": "Initializer",
        "keras.layers": "InputSpec",
        "keras.optimizers": "Optimizer",
        "keras.regularizers": "Regularizer",
    },
    "keras.backend": {"keras.config": "set_epsilon set_floatx"},
    "keras.config": {"keras.backend": "epsilon"},
    "keras.utils": {
        "keras.backend": "is_keras_tensor standardize_dtype",
        "keras.config": "disable_interactive_logging enable_interactive_logging",
        "keras.utils": "CustomObjectScope=custom_object_scope",
    },
    "tf tf.compat.v1": {
        "tf":
            "lin_space=linspace reverse_v2=reverse tensor_scatter_add=tensor_scatter_nd_add "
            "tensor_scatter_sub=tensor_scatter_nd_sub tensor_scatter_update=tensor_scatter_nd_update "
            "where_v2=where",
        "tf.linalg":
            "cholesky cholesky_solve cross diag=tensor_diag diag_part=tensor_diag_part matrix_determinant=det "
            "matrix_diag=diag matrix_diag_part=diag_part matrix_inverse=inv matrix_set_diag=set_diag "
            "matrix_solve=solve matrix_solve_ls=lstsq matrix_transpose matrix_triangular_solve=triangular_solve "
            "qr self_adjoint_eig=eigh self_adjoint_eigvals=eigvalsh svd",
        "tf.math":
            "angle cumprod div_no_nan=divide_no_nan erf erfc igamma igammac invert_permutation is_non_decreasing "
            "is_strictly_increasing lbeta polygamma rint segment_mean unsorted_segment_max unsorted_segment_mean "
            "zeta",
        "tf.random": "random_gamma=gamma",
    },
    "tf.autodiff": {"tf": "GradientTape"},
    "tf.compat.v1": {
        "tf":
            "IndexedSlices Module RaggedTensor RaggedTensorSpec SparseTensorSpec TensorArray TensorSpec TypeSpec "
            "as_string broadcast_dynamic_shape dynamic_stitch get_logger get_static_value histogram_fixed_width "
            "is_tensor meshgrid numpy_function print py_function switch_case tensor_scatter_nd_add "
            "tensor_scatter_nd_max tensor_scatter_nd_min tensor_scatter_nd_sub unique unique_with_counts",
    },
    "tf.compat.v1.compat": {"tf.compat": "as_bytes as_str as_str_any as_text dimension_value"},
    "tf.compat.v1.dtypes": {"tf": "as_dtype"},
    "tf.compat.v1.initializers": {
        "tf.compat.v1":
            "global_variables=global_variables_initializer local_variables=local_variables_initializer "
            "uniform_unit_scaling=uniform_unit_scaling_initializer",
    },
    "tf.compat.v1.linalg": {
        "tf": "einsum eye tensordot",
        "tf.compat.v1": "norm",
        "tf.linalg":
            "LinearOperatorBlockDiag LinearOperatorDiag LinearOperatorFullMatrix LinearOperatorIdentity "
            "LinearOperatorKronecker LinearOperatorLowRankUpdate LinearOperatorLowerTriangular "
            "LinearOperatorScaledIdentity global_norm l2_normalize set_diag",
    },
    "tf.compat.v1.math": {
        "tf":
            "add_n atan2 cumsum equal greater greater_equal less less_equal logical_and logical_not logical_or "
            "not_equal pow subtract truediv",
        "tf.compat.v1": "argmax",
        "tf.compat.v1.nn": "sigmoid softplus tanh",
        "tf.linalg": "l2_normalize",
        "tf.math":
            "floordiv is_finite is_inf is_nan is_non_decreasing is_strictly_increasing lbeta logical_xor "
            "polygamma segment_sum softsign squared_difference top_k unsorted_segment_sum zero_fraction",
    },
    "tf.compat.v1.nn": {"tf.nn": "local_response_normalization lrn=local_response_normalization"},
    "tf.compat.v1.random": {"tf.random": "categorical gamma stateless_normal stateless_uniform"},
    "tf.dtypes tf.compat.v1.dtypes": {"tf": "as_string cast complex saturate_cast"},
    "tf.linalg tf.compat.v1.linalg": {"tf.compat.v1.linalg": "transpose=matrix_transpose"},
    "tf.manip tf.compat.v1.manip": {
        "tf": "reverse roll scatter_nd tile",
        "tf.compat.v1": "gather_nd",
    },
    "tf.math.special": {"tf.math": "bessel_i0 bessel_i0e bessel_i1 bessel_i1e"},
    "tf.nn tf.compat.v1.nn": {"tf.nn": "avg_pool_v2=avg_pool max_pool_v2=max_pool"},
    "tf.random tf.compat.v1.random": {"tf.compat.v1": "multinomial"},
    # functions of old code that warn and call those of today
    "torch.nn.init": {
        "torch.nn.init":
            "constant=constant_ dirac=dirac_ eye=eye_ kaiming_normal=kaiming_normal_ kaiming_uniform=kaiming_uniform_ "
            "normal=normal_ orthogonal=orthogonal_ sparse=sparse_ uniform=uniform_ xavier_normal=xavier_normal_ "
            "xavier_uniform=xavier_uniform_",
    },
})
