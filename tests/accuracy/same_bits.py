"""Runs builds of one accuracy program for several SIMD levels with --hash and compares what they print.

  same_bits.py PROGRAM PROGRAM ...

A build that this processor cannot run (it dies of an illegal instruction) is left out, with a line that says so.
"""

import signal
import subprocess
import sys


def main():
    outputs = {}
    for program in sys.argv[1:]:
        done = subprocess.run([program, "--hash"], stdout=subprocess.PIPE, text=True)
        if done.returncode == -signal.SIGILL:
            print(f"{program}: this processor lacks its instructions")
        elif done.returncode != 0 or not done.stdout:
            sys.exit(f"{program}: exit status {done.returncode}")
        else:
            outputs[program] = done.stdout.splitlines()
    if len(outputs) < 2:
        sys.exit("fewer than two builds could run")
    (first, expected), *others = outputs.items()
    bad = 0
    for program, lines in others:
        for a, b in zip(expected, lines, strict=True):
            if a != b:
                bad += 1
                print(f"{first}: {a}\n{program}: {b}")
    print(f"{len(outputs)} builds, {len(expected)} functions, {bad} differ")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
