"""Plugins for nose and pytest. They import notify_pr only where they are switched on, so that a
library that does not load never breaks a test run."""
