"""Demo: runs the main job with real parts, and reports each step."""
