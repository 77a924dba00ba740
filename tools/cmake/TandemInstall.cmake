# TandemInstall: filled in by its own change.
