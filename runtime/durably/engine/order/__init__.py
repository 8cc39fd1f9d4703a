"""Order of concurrent branches: recorded on the first execution, kept on replay."""
