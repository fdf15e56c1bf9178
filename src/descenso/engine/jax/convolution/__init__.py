"""Convolution and pooling that are fast inside a compiled loop: rewrites, gradients, 3×3 kernels."""
