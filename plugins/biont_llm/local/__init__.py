"""The small model that runs inside the workbench's own process."""
