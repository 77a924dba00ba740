#!/usr/bin/env python3
"""Libraries must not wait for threads that OpenMP does not give: factorisations under OpenMP's limits, in a process each.

    thread_limits.py PROGRAM

PROGRAM: process.factorise, which factorises with two threads, at once on several threads of its own."""

import os
import subprocess
import sys

LIMITS = [
    {"OMP_THREAD_LIMIT": "1"},
    {"OMP_THREAD_LIMIT": "2"},
    {"OMP_DYNAMIC": "true"},
    {"OMP_MAX_ACTIVE_LEVELS": "0"},
    {"OMP_NUM_THREADS": "1"},
    {"OMP_WAIT_POLICY": "active"},
    {},
]

failed = []
for limits in LIMITS:
    for threads in ("1", "4"):
        try:
            run = subprocess.run([sys.argv[1], threads], env={**os.environ, **limits}, timeout=120)
            if run.returncode != 0:
                failed.append(f"{limits} with {threads} threads: status {run.returncode}")
        except subprocess.TimeoutExpired:
            failed.append(f"{limits} with {threads} threads: no end")
print("\n".join(failed) or f"all of {2 * len(LIMITS)} passed")
sys.exit(bool(failed))
