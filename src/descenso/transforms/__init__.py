"""Transforms: what composes with any rule, written once for all frameworks.

ONE FILE = ONE TRANSFORM. A transform acts on the gradients before a rule's step or on the
parameters after it; every binding takes them as ``transforms=[...]``.
"""

from descenso.transforms._chain import averages, gradients, parameters, start, touch_parameters
from descenso.transforms._transform import (
    Transform,
    check,
    from_config,
    on_gradients,
    on_parameters,
)
from descenso.transforms.clip_by_global_norm import clip_by_global_norm
from descenso.transforms.clip_by_norm import clip_by_norm
from descenso.transforms.clip_by_value import clip_by_value
from descenso.transforms.coupled_weight_decay import coupled_weight_decay
from descenso.transforms.decoupled_weight_decay import decoupled_weight_decay
from descenso.transforms.independent_weight_decay import independent_weight_decay
from descenso.transforms.lookahead import lookahead
from descenso.transforms.moving_average import moving_average
from descenso.transforms.uniform_average import uniform_average

__all__ = [
    "Transform",
    "averages",
    "check",
    "clip_by_global_norm",
    "clip_by_norm",
    "clip_by_value",
    "coupled_weight_decay",
    "decoupled_weight_decay",
    "from_config",
    "gradients",
    "independent_weight_decay",
    "lookahead",
    "moving_average",
    "on_gradients",
    "on_parameters",
    "parameters",
    "start",
    "touch_parameters",
    "uniform_average",
]
