"""The demonstration: the main job, done for real and told step by step."""
