"""Benchmarks: speed, memory and accuracy of one cycle, as ratios, in strict alternation, against bounds.

`python -m bench` runs all parts, `python -m bench cycle` one; the exit code is 1 when a bound is missed. The figures
of one machine are in docs/measurements.md.
"""
