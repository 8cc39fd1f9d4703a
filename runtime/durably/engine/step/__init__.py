"""A step: replay or execution, retries, approval, questions, commit."""
