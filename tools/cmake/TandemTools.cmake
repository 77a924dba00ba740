# TandemTools: filled in by its own change.
