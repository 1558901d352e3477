"""The benchmarks: Restante against a tuned Dovecot, on the same Maildirs, in alternating runs."""
