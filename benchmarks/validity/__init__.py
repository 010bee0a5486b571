"""Does the audit tell the truth? Models of known status, what the audit says of them, and scores.

python -m benchmarks.validity --help
"""
