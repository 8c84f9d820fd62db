"""Routes of the pages, a module for each area."""
