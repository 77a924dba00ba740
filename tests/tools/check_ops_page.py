"""Checks that docs/ops.md is what `tandem ops --markdown` prints, and that no op has a hole between the backends.

  check_ops_page.py COMMAND PAGE      with a device, so that its column is there (the simulated one: tests/cuda/sim)
  check_ops_page.py COMMAND PAGE --write
"""

import difflib
import json
import subprocess
import sys
from pathlib import Path


def run(command, *arguments):
    return subprocess.run([command, "ops", *arguments], stdout=subprocess.PIPE, text=True, check=True).stdout


def main():
    command, page = sys.argv[1], Path(sys.argv[2])
    made = run(command, "--markdown")
    if "--write" in sys.argv:
        page.write_text(made)
        return
    problems = list(difflib.unified_diff(page.read_text().splitlines(), made.splitlines(), str(page), "made", lineterm=""))
    for row in json.loads(run(command, "--json")):
        backends = row["backends"].removesuffix("; waits")
        if not row["dtypes"]:
            problems.append(f"{row['name']}: no call that tools/tandem/accepts.cpp makes succeeds")
        elif backends != "cpu, cuda, meta" and "; waits" not in row["backends"]:
            problems.append(f"{row['name']}: {backends}")
        elif not backends.startswith("cpu, cuda"):
            problems.append(f"{row['name']}: {backends}")
    print("\n".join(problems) or f"{page} is current")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
