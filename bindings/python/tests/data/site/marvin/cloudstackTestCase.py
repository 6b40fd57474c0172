"""What all suites of CloudStack inherit from."""

import unittest


class cloudstackTestCase(unittest.TestCase):
    """A test case; the real one has clients of a cloud."""
