"""A class whose setup breaks."""

import unittest


class TestSetup(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        raise RuntimeError("no such zone")

    def test_never(self):
        pass
