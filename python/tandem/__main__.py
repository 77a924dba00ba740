"""The command `tandem`, as `python -m tandem` and as the script that an installation has: the program that lies in the package."""

import os
import sys

FOLDER = os.path.dirname(os.path.abspath(__file__))
# In an installation, and in a build tree, where the package is build/NAME/python/tandem.
PLACES = (os.path.join(FOLDER, "bin", "tandem"), os.path.join(FOLDER, "..", "..", "bin", "tandem"))


def main():
    """Runs the command with this process's arguments in place of this process. Does not return."""
    for program in PLACES:
        if os.access(program, os.X_OK):
            sys.stdout.flush()
            os.execv(program, ["tandem", *sys.argv[1:]])
    sys.exit(f"tandem: expected the command at {PLACES[0]}, got no such program")


if __name__ == "__main__":
    main()
