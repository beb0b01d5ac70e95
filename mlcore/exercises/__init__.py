"""The exercises, one module for each section; `mlcore.practice` says how to write one."""
