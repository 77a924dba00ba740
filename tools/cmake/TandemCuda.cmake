# TandemCuda: filled in by its own change.
