//! Reports the results of independent CI runs on GitHub pull requests.
