"""Measures the workbench beside bare programs that use the same libraries."""
