"""Public names of one object: `tf.dtypes.cast` is `tf.cast`. The rows know it by one of them.

tests/test_aliases.py asks the installed frameworks for all names of what has a row.
"""

from __future__ import annotations

# where the rows have it: where it is as well: names there; 'a=b' where they differ
_NAMES = {
    "keras.backend": {
        "keras.config": "epsilon",
        "keras.utils": "is_keras_tensor standardize_dtype",
    },
    "keras.config": {
        "keras.backend": "set_epsilon set_floatx",
        "keras.utils": "disable_interactive_logging enable_interactive_logging",
    },
    "keras.initializers": {"keras": "Initializer"},
    "keras.layers": {"keras": "InputSpec"},
    "keras.optimizers": {"keras": "Optimizer"},
    "keras.regularizers": {"keras": "Regularizer"},
    "keras.utils": {"keras.utils": "CustomObjectScope=custom_object_scope"},
    "tf": {
        "tf":
            "lin_space=linspace reverse_v2=reverse tensor_scatter_add=tensor_scatter_nd_add "
            "tensor_scatter_sub=tensor_scatter_nd_sub tensor_scatter_update=tensor_scatter_nd_update "
            "where_v2=where",
        "tf.autodiff": "GradientTape",
        "tf.compat.v1":
            "IndexedSlices Module RaggedTensor RaggedTensorSpec SparseTensorSpec TensorArray TensorSpec TypeSpec "
            "as_string broadcast_dynamic_shape dynamic_stitch get_logger get_static_value histogram_fixed_width "
            "is_tensor lin_space=linspace meshgrid numpy_function print py_function reverse_v2=reverse "
            "switch_case tensor_scatter_add=tensor_scatter_nd_add tensor_scatter_nd_add tensor_scatter_nd_max "
            "tensor_scatter_nd_min tensor_scatter_nd_sub tensor_scatter_sub=tensor_scatter_nd_sub "
            "tensor_scatter_update=tensor_scatter_nd_update unique unique_with_counts where_v2=where",
        "tf.compat.v1.dtypes": "as_dtype as_string cast complex saturate_cast",
        "tf.compat.v1.linalg": "einsum eye tensordot",
        "tf.compat.v1.manip": "reverse roll scatter_nd tile",
        "tf.compat.v1.math":
            "add_n atan2 cumsum equal greater greater_equal less less_equal logical_and logical_not logical_or "
            "not_equal pow subtract truediv",
        "tf.dtypes": "as_string cast complex saturate_cast",
        "tf.manip": "reverse roll scatter_nd tile",
    },
    "tf.compat": {"tf.compat.v1.compat": "as_bytes as_str as_str_any as_text dimension_value"},
    "tf.compat.v1": {
        "tf.compat.v1.initializers":
            "global_variables=global_variables_initializer local_variables=local_variables_initializer "
            "uniform_unit_scaling=uniform_unit_scaling_initializer",
        "tf.compat.v1.linalg": "norm",
        "tf.compat.v1.manip": "gather_nd",
        "tf.compat.v1.math": "argmax",
        "tf.compat.v1.random": "multinomial",
        "tf.manip": "gather_nd",
        "tf.random": "multinomial",
    },
    "tf.compat.v1.linalg": {
        "tf.compat.v1.linalg": "transpose=matrix_transpose",
        "tf.linalg": "transpose=matrix_transpose",
    },
    "tf.compat.v1.nn": {"tf.compat.v1.math": "sigmoid softplus tanh"},
    "tf.linalg": {
        "tf":
            "cholesky cholesky_solve cross diag=tensor_diag diag_part=tensor_diag_part matrix_determinant=det "
            "matrix_diag=diag matrix_diag_part=diag_part matrix_inverse=inv matrix_set_diag=set_diag "
            "matrix_solve=solve matrix_solve_ls=lstsq matrix_transpose matrix_triangular_solve=triangular_solve "
            "qr self_adjoint_eig=eigh self_adjoint_eigvals=eigvalsh svd",
        "tf.compat.v1":
            "cholesky cholesky_solve cross diag=tensor_diag diag_part=tensor_diag_part matrix_determinant=det "
            "matrix_diag=diag matrix_diag_part=diag_part matrix_inverse=inv matrix_set_diag=set_diag "
            "matrix_solve=solve matrix_solve_ls=lstsq matrix_transpose matrix_triangular_solve=triangular_solve "
            "qr self_adjoint_eig=eigh self_adjoint_eigvals=eigvalsh svd",
        "tf.compat.v1.linalg":
            "LinearOperatorBlockDiag LinearOperatorDiag LinearOperatorFullMatrix LinearOperatorIdentity "
            "LinearOperatorKronecker LinearOperatorLowRankUpdate LinearOperatorLowerTriangular "
            "LinearOperatorScaledIdentity global_norm l2_normalize set_diag",
        "tf.compat.v1.math": "l2_normalize",
    },
    "tf.math": {
        "tf":
            "angle cumprod div_no_nan=divide_no_nan erf erfc igamma igammac invert_permutation is_non_decreasing "
            "is_strictly_increasing lbeta polygamma rint segment_mean unsorted_segment_max unsorted_segment_mean "
            "zeta",
        "tf.compat.v1":
            "angle cumprod div_no_nan=divide_no_nan erf erfc igamma igammac invert_permutation is_non_decreasing "
            "is_strictly_increasing lbeta polygamma rint segment_mean unsorted_segment_max unsorted_segment_mean "
            "zeta",
        "tf.compat.v1.math":
            "floordiv is_finite is_inf is_nan is_non_decreasing is_strictly_increasing lbeta logical_xor "
            "polygamma segment_sum softsign squared_difference top_k unsorted_segment_sum zero_fraction",
        "tf.math.special": "bessel_i0 bessel_i0e bessel_i1 bessel_i1e",
    },
    "tf.nn": {
        "tf.compat.v1.nn":
            "avg_pool_v2=avg_pool local_response_normalization lrn=local_response_normalization "
            "max_pool_v2=max_pool",
        "tf.nn": "avg_pool_v2=avg_pool max_pool_v2=max_pool",
    },
    "tf.random": {
        "tf": "random_gamma=gamma",
        "tf.compat.v1": "random_gamma=gamma",
        "tf.compat.v1.random": "categorical gamma stateless_normal stateless_uniform",
    },
}
# functions of old code that warn and call those of today, whose names end with `_`
_INIT = ("constant dirac eye kaiming_normal kaiming_uniform normal orthogonal sparse uniform xavier_normal "
         "xavier_uniform")


def _one_name() -> dict[str, str]:
    found = {f"torch.nn.init.{name}": f"torch.nn.init.{name}_" for name in _INIT.split()}
    for known, others in _NAMES.items():
        for prefix, names in others.items():
            for text in names.split():
                other, _, name = text.partition("=")
                found[f"{prefix}.{other}"] = f"{known}.{name or other}"
    return found


ALIASES = _one_name()
