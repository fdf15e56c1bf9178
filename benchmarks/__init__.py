"""Benchmarks: ours beside the peer, interleaved in one run, as a ratio."""
