"""The exercises, one module for each section; `mlcore.teaching.practice` says how to write one."""
