"""What a test of code that uses descenso can run: conformance checks and small data sets."""
