"""Dashboard: the pages on which a person sees and does what the REST API offers."""
