"""Accounting: records, usage and budgets of LLM calls."""
